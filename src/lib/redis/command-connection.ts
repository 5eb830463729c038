/**
 * One connection to Redis, for commands. It never reconnects and never sends a command twice, as ioredis would by
 * default (redis/ioredis#2193, docs/adr/0004), since a repeated XADD adds a second entry. Invariant: every command
 * settles, with its reply or a failure, at the latest when the connection ends.
 */
import type {Socket} from 'node:net';
import {Cluster, type Command, type Redis} from 'ioredis';
import {StreamlogError} from '../errors.js';
import type {EntryIds} from '../records/entry-ids.js';
import type {RawRecordBatch} from '../records/raw-record.js';
import {notRedis} from './checked-reply.js';
import {type Connected, connect, type Standing} from './connect.js';
import {end} from './new-client.js';
import {commandOf} from './outgoing-command.js';
import {type CommandContext, toFailure} from './server-errors.js';
import type {Target} from './server-target.js';
import {masterOf} from './slot-owner.js';
import {sendTransaction} from './transaction.js';
import {type AwaitedReply, XreadInterceptor} from './xread-interceptor.js';

/** `EntryIds` stands for that many arguments, the last ones of the command. */
export type Argument = string | Buffer | EntryIds;
/** A command's name in lower case, then its arguments. */
export type CommandLine = readonly [name: string, ...args: Argument[]];
/** A RESP reply; strings stay bytes, and a string is the digits of a number (`exactNumbers`). */
export type Reply = Buffer | number | string | null | Reply[];

export class CommandConnection {
  /** Resolves when the connection has ended; that of a cluster outlives single nodes. */
  readonly closed: Promise<void>;
  readonly #client: Redis | Cluster;
  readonly #state: Omit<Connected, 'client'>;
  /** Commands in flight that were not announced to the interceptor. */
  #unannounced = 0;
  #interceptor: XreadInterceptor | undefined;

  private constructor({client, ...state}: Connected) {
    this.#client = client;
    this.#state = state;
    this.closed = new Promise((resolve) => client.once('end', () => resolve()));
  }

  /**
   * Connects and authenticates. `blockMs` is the longest time that a blocking
   * command will be asked to wait on this connection. Throws `unreachable`
   * within the target's connect timeout, `denied` for a wrong password,
   * `temporary` where Redis takes no more clients, `configuration` where the
   * target is not what the URL says.
   */
  static async open(target: Target, blockMs = 0): Promise<CommandConnection> {
    return new CommandConnection(await connect(target, blockMs));
  }

  /** Sends one command. Throws the failure of an error reply or of a lost connection. */
  async send(line: CommandLine, context?: Partial<CommandContext>): Promise<Reply> {
    this.#unannounced++;
    try {
      return await this.#deliver(line, context);
    } finally {
      this.#unannounced--;
    }
  }

  /**
   * Sends XREADGROUP or XREAD of one stream, or XRANGE, and returns its entries undecoded.
   * A reply without entries, in a cluster, or after commands that were not
   * announced, is decoded by ioredis like any other. Throws as `send` does.
   */
  async sendRead(line: CommandLine, context?: Partial<CommandContext>): Promise<RawRecordBatch | Reply> {
    const interceptor = this.#intercept(RANGES.has(line[0]) ? 'range' : 'entries');
    return interceptor === undefined ? this.send(line, context) : this.#entries(line, interceptor, context);
  }

  /** The same, after a command whose reply is one line: both leave in one write. */
  sendBeforeRead(
    first: CommandLine,
    line: CommandLine,
    context?: Partial<CommandContext>,
  ): [first: Promise<Reply>, read: Promise<RawRecordBatch | Reply>] {
    const interceptor = this.#intercept('line', 'entries');
    if (interceptor === undefined) return [this.send(first, context), this.send(line, context)];
    const socket = (this.#client as Redis).stream as Socket;
    socket.cork();
    const sent = this.#deliver(first, context);
    const read = this.#entries(line, interceptor, context);
    socket.uncork();
    return [sent, read];
  }

  async #entries(
    line: CommandLine,
    interceptor: XreadInterceptor,
    context?: Partial<CommandContext>,
  ): Promise<RawRecordBatch | Reply> {
    const reply = await this.#deliver(line, context);
    if (typeof reply !== 'number') return reply;
    const page = interceptor.entries();
    // An integer that is not the placeholder.
    if (page === undefined) throw notRedis();
    return page;
  }

  /** Announces the replies to the next commands; undefined if ioredis has to decode them. */
  #intercept(...replies: readonly AwaitedReply[]): XreadInterceptor | undefined {
    if (this.#unannounced > 0 || this.#client instanceof Cluster) return undefined;
    this.#interceptor ??= new XreadInterceptor(this.#client.stream as Socket);
    this.#interceptor.expect(...replies);
    return this.#interceptor;
  }

  async #deliver(line: CommandLine, context?: Partial<CommandContext>): Promise<Reply> {
    const command = commandOf(line);
    try {
      this.#refuseLostNode(command);
      return (await this.#client.sendCommand(command)) as Reply;
    } catch (error) {
      throw this.#failure(error, line, context);
    }
  }

