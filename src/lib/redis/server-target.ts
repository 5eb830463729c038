/** Reads a connection URL. Invariant: no password is in what `describeTarget` returns, or in a message thrown here. */
import {StreamlogError, usageError} from '../errors.js';
import {BadUrl} from './bad-url.js';
import type {Trace} from './command-trace.js';
import {fullUrl} from './short-url.js';

export interface Node {
  host: string;
  port: number;
}

/** What the user said about the connection, already gathered from flags, environment and files. */
export interface ConnectionSettings {
  /**
   * `redis://`, `rediss://`, `unix://`, `redis+sentinel://h1,h2/name/0` or `redis+cluster://h1,h2`; `rediss+…` with TLS; or
   * what people type in place of these (short-url.ts).
   */
  url: string;
  /** Where the URL came from, for messages: `--url`, `STREAMLOG_URL`, … */
  source?: string | undefined;
  username?: string;
  /** Also what sentinels are given, as their user `default`, unless they have one of their own: one without a password lets anyone in. */
  password?: string;
  sentinelUsername?: string | undefined;
  sentinelPassword?: string | undefined;
  /** PEM contents, not paths. They turn TLS on whatever the URL says, for sentinels too. */
  tls?: TlsSettings | undefined;
  /** The server name that TLS asks for and that certificates must name (SNI). It turns TLS on, as `tls` does. */
  sni?: string | undefined;
  /** `ANNOUNCED=REACHABLE`, each `host:port`: where to connect for an address that a cluster or a sentinel announces. */
  mapAddress?: readonly string[] | undefined;
  connectTimeoutMs: number;
  /** Silence with a command under way, beyond what that command may block, after which a connection counts as dead. */
  silenceMs?: number;
  /** What CLIENT LIST shows of the connection. */
  clientName?: string | undefined;
  /** Takes a line about each command that is sent. */
  trace?: Trace | undefined;
}

export interface TlsSettings {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

type Server =
  | {kind: 'tcp'; node: Node}
  | {kind: 'unix'; path: string}
  | {kind: 'sentinel'; nodes: Node[]; master: string}
  | {kind: 'cluster'; nodes: Node[]};

export type Target = Server & {
  /** Where the URL came from, for messages. */
  source: string | undefined;
  db: number;
  username: string | undefined;
  password: string | undefined;
  sentinelUsername: string | undefined;
  sentinelPassword: string | undefined;
  tls: TlsSettings | undefined;
  sni: string | undefined;
  /** By announced `host:port`. */
  addressMap: ReadonlyMap<string, Node>;
  connectTimeoutMs: number;
  silenceMs: number;
  /** Numbers of replies come as their digits: a JavaScript number holds 53 bits, and Redis' have 64. */
  exactNumbers?: boolean;
  clientName: string;
  trace: Trace | undefined;
};

const CLIENT_NAME = 'streamlog';

const SILENCE_MS = 15_000;

// Credentials end at the last @ before the path, so that one in a password need not be escaped.
const URL_SHAPE = /^(unix|(?:redis|valkey)s?(?:\+sentinel|\+cluster)?):\/\/(?:([^/?]*)@)?([^/?]*)([^?]*)(?:\?(.*))?$/i;

/** Throws a configuration failure, without the URL in it, when `settings.url` is none of the forms above. */
export function parseTarget(settings: ConnectionSettings): Target {
  try {
    return readTarget(settings, fullUrl(settings.url));
  } catch (error) {
    throw error instanceof BadUrl ? unusable(error, settings) : error;
  }
}

function readTarget(settings: ConnectionSettings, url: string): Target {
  const match = URL_SHAPE.exec(url);
  if (match === null) throw new BadUrl(unknownForm(url));
  const [, anyCase = '', credentials = '', hosts = '', path = '', query = ''] = match;
  const scheme = anyCase.toLowerCase().replace('valkey', 'redis');
  if (cutsPassword(match)) throw new BadUrl('a / or ? in the password must be written %2F or %3F');
  const [username, password] = readCredentials(credentials);
  return {
    ...readServer(scheme, hosts, path),
    source: settings.source,
    db: readDb(scheme, path, query),
    username: settings.username ?? username,
    password: settings.password ?? password,
    ...readSentinelCredentials(settings, new URLSearchParams(query), settings.password ?? password),
    tls: readTls(scheme, settings),
    sni: settings.sni,
    addressMap: new Map((settings.mapAddress ?? []).map(readMapping)),
    connectTimeoutMs: settings.connectTimeoutMs,
    silenceMs: settings.silenceMs ?? SILENCE_MS,
    clientName: settings.clientName ?? CLIENT_NAME,
    trace: settings.trace,
  };
}

function unknownForm(url: string): string {
  if (url === '') return 'it is empty';
  const scheme = /^[a-z][a-z0-9+.-]*(?=:\/\/)/i.exec(url)?.[0];
  return scheme === undefined || URL_SHAPE.test(`${scheme}://h`)
    ? 'its form is unknown'
    : `${scheme}:// is no scheme of Redis`;
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
      return `the cluster of ${target.nodes.map(nodeText).join(', ')}`;
  }
}

