/**
 * Adds records to one stream, in batches, over one connection at a time: opens
 * it, asks what has to be known, sends, and reads the replies. Whether a batch is
 * sent again on the next connection is for the caller to decide. Invariant: what
 * batches report is about the connection that they were sent on last.
 */
import type {StreamlogError} from '../errors.js';
import {type Accumulator, PlainAccumulator} from './accumulator.js';
import type {AddConnection} from './add-connection.js';
import type {Trim} from './args.js';
import type {Batch, BatchContext, BatchEvents} from './batch.js';
import {call, trimStep} from './command-batch.js';
import type {Standing} from './connect.js';
import {checkDurability, type Durability} from './durability.js';
import {IdLines} from './id-lines.js';
import {IdempotentAccumulator, type IdempotentProducer} from './idempotent-accumulator.js';
import {PendingDurability} from './pending-durability.js';
import {askedTo} from './server-errors.js';

export interface AdderOptions {
  /** Adds each record of this producer once (docs/adr/0007); undefined adds each at least once. */
  idempotent?: IdempotentProducer | undefined;
  durability?: Durability | undefined;
  /** What stands around each new ID in the lines that are reported of them; undefined when they are not wanted. */
  idLine?: {readonly before: string; readonly after: string} | undefined;
  /** How each record is trimmed behind: of what is there at the start, most goes in steps. */
  trim?: Trim | undefined;
}

export interface AdderEvents extends BatchEvents {
  /** The connection ended by itself; what is in flight has no reply. */
  lost(failure: StreamlogError): void;
  /** Whether there is time left to wait for the durability of what was added. */
  mayWait(failure: StreamlogError): boolean;
}

/** Connects to where the stream is; `node` is the one that its slot is moving to, where known. */
export type Connect = (node?: string) => Promise<AddConnection>;

export class Adder {
  /** Encodes the records for the next batch. */
  readonly accumulator: Accumulator;
  /** The same where each record is added once, and what is known of its producer. */
  readonly idempotent: IdempotentAccumulator | undefined;
  readonly #connect: Connect;
  readonly #options: AdderOptions;
  readonly #stream: string;
  #context!: BatchContext;
  #events!: AdderEvents;
  #connection: AddConnection | undefined;
  #connections = 0;
  #isClosed = false;

  constructor(stream: string, connect: Connect, options: AdderOptions) {
    const {idempotent, idLine} = options;
    this.#stream = stream;
    this.#connect = connect;
    this.#options = options;
    this.idempotent = idempotent && new IdempotentAccumulator(stream, idempotent, idLine !== undefined);
    this.accumulator = this.idempotent ?? new PlainAccumulator(stream);
  }

  /** Sets who gets the events; before the first connection. */
  listen(events: AdderEvents): void {
    const {durability, idLine} = this.#options;
    const newIdLines = idLine && (() => new IdLines(idLine.before, idLine.after));
    const pending = durability && new PendingDurability(durability, (failure) => events.mayWait(failure));
    this.#events = events;
    this.#context = {stream: this.#stream, events, newIdLines, durability, pending};
  }

  /** How many times it has connected: another number is another connection. */
  get connections(): number {
    return this.#connections;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Connects anew; `after` is why the last connection was given up. Throws as `StreamClient.connect` does. */
  async connect(after?: StreamlogError): Promise<void> {
    const connection = await this.#connect(askedTo(after));
    try {
      await this.accumulator.begin(connection);
      await checkDurability(connection, this.#options.durability);
    } catch (error) {
      connection.close();
      throw error;
    }
    if (this.#isClosed) return connection.close();
    this.#connection = connection;
    this.#connections++;
    void connection.closed.then((failure) => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      this.#events.lost(failure);
    });
  }

  /** Ends the connection; no loss is reported. */
  disconnect(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Ends the connection as if the server had: what is in flight is lost. */
  giveUpReplies(): void {
    this.#connection?.close();
  }

  /** The same for good, one that is being opened included. */
  close(): void {
    this.#isClosed = true;
    this.disconnect();
  }

  /** The records so far as a batch; there must be one. */
  take(): Batch {
    return this.accumulator.take(this.#context);
  }

  /** While connected. */
  send(batch: Batch): void {
    batch.send(this.#connection!);
  }

  /**
   * An XADD that trims exactly holds Redis for as long as all that goes, 15 ms for a million entries; XTRIM with LIMIT
   * (redis.io/docs/latest/commands/xtrim) does not, and leaves less than a node.
   */
  async trimInSteps(): Promise<void> {
    const {trim} = this.#options;
    const connection = this.#connection;
    if (trim === undefined || trim.approximate || connection === undefined) return;
    const step = trimStep(this.#stream, trim);
    // What goes wrong here goes wrong with the first record too, which is where it is reported.
    while (((await call(connection, step).catch(() => 0)) ?? 0) > 0);
  }

  /** Whether the server is the master, as all sentinels say when they are asked once; `ended` without a connection. */
  async standing(): Promise<Standing> {
    return (await this.#connection?.standing()) ?? 'ended';
  }

  /** Removes what the server keeps for this run only. */
  async leave(): Promise<void> {
    if (this.#connection !== undefined) await this.accumulator.leave(this.#connection);
  }
}
