/**
 * One connection to Redis and nothing else: it is opened, it carries commands,
 * it ends. It never reconnects and never sends a command twice. ioredis would
 * do both, and a repeated XADD is a duplicated entry (docs/adr/0004), so its
 * retrying is switched off and each connection has a client of its own.
 * Invariant: every command that was sent settles, with its reply or with a
 * failure, at the latest when the connection ends.
 */
import type {Socket} from 'node:net';
import {Cluster, Command, type Redis} from 'ioredis';
import type {StreamlogError} from '../errors.js';
import {EntryIds} from '../records/entry-ids.js';
import {encodeName} from '../records/names.js';
import type {RawRecordBatch} from '../records/raw-record.js';
import {notRedis} from './checked-reply.js';
import {type Connected, connect, type Standing} from './connect.js';
import {end} from './new-client.js';
import {RespWriter} from './resp-writer.js';
import {type CommandContext, toFailure} from './server-errors.js';
import type {Target} from './server-target.js';
import {masterOf} from './slot-owner.js';
import {type AwaitedReply, XreadInterceptor} from './xread-interceptor.js';

/** IDs stand for as many arguments, the last ones of their command. */
export type Argument = string | Buffer | EntryIds;
/** A command's name in lower case, then its arguments. */
export type CommandLine = readonly [name: string, ...args: Argument[]];
/** A reply as the protocol has it; strings stay bytes, and text is the digits of a number (`exactNumbers`). */
export type Reply = Buffer | number | string | null | Reply[];

export class CommandConnection {
  /** Resolves when the connection has ended, whoever ended it; that of a cluster outlives single nodes. */
  readonly closed: Promise<void>;
  readonly #client: Redis | Cluster;
  readonly #state: Omit<Connected, 'client'>;
  /** Commands without a reply yet of which the tap was not told. */
  #untapped = 0;
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
    this.#untapped++;
    try {
      return await this.#deliver(line, context);
    } finally {
      this.#untapped--;
    }
  }

  /**
   * Sends XREADGROUP or XREAD of one stream: its entries undecoded, as they came.
   * An answer without any, and one in which ioredis had to find its way (in a
   * cluster, or behind other commands), comes as any other reply does. Throws as `send` does.
   */
  async sendRead(line: CommandLine, context?: Partial<CommandContext>): Promise<RawRecordBatch | Reply> {
    const interceptor = this.#tapFor('entries');
    return interceptor === undefined ? this.send(line, context) : this.#entries(line, interceptor, context);
  }

  /** The same, behind a command whose reply is one line: both leave in one piece. */
  sendBeforeRead(
    first: CommandLine,
    line: CommandLine,
    context?: Partial<CommandContext>,
  ): [first: Promise<Reply>, read: Promise<RawRecordBatch | Reply>] {
    const interceptor = this.#tapFor('line', 'entries');
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
    // A number that the tap did not put there.
    if (page === undefined) throw notRedis();
    return page;
  }

  /** Told of the replies to what is sent now; undefined where ioredis has to read them. */
  #tapFor(...replies: readonly AwaitedReply[]): XreadInterceptor | undefined {
    if (this.#untapped > 0 || this.#client instanceof Cluster) return undefined;
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
  /** Sends a command that has no key to every master: one reply each, one in all without a cluster. */
  async sendToMasters(line: CommandLine, masterIndex?: number): Promise<Reply[]> {
    const masters = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    const chosen = masterIndex === undefined ? masters : masters.slice(masterIndex, masterIndex + 1);
    this.#untapped++;
    try {
      if (this.#lostMaster || chosen.length === 0) throw new Error(LOST_NODE);
      return (await Promise.all(chosen.map((node) => node.sendCommand(commandOf(line))))) as Reply[];
    } catch (error) {
      throw this.#failure(error, line);
    } finally {
      this.#untapped--;
    }
  }

  /** Sends a command that has no key to one of `masters`. Throws `unreachable` when its connection was lost or cannot be made. */
  async sendToMaster(line: CommandLine, master: string): Promise<Reply> {
    const client = this.#client;
    this.#untapped++;
    try {
      if (!(client instanceof Cluster)) return (await client.sendCommand(commandOf(line))) as Reply;
      const node = client.nodes('master').find(({options}) => `${options.host}:${options.port}` === master);
      if (node === undefined || this.#state.lostNodes.has(master)) throw new Error(LOST_NODE);
      return (await node.sendCommand(commandOf(line))) as Reply;
    } catch (error) {
      throw this.#failure(error, line);
    } finally {
      this.#untapped--;
    }
  }

  /** The masters that hold the data, as `host:port`, those that are lost included; '' without a cluster. */
  get masters(): string[] {
    if (!(this.#client instanceof Cluster)) return [''];
    return [...new Set(this.#client.slots.flatMap(([master]) => master ?? []))];
  }

  /** The node of a cluster that serves `stream`, as `host:port`; '' where that is no question. */
  nodeOf(stream: string): string {
    return masterOf(this.#client, stream) ?? '';
  }

  /** Asks all sentinels once, where there are some; a connection to another server than the master has ended then. */
  async standing(): Promise<Standing> {
    const isChanging = (await this.#state.isMasterChanging?.()) ?? false;
    const client = this.#client;
    // The status of a client that was cut changes later.
    if (client.status !== 'ready' || (!(client instanceof Cluster) && (client.stream as Socket).destroyed))
      return 'ended';
    return isChanging ? 'changing' : 'master';
  }

  get inCluster(): boolean {
    return this.#client instanceof Cluster;
  }

  /** Looks again which node of a cluster serves what; when none answers, what was known stays. */
  async refreshSlots(): Promise<void> {
    const client = this.#client;
    if (client instanceof Cluster) await new Promise<void>((resolve) => client.refreshSlotsCache(() => resolve()));
  }

  /**
   * Ends the connection at once. Commands under way fail as `unreachable`, unless
   * their replies are already on the way.
   */
  close(): void {
    end(this.#client);
  }

  /** ioredis opens a lost node again, and what is sent then overtakes what was lost. */
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

/** What ioredis says too. */
const LOST_NODE = 'Connection is closed.';
/** Room for what stands before the IDs of a command, mostly. */
const LEAD_BYTES = 256;

function commandOf([name, ...args]: CommandLine): Command {
  const last = args.at(-1);
  if (last instanceof EntryIds) return new CommandOnIds(name, args.slice(0, -1) as string[], last);
  return new Command(name, (args as (string | Buffer)[]).map(asBytes), {replyEncoding: null});
}

/** A name that is not text would lose its bytes. */
const asBytes = (argument: string | Buffer): string | Buffer =>
  typeof argument === 'string' ? encodeName(argument) : argument;

/** Of thousands of IDs, ioredis would make a text of each. */
class CommandOnIds extends Command {
  readonly #words: readonly string[];
  readonly #ids: EntryIds;

  constructor(name: string, args: readonly string[], ids: EntryIds) {
    super(name, args.map(asBytes), {replyEncoding: null});
    this.#words = [name, ...args];
    this.#ids = ids;
  }

  override toWritable(): Buffer {
    const {count, protocol} = this.#ids;
    const writer = new RespWriter(protocol.length + LEAD_BYTES);
    writer.array(this.#words.length + count);
    for (const word of this.#words) writer.string(encodeName(word));
    writer.raw(protocol);
    return writer.take();
  }
}
