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
import type {MarkedPage} from '../marked-record.js';
import {end} from './client.js';
import {type Connected, connect} from './connecting.js';
import {EntryTap} from './entry-tap.js';
import {type CommandContext, toFailure} from './failure.js';
import type {Target} from './target.js';
import {masterOf} from './wire.js';

export type Argument = string | Buffer;
/** A command's name in lower case, then its arguments. */
export type CommandLine = readonly [name: string, ...args: Argument[]];
/** A reply as the protocol has it; strings stay bytes. */
export type Reply = Buffer | number | null | Reply[];

export class Connection {
  /** Resolves when the connection has ended, whoever ended it; that of a cluster outlives single nodes. */
  readonly closed: Promise<void>;
  readonly #client: Redis | Cluster;
  readonly #state: Omit<Connected, 'client'>;
  /** Commands without a reply yet. */
  #underWay = 0;
  #tap: EntryTap | undefined;

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
  static async open(target: Target, blockMs = 0): Promise<Connection> {
    return new Connection(await connect(target, blockMs));
  }

  /** Sends one command. Throws the failure of an error reply or of a lost connection. */
  async send(line: CommandLine, context?: Partial<CommandContext>): Promise<Reply> {
    const command = commandOf(line);
    this.#underWay++;
    try {
      this.#refuseLostNode(command);
      return (await this.#client.sendCommand(command)) as Reply;
    } catch (error) {
      throw this.#failure(error, line, context);
    } finally {
      this.#underWay--;
    }
  }

  /**
   * Sends XREADGROUP or XREAD of one stream: its entries undecoded, as they came.
   * An answer without any, and one in which ioredis had to find its way (in a
   * cluster, or behind other commands), comes as any other reply does. Throws as `send` does.
   */
  async sendRead(line: CommandLine, context?: Partial<CommandContext>): Promise<MarkedPage | Reply> {
    if (this.#underWay > 0 || this.#client instanceof Cluster) return this.send(line, context);
    this.#tap ??= new EntryTap(this.#client.stream as Socket);
    this.#tap.expect();
    const reply = await this.send(line, context);
    return typeof reply === 'number' ? this.#tap.entries() : reply;
  }

  /** Sends a command that has no key to every master: one reply each, one in all without a cluster. */
  async sendToMasters(line: CommandLine, masterIndex?: number): Promise<Reply[]> {
    const masters = this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
    const chosen = masterIndex === undefined ? masters : masters.slice(masterIndex, masterIndex + 1);
    this.#underWay++;
    try {
      if (this.#lostMaster || chosen.length === 0) throw new Error(LOST_NODE);
      return (await Promise.all(chosen.map((node) => node.sendCommand(commandOf(line))))) as Reply[];
    } catch (error) {
      throw this.#failure(error, line);
    } finally {
      this.#underWay--;
    }
  }

  /** The node of a cluster that serves `stream`, as `host:port`; '' where that is no question. */
  nodeOf(stream: string): string {
    return masterOf(this.#client, stream) ?? '';
  }

  get inCluster(): boolean {
    return this.#client instanceof Cluster;
  }

  /** Looks again which node of a cluster serves what; when none answers, what was known stays. */
  async refreshSlots(): Promise<void> {
    const client = this.#client;
    if (client instanceof Cluster) await new Promise<void>((resolve) => client.refreshSlotsCache(() => resolve()));
  }

  /** How many masters hold the data: 1 without a cluster. */
  get masterCount(): number {
    return this.#client instanceof Cluster ? this.#client.nodes('master').length : 1;
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
    return toFailure(error, {command: name.toUpperCase(), inCluster: this.inCluster, ...context}, this.#state.trouble);
  }
}

/** What ioredis says too. */
const LOST_NODE = 'Connection is closed.';

const commandOf = ([name, ...args]: CommandLine): Command => new Command(name, args, {replyEncoding: null});
