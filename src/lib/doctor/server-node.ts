/** One node of a server, as far as the user may ask: all there is without a cluster, one of its masters in one. */
import {shellWord} from '../shell-word.js';
import type {ServerInfo} from '../stream-client.js';
import type {Command, Commands} from './commands.js';

export interface ServerNode {
  /** `host:port`; '' without a cluster. */
  node: string;
  info: ServerInfo;
  /** Undefined where the user may not ask. */
  config: ReadonlyMap<string, string> | undefined;
  commands: Commands;
}

/** What is asked by CONFIG GET. */
export const SETTINGS = [
  'appendonly',
  'save',
  'min-replicas-to-write',
  'min-replicas-max-lag',
  'stream-node-max-bytes',
  'stream-node-max-entries',
  'timeout',
  'tcp-keepalive',
  'port',
  'tls-port',
  'client-output-buffer-limit',
] as const;
export type Setting = (typeof SETTINGS)[number];

/** A setting that is a whole number; undefined where it is not known. */
export function numberSetting({config}: ServerNode, name: Setting): number | undefined {
  const text = config?.get(name);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** A command to this node, as words of a shell. */
export const redisCli = ({commands, node}: Pick<ServerNode, 'commands' | 'node'>, ...words: string[]): Command =>
  commands.redisCli(node, ...words);

/** CONFIG SET. It lasts until the server ends, unless its configuration file says the same. */
export const configSet = (
  node: ServerNode,
  name: Setting | 'maxmemory' | 'maxmemory-policy',
  value: string,
  about?: string,
): Command => ({...redisCli(node, 'CONFIG', 'SET', name, shellWord(value)), about});

/** For a sentence: which node of a cluster it is. */
export const onNode = ({node}: Pick<ServerNode, 'node'>): string => (node === '' ? '' : ` on ${node}`);
/** For figures. */
export const nodeFigure = ({node}: Pick<ServerNode, 'node'>): {node?: string} => (node === '' ? {} : {node});
