/**
 * Adds many records to one stream, from whatever source, across lost connections
 * and refusals that pass. Invariant: every record given to `add` is counted
 * exactly once when `finish` has returned, as added, already there, rejected or
 * unconfirmed.
 */
import {NOT_DURABLE, StreamlogError} from '../errors.js';
import {Retries, type RetryOptions} from '../retry-policy.js';
import type {Adder, AddRequest, Batch} from '../stream-client.js';
import {Condition} from '../waiting.js';
import {ConfirmedRecords, type ConfirmedRecordsOptions} from './confirmed-records.js';
import {IdOutput} from './id-output.js';
import type {Progress, WindowLimits} from './in-flight-window.js';
import {Reconnection} from './reconnection.js';
import {Sender} from './sender.js';

export interface ProducerOptions extends RetryOptions, ConfirmedRecordsOptions {
  stopping: AbortSignal;
  adder: Adder;
  /** One batch, about. */
  batch: WindowLimits;
  /** All that may be on its way. */
  window: WindowLimits;
  /** A server that is away at the start is waited for, as another one may take its place. */
  mayFailOver: boolean;
  /** Gets the lines of new IDs in the order of the records, except for records that were refused for a while. */
  onIds: (lines: Buffer) => Promise<void>;
  /** Redis will never take what these lines of the input hold; `failure` says why of the first. */
  onRejected?: ((lines: readonly number[], failure: StreamlogError) => void) | undefined;
  /** Called with how far the input is confirmed. */
  onConfirmed?: ((progress: Progress) => void) | undefined;
}

export interface ProduceCounts {
  added: number;
  /** Added by an earlier run of the same producer. */
  already: number;
  /** Refused by Redis for what they are: adding them again would fail again. */
  rejected: number;
  /** Sent without a reply, refused for now, or not as safe as they should be. */
  unconfirmed: number;
}

/** After a failure, how long replies are still waited for. */
const LAST_REPLIES_MS = 5_000;

export class Producer {
  readonly #options: ProducerOptions;
  readonly #adder: Adder;
  readonly #sender: Sender;
  readonly #confirmed: ConfirmedRecords;
  readonly #ids: IdOutput;
  readonly #retries: Retries;
  readonly #reconnection: Reconnection;
  readonly #closing = new AbortController();
  readonly #failing = new AbortController();
  #failure: unknown;
  #already = 0;
  #unsent = 0;
  #unconfirmed = 0;
  #isTrimmed = false;
  /** What `onConfirmed` was called with last. */
  #reported: Progress | undefined;
  readonly #condition = new Condition();
  /** Of the records for the next batch, and of each batch. */
  #lines: number[] = [];
  readonly #linesOf = new WeakMap<Batch, readonly number[]>();

