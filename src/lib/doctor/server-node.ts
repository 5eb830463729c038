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

/** What each finding takes of CONFIG GET. */
const NEEDED = {
  D21: ['appendonly', 'save'],
  D22: ['min-replicas-to-write', 'min-replicas-max-lag'],
  D24: ['stream-node-max-bytes', 'stream-node-max-entries'],
  D26: ['timeout', 'tcp-keepalive', 'port', 'tls-port'],
  D27: ['client-output-buffer-limit'],
} as const;

export type FindingOfSettings = keyof typeof NEEDED;
export const FINDINGS_OF_SETTINGS = Object.keys(NEEDED) as FindingOfSettings[];
export type Setting = (typeof NEEDED)[FindingOfSettings][number];
export const SETTINGS: readonly Setting[] = Object.values(NEEDED).flat();

/** Which settings a server does not tell, by finding: a managed one may tell some. There is no tls-port in a build without TLS. */
export const untoldSettings = (config: ReadonlyMap<string, string>): [FindingOfSettings, Setting[]][] =>
  FINDINGS_OF_SETTINGS.map((id): [FindingOfSettings, Setting[]] => [
    id,
    NEEDED[id].filter((name) => name !== 'tls-port' && !config.has(name)),
  ]).filter(([, untold]) => untold.length > 0);

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
