/**
 * Which server: reads a connection URL once, so that the rest of lib/redis
 * works with a plain value. Invariant: nothing that `describeTarget` returns,
 * and no message thrown here, holds a password.
 */
import {StreamlogError} from '../errors.js';

export interface Node {
  host: string;
  port: number;
}

/** What the user said about the connection, already gathered from flags, environment and files. */
export interface ConnectionSettings {
  /** `redis://`, `rediss://`, `unix://`, `redis+sentinel://h1,h2/name/0` or `redis+cluster://h1,h2`; `rediss+…` with TLS. */
  url: string;
  username?: string;
  password?: string;
  /** PEM contents, not paths. */
  tls?: {ca?: string; cert?: string | undefined; key?: string | undefined} | undefined;
  connectTimeoutMs: number;
}

type Place =
  | {kind: 'tcp'; node: Node}
  | {kind: 'unix'; path: string}
  | {kind: 'sentinel'; nodes: Node[]; master: string}
  | {kind: 'cluster'; nodes: Node[]};

export type Target = Place & {
  db: number;
  username: string | undefined;
  password: string | undefined;
  tls: {ca?: string | undefined; cert?: string | undefined; key?: string | undefined} | undefined;
  connectTimeoutMs: number;
};

const URL_SHAPE =
  /^(redis|rediss|unix|rediss?\+sentinel|rediss?\+cluster):\/\/(?:([^@]*)@)?([^/?]*)([^?]*)(?:\?(.*))?$/;

/** Throws a configuration failure, without the URL in it, when `settings.url` is none of the forms above. */
export function parseTarget(settings: ConnectionSettings): Target {
  const match = URL_SHAPE.exec(settings.url);
  if (match === null) throw badUrl('it is not of a known form');
  const [, scheme = '', credentials = '', hosts = '', path = '', query = ''] = match;
  const [username, password] = readCredentials(credentials);
  const usesTls = scheme.startsWith('rediss') || settings.tls !== undefined;
  return {
    ...readPlace(scheme, hosts, path),
    db: readDb(scheme, path, query),
    username: settings.username ?? username,
    password: settings.password ?? password,
    tls: usesTls ? (settings.tls ?? {}) : undefined,
    connectTimeoutMs: settings.connectTimeoutMs,
  };
}

/** The server's address for messages: host and port, socket path or node list. Never credentials. */
export function describeTarget(target: Target): string {
  switch (target.kind) {
    case 'tcp':
      return nodeText(target.node);
    case 'unix':
      return target.path;
    case 'sentinel':
      return `master "${target.master}" of the sentinels ${target.nodes.map(nodeText).join(', ')}`;
    case 'cluster':
      return `the cluster at ${target.nodes.map(nodeText).join(', ')}`;
  }
}

function readPlace(scheme: string, hosts: string, path: string): Place {
  if (scheme === 'unix') {
    const socket = decode(`${hosts}${path}`);
    if (socket === '') throw badUrl('a unix:// URL needs a path, as in unix:///run/redis.sock');
    return {kind: 'unix', path: socket};
  }
  if (scheme.endsWith('+sentinel')) {
    const master = decode(path.split('/')[1] ?? '');
    if (master === '') throw badUrl('a sentinel URL names its master, as in redis+sentinel://h1,h2/mymaster/0');
    return {kind: 'sentinel', nodes: readNodes(hosts, 26_379), master};
  }
  if (scheme.endsWith('+cluster')) return {kind: 'cluster', nodes: readNodes(hosts, 6_379)};
  return {kind: 'tcp', node: readNodes(hosts === '' ? '127.0.0.1' : hosts, 6_379)[0]!};
}

function readNodes(hosts: string, defaultPort: number): Node[] {
  return hosts.split(',').map((text) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
    const port = Number(match?.[2] ?? defaultPort);
    if (match === null || port < 1 || port > 65_535) throw badUrl('a host is missing or its port is no number');
    return {host: match[1]!.replace(/^\[|\]$/g, ''), port};
  });
}

function readDb(scheme: string, path: string, query: string): number {
  const segment = scheme.endsWith('+sentinel') ? path.split('/')[2] : path.split('/')[1];
  const text = scheme === 'unix' ? (new URLSearchParams(query).get('db') ?? '') : (segment ?? '');
  if (scheme.endsWith('+cluster') || text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw badUrl('the database is no number');
  return Number(text);
}

function readCredentials(text: string): [username: string | undefined, password: string | undefined] {
  if (text === '') return [undefined, undefined];
  const colon = text.indexOf(':');
  if (colon === -1) return [decode(text), undefined];
  return [decode(text.slice(0, colon)) || undefined, decode(text.slice(colon + 1))];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl('a % in it is not followed by two hexadecimal digits');
  }
}

const nodeText = ({host, port}: Node): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

const badUrl = (reason: string): StreamlogError =>
  new StreamlogError('configuration', `the Redis URL cannot be used: ${reason}`, {
    hint: 'give --url redis://[user:password@]host[:port][/db], or rediss://, unix://, redis+sentinel://, redis+cluster://',
  });