  private constructor(options: ProducerOptions) {
    this.#options = options;
    this.#adder = options.adder;
    this.#retries = new Retries({...options, ended: this.#closing.signal});
    this.#confirmed = new ConfirmedRecords(options);
    this.#ids = new IdOutput(options.onIds, {
      onChange: () => this.#condition.notify(),
      onFailure: (error) => this.#fail(error),
    });
    const onChange = (): void => {
      this.#reportConfirmed();
      this.#condition.notify();
    };
    this.#sender = new Sender(options.adder, options.window, {
      added: (count, ids, lastId) => {
        if (lastId !== undefined) this.#confirmed.added(lastId, count);
        if (ids !== undefined) this.#ids.push(ids);
        if (count > 0) this.#retries.succeeded();
      },
      rejected: (batch, records, failure) => {
        const lines = this.#linesOf.get(batch);
        if (lines === undefined) return;
        options.onRejected?.(
          records.map((record) => lines[record]!),
          failure,
        );
      },
      confirmed: (sent) => this.#confirmed.push(sent),
      answered: onChange,
      interrupted: (cause) => void this.#reconnection.after(cause),
      failed: (failure) => this.#fail(failure),
      mayWait: ({message}) => {
        if (this.failed || this.#retries.areOver) return false;
        this.#retries.say(`${message}; waiting for them`);
        return true;
      },
    });
    this.#reconnection = new Reconnection({
      adder: options.adder,
      sender: this.#sender,
      confirmed: this.#confirmed,
      retries: this.#retries,
      isOver: () => this.failed || this.#closing.signal.aborted,
      onChange,
      onFailure: (error) => this.#fail(error),
      until: (isSo) => this.#until(isSo),
    });
  }

  /** Connects. Throws as `StreamClient.connect` does; what Redis refuses for now, as while it loads its data, is waited for. */
  static async start(options: ProducerOptions): Promise<Producer> {
    const producer = new Producer(options);
    try {
      await producer.#reconnection.connectFirst(options);
      return producer;
    } catch (error) {
      producer.close();
      throw error;
    }
  }

  /** True once something failed for good: nothing more will be added. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Aborted with the first failure, so that more input is not waited for in vain. */
  get failing(): AbortSignal {
    return this.#failing.signal;
  }

  get counts(): ProduceCounts {
    const {added, rejected} = this.#sender;
    const {lost} = this.#reconnection;
    return {
      added: added - lost,
      already: this.#already,
      rejected: rejected + this.#unsent,
      unconfirmed: this.#unconfirmed + lost,
    };
  }

  /** Records that are not confirmed. */
  get open(): number {
    return this.#sender.open;
  }

  /** Records that were sent again although they may have been added. */
  get maybeTwice(): number {
    return this.#sender.maybeTwice;
  }

  /** Records that were confirmed, taken back by a failover, and sent again. */
  get again(): number {
    return this.#reconnection.again;
  }

  /** Records that were added behind later ones, since Redis had refused them for a while. */
  get late(): number {
    return this.#sender.late;
  }

  /** A record of more fields goes without others: a flush is due before it, and behind it; undefined where none does. */
  get mostFieldsTogether(): number | undefined {
    return this.#adder.accumulator.mostFieldsTogether;
  }

  /** Takes one record, which `line` of the input holds; true when a batch is full and `flush` is due. Throws `data` when that is more than a batch can hold. */
  add(request: AddRequest, line = 0): boolean {
    const {accumulator} = this.#adder;
    const {records, bytes} = this.#options.batch;
    if (accumulator.add(request)) this.#lines.push(line);
    else this.#already++;
    return accumulator.records >= records || accumulator.byteLength >= bytes;
  }

  /** Sends the records so far, up to `end` of the input, once the window has room for them, which is what holds the input back. */
  async flush(end: Progress): Promise<void> {
    if (this.#adder.accumulator.records > 0) {
      const batch = this.#adder.take();
      this.#linesOf.set(batch, this.#lines);
      this.#lines = [];
      if (!this.#isTrimmed) await this.#adder.trimInSteps();
      this.#isTrimmed = true;
      await this.#until(() => this.#sender.hasRoomFor(batch) && !this.#ids.isFull);
      this.#sender.push(batch, end);
    } else this.#sender.pass(end);
    this.#reportConfirmed();
  }

  /** Resolves when all that was flushed is confirmed, or something failed for good. */
  settled(): Promise<void> {
    return this.#until(() => this.#sender.isDone);
  }

  /** Waits for every reply. Throws the first failure; `counts` are final either way. */
  async finish(): Promise<void> {
    await this.settled();
    if (this.counts.added > 0) await this.#reconnection.confirmedByMaster();
    if (this.failed) await this.#lastReplies();
    await this.#ids.taken;
    await this.#reconnection.lossReported;
    this.#unconfirmed = this.#sender.open;
    // What never left is not uncertain: none of it was added.
    this.#unsent = this.#adder.accumulator.records;
    await this.#adder.leave();
    this.close();
    if (this.failed) throw this.#failure;
  }

  close(): void {
    this.#closing.abort();
    this.#adder.close();
  }

  /** What is in flight is still answered, so that it is counted for what it became; but not for ever. */
  async #lastReplies(): Promise<void> {
    // After a WAIT that was in vain, each of the others takes as long.
    const isInVain = this.#failure instanceof StreamlogError && this.#failure.code === NOT_DURABLE;
    const limit = setTimeout(() => this.#adder.giveUpReplies(), isInVain ? 0 : LAST_REPLIES_MS);
    while (this.#sender.inFlight > 0) await this.#condition.wait();
    clearTimeout(limit);
  }

  #reportConfirmed(): void {
    const {confirmed} = this.#sender;
    if (confirmed === undefined || confirmed === this.#reported) return;
    this.#reported = confirmed;
    this.#options.onConfirmed?.(confirmed);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#sender.stop();
    this.#failing.abort();
    this.#condition.notify();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && !this.failed) await this.#condition.wait();
  }
}