  /**
   * MULTI, `lines`, EXEC: their replies, of one moment. In a cluster on the node of the stream of `context`, again where that
   * has moved. Throws the failure of the first command that was refused.
   */
  async transaction(lines: readonly CommandLine[], context: Partial<CommandContext>): Promise<Reply[]> {
    for (let redirections = 0; ; redirections++) {
      this.#unannounced++;
      try {
        const node = this.#nodeFor(context.stream);
        return await sendTransaction(node, lines, (error, line) => this.#failure(error, line, context));
      } catch (error) {
        if (!(error instanceof StreamlogError) || error.code !== 'MOVED' || redirections === MOST_REDIRECTIONS)
          throw error;
        // ioredis looks for the new node only where it sends a command by itself.
        await this.refreshSlots();
      } finally {
        this.#unannounced--;
      }
    }
  }

  #nodeFor(stream: string | undefined): Redis {
    if (!(this.#client instanceof Cluster)) return this.#client;
    const home = stream === undefined ? undefined : masterOf(this.#client, stream);
    const node = this.#client.nodes('master').find(({options}) => `${options.host}:${options.port}` === home);
    if (node !== undefined && !this.#state.lostNodes.has(home!)) return node;
    throw this.#failure(new Error(LOST_NODE), ['multi'], {stream});
  }

  /** Sends a command that has no key to every master: one reply each, one in all without a cluster. */
  async sendToMasters(line: CommandLine, masterIndex?: number): Promise<Reply[]> {
    const masters = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    const chosen = masterIndex === undefined ? masters : masters.slice(masterIndex, masterIndex + 1);
    this.#unannounced++;
    try {
      if (this.#lostMaster || chosen.length === 0) throw new Error(LOST_NODE);
      return (await Promise.all(chosen.map((node) => node.sendCommand(commandOf(line))))) as Reply[];
    } catch (error) {
      throw this.#failure(error, line);
    } finally {
      this.#unannounced--;
    }
  }

  /** Sends a command that has no key to one of `masters`. Throws `unreachable` when its connection was lost or cannot be made. */
  async sendToMaster(line: CommandLine, master: string): Promise<Reply> {
    const client = this.#client;
    this.#unannounced++;
    try {
      if (!(client instanceof Cluster)) return (await client.sendCommand(commandOf(line))) as Reply;
      const node = client.nodes('master').find(({options}) => `${options.host}:${options.port}` === master);
      if (node === undefined || this.#state.lostNodes.has(master)) throw new Error(LOST_NODE);
      return (await node.sendCommand(commandOf(line))) as Reply;
    } catch (error) {
      throw this.#failure(error, line);
    } finally {
      this.#unannounced--;
    }
  }

  /** The masters that hold the data, as `host:port`, those that are lost included; '' without a cluster. */
  get masters(): string[] {
    if (!(this.#client instanceof Cluster)) return [''];
    return [...new Set(this.#client.slots.flatMap(([master]) => master ?? []))];
  }

  /** What was connected to, as `host:port`: behind sentinels the master that they name; '' for a socket and a cluster. */
  get address(): string {
    const {host, port, path} = this.#client instanceof Cluster ? {} : this.#client.options;
    return host === undefined || path != null ? '' : `${host}:${port}`;
  }

  /** The node of a cluster that serves `stream`, as `host:port`; '' without a cluster. */
  nodeOf(stream: string): string {
    return masterOf(this.#client, stream) ?? '';
  }

  /** Asks all sentinels once, if there are any; afterwards a connection to another server than the master has ended. */
  async standing(): Promise<Standing> {
    const isChanging = (await this.#state.isMasterChanging?.()) ?? false;
    const client = this.#client;
    // The status of a destroyed client changes later.
    if (client.status !== 'ready' || (!(client instanceof Cluster) && (client.stream as Socket).destroyed))
      return 'ended';
    return isChanging ? 'changing' : 'master';
  }

  get inCluster(): boolean {
    return this.#client instanceof Cluster;
  }

  /** Reads the table of slots again; without an answer, the old one stays. */
  async refreshSlots(): Promise<void> {
    const client = this.#client;
    if (client instanceof Cluster) await new Promise<void>((resolve) => client.refreshSlotsCache(() => resolve()));
  }

  /**
   * Ends the connection at once. Commands in flight fail as `unreachable`, unless
   * their replies are already on the way.
   */
  close(): void {
    end(this.#client);
  }

  /** ioredis would reconnect to a lost node, and later commands would overtake the lost ones. */
  #refuseLostNode(command: Command): void {
    if (!(this.#client instanceof Cluster)) return;
    const slot = command.getSlot();
    const node = slot === null ? undefined : this.#client.slots[slot]?.[0];
    if (node !== undefined && this.#state.lostNodes.has(node)) throw new Error(LOST_NODE);
  }

  get #lostMaster(): boolean {
    const {lostNodes} = this.#state;
    if (lostNodes.size === 0 || !(this.#client instanceof Cluster)) return false;
    return this.#client.slots.some(([master]) => master !== undefined && lostNodes.has(master));
  }

  #failure(error: unknown, [name]: CommandLine, context?: Partial<CommandContext>): StreamlogError {
    return toFailure(error, {command: name.toUpperCase(), inCluster: this.inCluster, ...context}, this.#state.problem);
  }
}

/** Their replies have entries without the name of a stream. */
const RANGES = new Set(['xrange', 'xrevrange']);
/** The same text as in ioredis. */
const LOST_NODE = 'Connection is closed.';
/** As ioredis has them for single commands. */
const MOST_REDIRECTIONS = 16;