/** Whether a / or ? cut a password in two; its halves must not pass for names, which are shown. */
function cutsPassword([, scheme = '', credentials = '', hosts = '', path = '', query = '']: string[]): boolean {
  if (query.includes('@')) return true;
  // A socket's own path may have an @ in it.
  if (/^unix$/i.test(scheme) && credentials === '') return hosts.includes(':');
  return path.includes('@');
}

function readServer(scheme: string, hosts: string, path: string): Server {
  if (scheme === 'unix') {
    const socket = decode(`${hosts}${path}`);
    if (socket === '') throw new BadUrl('a unix:// URL needs a path, as in unix:///run/redis.sock');
    return {kind: 'unix', path: socket};
  }
  if (scheme.endsWith('+sentinel')) {
    const master = decode(path.split('/')[1] ?? '');
    if (master === '') throw new BadUrl('a sentinel URL names its master, as in redis+sentinel://h1,h2/mymaster/0');
    return {kind: 'sentinel', nodes: readNodes(hosts, 26_379), master};
  }
  if (scheme.endsWith('+cluster')) return {kind: 'cluster', nodes: readNodes(hosts, 6_379)};
  const [node, ...others] = readNodes(hosts === '' ? '127.0.0.1' : hosts, 6_379);
  if (others.length > 0) throw new BadUrl('several hosts are for redis+sentinel:// and redis+cluster://');
  return {kind: 'tcp', node: node!};
}

function readNodes(hosts: string, defaultPort: number): Node[] {
  return hosts.split(',').map((text) => {
    const node = readNode(text, defaultPort);
    if (node === undefined)
      throw new BadUrl(
        /^[^:]+:\d+$/.test(text)
          ? 'a port is a number from 1 to 65535'
          : 'a host is missing or its port is not a number',
      );
    return node;
  });
}

/** `host:port`, with brackets around an IPv6 address. Undefined for anything else, and without a port where there is no default. */
function readNode(text: string, defaultPort = 0): Node | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  if (match === null || port < 1 || port > 65_535) return undefined;
  return {host: match[1]!.replace(/^\[|\]$/g, ''), port};
}

/** From the path, or, as other clients have it, from `?db=`; other parameters are other clients' affair. */
function readDb(scheme: string, path: string, query: string): number {
  const segments = scheme === 'unix' ? [] : path.split('/').slice(scheme.endsWith('+sentinel') ? 2 : 1);
  if (segments.length > 1) throw new BadUrl('its path has too many parts');
  const text = segments[0] || (new URLSearchParams(query).get('db') ?? '');
  if (text === '') return 0;
  if (!/^\d{1,5}$/.test(text)) throw new BadUrl('the database is not a number');
  return Number(text);
}

/** Those of the flags, else `?sentinel_username=…&sentinel_password=…`, else the password of the server. */
function readSentinelCredentials(
  settings: ConnectionSettings,
  query: URLSearchParams,
  serverPassword: string | undefined,
): Pick<Target, 'sentinelUsername' | 'sentinelPassword'> {
  const sentinelUsername = settings.sentinelUsername ?? query.get('sentinel_username') ?? undefined;
  const sentinelPassword = settings.sentinelPassword ?? query.get('sentinel_password') ?? undefined;
  if (sentinelPassword !== undefined) return {sentinelUsername, sentinelPassword};
  return {sentinelUsername, sentinelPassword: sentinelUsername === undefined ? serverPassword : undefined};
}

function readMapping(text: string): [announced: string, reachable: Node] {
  const [announced, reachable, ...others] = text.split('=').map((part) => readNode(part));
  if (announced !== undefined && reachable !== undefined && others.length === 0)
    return [addressOf(announced), reachable];
  throw usageError(`--map-address takes ANNOUNCED=REACHABLE, each host:port, not "${text}"`);
}

function readTls(scheme: string, {tls: settings, sni}: ConnectionSettings): TlsSettings | undefined {
  if (sni !== undefined && scheme === 'unix') throw new BadUrl('there is no TLS on a unix socket');
  if (settings === undefined) return scheme.startsWith('rediss') || sni !== undefined ? {} : undefined;
  if (scheme === 'unix') throw new BadUrl('there is no TLS on a unix socket');
  // Any text is accepted as an empty list of certificates, and the server's then fails
  // (https://nodejs.org/api/tls.html#tlscreatesecurecontextoptions).
  for (const [name, text] of Object.entries(settings)) {
    if (text === undefined || text.includes('-----BEGIN ')) continue;
    throw new StreamlogError('configuration', `the file of --${name === 'ca' ? 'cacert' : name} is not in PEM form`);
  }
  return settings;
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
    throw new BadUrl('a % in it is not followed by two hexadecimal digits');
  }
}

const nodeText = ({host, port}: Node): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

/** As ioredis writes it, without brackets around IPv6 (https://github.com/redis/ioredis/blob/main/lib/cluster/util.ts). */
export const addressOf = ({host, port}: Node): string => `${host}:${port}`;

const unusable = ({message, hint}: BadUrl, {source}: ConnectionSettings): StreamlogError =>
  new StreamlogError(
    'configuration',
    `the Redis URL cannot be used: ${message}${source === undefined ? '' : `; it comes from ${source}`}`,
    {hint},
  );
