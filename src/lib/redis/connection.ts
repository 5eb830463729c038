/**
 * One connection to Redis and nothing else: it is opened, it carries commands,
 * it ends. It never reconnects and never sends a command twice. ioredis would
 * do both, and a repeated XADD is a duplicated entry (docs/adr/0004), so its
 * retrying is switched off and each connection has a client of its own.
 * Invariant: every command that was sent settles, with its reply or with a
 * failure, at the latest when the connection ends.
 */
import {Cluster, type ClusterOptions, Command, Redis, type RedisOptions} from 'ioredis';
import type {StreamlogError} from '../errors.js';
import {type CommandContext, isServerReply, toConnectFailure, toFailure} from './failure.js';
import {describeTarget, type Target} from './target.js';

export type Argument = string | Buffer;
/** A command's name in lower case, then its arguments. */
export type CommandLine = readonly [name: string, ...args: Argument[]];
/** A reply as the protocol has it; strings stay bytes. */
export type Reply = Buffer | number | null | Reply[];

/** Silence on a connection with a command under way, after which it counts as dead. */
const SILENCE_MS = 15_000;

export class Connection {
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #client: Redis | Cluster;

  private constructor(client: Redis | Cluster) {
    this.#client = client;
    this.closed = new Promise((resolve) => client.once('end', () => resolve()));
  }

  /**
   * Connects and authenticates. `blockMs` is the longest time that a blocking
   * command will be asked to wait on this connection. Throws `unreachable`
   * within the target's connect timeout, `denied` for a wrong password.
   */
  static async open(target: Target, blockMs = 0): Promise<Connection> {
    const client = target.kind === 'cluster' ? newCluster(target, blockMs) : newClient(target, blockMs);
    let lastError: unknown;
    client.on('error', (error: unknown) => {
      lastError = error;
    });
    try {
      await within(target.connectTimeoutMs, client.connect());
    } catch (error) {
      client.disconnect();
      // "Connection is closed." says less than the error event before it.
      throw toConnectFailure(isServerReply(error) ? error : (lastError ?? error), describeTarget(target));
    }
    return new Connection(client);
  }

  /** Sends one command. Throws the failure of an error reply or of a lost connection. */
  async send(line: CommandLine, context?: Partial<CommandContext>): Promise<Reply> {
    const [name, ...args] = line;
    try {
      return (await this.#client.sendCommand(new Command(name, args, {replyEncoding: null}))) as Reply;
    } catch (error) {
      throw toFailure(error, {command: name.toUpperCase(), ...context});
    }
  }

  /**
   * Sends many commands at once, in order, to one slot; resolves when each has
   * its own outcome. One that fails does not hold back the ones after it.
   */
  async sendAll(lines: readonly CommandLine[], context?: Partial<CommandContext>): Promise<(Reply | StreamlogError)[]> {
    const pipeline = this.#client.pipeline();
    for (const [name, ...args] of lines) pipeline.callBuffer(name, ...args);
    let results: [error: Error | null, reply: unknown][] | null;
    try {
      results = await pipeline.exec();
    } catch (error) {
      const failure = toFailure(error, {command: 'the batch', ...context});
      return lines.map(() => failure);
    }
    return (results ?? []).map(([error, reply], index) =>
      error === null ? (reply as Reply) : toFailure(error, {command: lines[index]![0].toUpperCase(), ...context}),
    );
  }

  /** Sends a command that has no key to every master: one reply each, one in all without a cluster. */
  async sendToMasters(line: CommandLine, masterIndex?: number): Promise<Reply[]> {
    const [name, ...args] = line;
    const masters = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    const chosen = masterIndex === undefined ? masters : masters.slice(masterIndex, masterIndex + 1);
    try {
      return (await Promise.all(
        chosen.map((node) => node.sendCommand(new Command(name, args, {replyEncoding: null}))),
      )) as Reply[];
    } catch (error) {
      throw toFailure(error, {command: name.toUpperCase()});
    }
  }

  /** How many masters hold the data: 1 without a cluster. */
  get masterCount(): number {
    return this.#client instanceof Cluster ? this.#client.nodes('master').length : 1;
  }

  /**
   * Ends the connection at once. Commands under way fail as `unreachable`.
   * Never waits: ioredis may not say when a client that is connecting has ended.
   */
  close(): void {
    this.#client.disconnect();
  }
}

function newClient(target: Exclude<Target, {kind: 'cluster'}>, blockMs: number): Redis {
  const options = clientOptions(target, blockMs);
  if (target.kind === 'unix') return new Redis({...options, path: target.path});
  if (target.kind === 'tcp') return new Redis({...options, ...target.node});
  return new Redis({
    ...options,
    sentinels: target.nodes,
    name: target.master,
    role: 'master',
    // Finite: the default asks the sentinels for ever, inside connect().
    sentinelRetryStrategy: (times) => (times > 10 ? null : Math.min(times * 100, 1_000)),
    ...(target.tls === undefined ? {} : {sentinelTLS: target.tls, enableTLSForSentinelMode: true}),
  } as RedisOptions);
}

function newCluster(target: Extract<Target, {kind: 'cluster'}>, blockMs: number): Cluster {
  return new Cluster(target.nodes, {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    enableOfflineQueue: false,
    retryDelayOnFailover: 0,
    maxRedirections: 16,
    slotsRefreshTimeout: target.connectTimeoutMs,
    // Node certificates name the host that was asked for, which is the address that the cluster announces.
    dnsLookup: (address, callback) => callback(null, address),
    redisOptions: clientOptions(target, blockMs),
  } as ClusterOptions);
}

const clientOptions = (target: Target, blockMs: number): RedisOptions =>
  ({
    lazyConnect: true,
    protocol: 2,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    reconnectOnError: null,
    connectTimeout: target.connectTimeoutMs,
    // Without commandTimeout: it would reject without cancelling, and be a lie about what was executed.
    socketTimeout: blockMs + SILENCE_MS,
    keepAlive: 10_000,
    connectionName: 'streamlog',
    db: target.db,
    username: target.username,
    password: target.password,
    tls: target.tls,
  }) as RedisOptions;

/** ioredis' own timeout covers the socket, not Sentinel's and Cluster's rounds of questions. */
async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('timed out'), {code: 'ETIMEDOUT'})), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}
