/** Commands that name no stream: what a server is, what it holds, who is connected. In a cluster they go to its masters. */
import {isFailure, isRefusal, NOT_ALLOWED, type StreamlogError} from '../errors.js';
import {scanKeys, scanStreams, ttl} from './args.js';
import {flatPairsOf, numberOf, timeOf} from './checked-reply.js';
import type {CommandConnection, CommandLine, Reply} from './command-connection.js';
import type {Standing} from './connect.js';
import {scanPages} from './key-scan.js';
import {redisCliWords} from './redis-cli.js';
import {readText} from './replies.js';
import {readCommandTimes, readServerInfo, type ServerInfo} from './server-info.js';
import {describeTarget} from './server-target.js';
import type {Session} from './session.js';
import {readSlowLog, type SlowCommand, slowLogGet} from './slow-log.js';

/** A connection of the server. */
export interface ConnectedClient {
  id: number;
  address: string;
  name: string;
  /** Whole seconds since it last sent something. */
  idleSeconds: number;
}

/** Clients up to which CLIENT LIST takes Redis less than 5 ms. */
const MOST_CLIENTS = 2_000;

/** Keys that one SCAN looks at. */
const PAGE = 1_000;

export class ServerCommands {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Host and port, socket or nodes, for people. */
  get address(): string {
    return describeTarget(this.#session.target);
  }

  /** The number of the database. */
  get database(): number {
    return this.#session.target.db;
  }

  /** Whether it is a cluster, where other nodes may answer when one does not. */
  get isCluster(): boolean {
    return this.#session.connection.inCluster;
  }

  /** How it was connected to. */
  get kind(): 'standalone' | 'sentinel' | 'cluster' {
    const {kind} = this.#session.target;
    return kind === 'sentinel' || kind === 'cluster' ? kind : 'standalone';
  }

  /** Whether it is the master, as all sentinels say when they are asked once; `master` where there are none. */
  standing(): Promise<Standing> {
    return this.#session.connection.standing();
  }

  /** Where the address came from, as in `ConnectionSettings`. */
  get source(): string | undefined {
    return this.#session.target.source;
  }

  /** INFO server, INFO replication: the name, version and role of what answers there; undefined where the user may not ask. */
  async identity(): Promise<string | undefined> {
    const {connection} = this.#session;
    const info = await Promise.all(
      ['server', 'replication'].map((section) => connection.sendToMasters(['info', section], 0).catch(() => [])),
    );
    const {name, version, role} = readServerInfo(info.flat().map(readText).join('\n'));
    if (name === undefined) return undefined;
    return [`${name} ${version}`, ...(role === undefined ? [] : [role])].join(', ');
  }

  /** TIME: the clock of the server, in Unix milliseconds; undefined where the user may not ask. */
  async time(): Promise<number | undefined> {
    const [reply] = await this.#ofFirst(['time']);
    return reply === undefined ? undefined : timeOf(reply);
  }

  /** The nodes that hold the data, as `host:port`; without a cluster '', the only one. */
  get nodes(): string[] {
    return this.#session.connection.masters;
  }

  /** The words with which redis-cli reaches one of `nodes`, without a password. */
  redisCli(node: string): string[] {
    const {connection, target} = this.#session;
    return redisCliWords(target, node === '' ? connection.address : node);
  }

  /** CONFIG GET of one of `nodes`: what it has of `names`. Throws `denied`, or `configuration`, as managed servers have it. */
  async config(node: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const {connection} = this.#session;
    // Redis before 7.0 takes one name (https://redis.io/docs/latest/commands/config-get/).
    const replies = await Promise.all(names.map((name) => connection.sendToMaster(['config', 'GET', name], node)));
    const values = replies.map((reply) => flatPairsOf(reply)[1]);
    return new Map(names.flatMap((name, at) => (values[at] === undefined ? [] : [[name, readText(values[at])]])));
  }

  /** SLOWLOG GET of one of `nodes`, the newest first. Throws as `config` does. */
  async slowCommands(node: string): Promise<SlowCommand[]> {
    return readSlowLog(await this.#session.connection.sendToMaster(slowLogGet, node));
  }

  /** INFO of every master; undefined for those that do not answer, and where the user may not ask. */
  async info(): Promise<(ServerInfo | undefined)[]> {
    const {connection} = this.#session;
    const asked = connection.masters.map(async (master) => {
      try {
        return readServerInfo(readText(await this.#repeated('info', (one) => one.sendToMaster(['info'], master))));
      } catch (error) {
        return this.#nothingWhereRefused(error);
      }
    });
    return Promise.all(asked);
  }

  /** INFO commandstats of the first master: microseconds that a call takes on average, by command in lower case. */
  async commandTimes(): Promise<ReadonlyMap<string, number>> {
    const [reply] = await this.#ofFirst(['info', 'commandstats']);
    return reply === undefined ? new Map() : readCommandTimes(readText(reply));
  }

  async #ofFirst(line: CommandLine): Promise<(Reply | undefined)[]> {
    try {
      return await this.#repeated(String(line[0]), (connection) => connection.sendToMasters(line, 0));
    } catch (error) {
      return [this.#nothingWhereRefused(error)];
    }
  }

  /** As the retry policy says; in a cluster not at all, where a node may be away for long and the others answer. */
  #repeated<T>(command: string, work: (connection: CommandConnection) => Promise<T>): Promise<T> {
    return this.isCluster ? work(this.#session.connection) : this.#session.run(command, work);
  }

  /** Other masters of a cluster may answer where one does not. */
  #nothingWhereRefused(error: unknown): undefined {
    if (!isRefusal(error, NOT_ALLOWED) && !(this.isCluster && isFailure(error, 'unreachable'))) throw error;
    return undefined;
  }

  /** PING. */
  async ping(): Promise<void> {
    await this.#session.connection.sendToMasters(['ping'], 0);
  }

  /** SHUTDOWN: has the server write what it must, and end. Throws when it refuses. */
  async shutDown(): Promise<void> {
    try {
      await this.#session.connection.sendToMasters(['shutdown'], 0);
    } catch (error) {
      // It answers with the end of the connection.
      if (!isFailure(error, 'unreachable')) throw error;
    }
  }

  /** INFO memory: a warning where keys may go that requests are known by; undefined where they stay, or where the server does not tell. */
  async evictionWarning(forgets: string): Promise<string | undefined> {
    const [info] = await this.#session.connection.sendToMasters(['info', 'memory'], 0).catch(() => []);
    return Buffer.isBuffer(info) ? evictionWarning(info.toString('latin1'), forgets) : undefined;
  }

  /** CLIENT LIST of each master; undefined where the user may not ask, and where the list is so long that it would hold Redis up. */
  async connectedClients(): Promise<ConnectedClient[][] | undefined> {
    const {connection} = this.#session;
    try {
      const infos = await connection.sendToMasters(['info', 'clients']);
      const counts = infos.map((info) => readServerInfo(readText(info)).connectedClients);
      if (counts.some((count) => count === undefined || count > MOST_CLIENTS)) return undefined;
      return (await connection.sendToMasters(['client', 'LIST'])).map(readClients);
    } catch (error) {
      if (isFailure(error, 'unreachable') || isFailure(error, 'temporary')) throw error;
      return undefined;
    }
  }

  /**
   * SCAN … TYPE stream: the names of all streams, on every master; a name may come twice while keys move. `onLost` gets
   * the failure of a master that cannot be reached, and the others are read on; without it this throws.
   */
  async *streams(match?: string, onLost?: (error: StreamlogError) => void): AsyncGenerator<string[], void, void> {
    for await (const page of this.streamPages(PAGE, match, onLost)) if (page.length > 0) yield page;
  }

  /** The same for each SCAN, which looks at some `keys` keys, so that many pages may be empty. */
  streamPages(
    keys: number,
    match?: string,
    onLost?: (error: StreamlogError) => void,
  ): AsyncGenerator<string[], void, void> {
    return scanPages(this.#session, (cursor) => scanStreams(cursor, match, keys), onLost);
  }

  /** The same of keys of any type. */
  keyPages(
    keys: number,
    match: string,
    onLost?: (error: StreamlogError) => void,
  ): AsyncGenerator<string[], void, void> {
    return scanPages(this.#session, (cursor) => scanKeys(cursor, match, keys), onLost);
  }

  /** TTL: how long the key stays, in seconds; -1 where it has no end, -2 where there is none. */
  async secondsLeft(key: string): Promise<number> {
    return numberOf(await this.#session.send(ttl(key), {stream: key}));
  }
}

/** CLIENT LIST: a line each, of words `name=value`. */
export const readClients = (reply: Reply): ConnectedClient[] =>
  readText(reply)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const words = new Map(line.split(' ').map((word) => [word.split('=', 1)[0]!, word.slice(word.indexOf('=') + 1)]));
      return {
        id: Number(words.get('id')),
        address: words.get('addr') ?? '',
        name: words.get('name') ?? '',
        idleSeconds: Number(words.get('idle')),
      };
    });

/** The command whose reply `evictionWarning` reads; CONFIG GET is allowed to few. */
export const MEMORY_COMMAND = ['INFO', 'memory'];

/** What to say where keys may go; undefined where they stay, or where the server does not tell. */
export function evictionWarning(info: string, forgets: string): string | undefined {
  const {maxMemoryPolicy: policy, maxMemoryBytes} = readServerInfo(info);
  if (!policy || policy === 'noeviction' || maxMemoryBytes === 0) return undefined;
  return `this Redis drops keys when memory runs out (maxmemory-policy ${policy}), and with them ${forgets}; noeviction keeps them`;
}
