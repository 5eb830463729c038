/**
 * Many records into one stream: batches on their way together, replayed in
 * order after a lost connection or a refusal that passes. Knows nothing of
 * where records come from. Invariant: every record that was given to `add` is
 * counted exactly once when `finish` has returned, as added, already there,
 * rejected or unconfirmed, so that nobody has to guess what is in the stream.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../errors.js';
import {START} from '../input/input-page.js';
import {ConfirmedIds} from '../records/confirmed-ids.js';
import type {EntryFields} from '../records/raw-fields.js';
import {
  type AddConnection,
  type AddOptions,
  askedTo,
  call,
  type Durability,
  type StreamClient,
  type Trim,
  trimStep,
} from '../stream-client.js';
import type {Accumulator} from '../redis/accumulator.js';
import {type Batch, type BatchContext, isRetryable, type Progress} from '../redis/batch.js';
import {askDurability} from '../redis/durable-reply.js';
import {HeldBatches, type HoldLimits} from './held-batches.js';
import type {IdLines} from '../redis/id-lines.js';
import {IdOutput} from './id-output.js';
import {IdempotentBatch} from '../redis/idempotent-batch.js';
import {InFlightWindow, type WindowLimits} from './in-flight-window.js';
import {PendingDurability} from '../redis/pending-durability.js';
import {Retries, type RetryOptions} from '../retry-policy.js';

export interface ProducerOptions extends RetryOptions {
  /** How records become batches, and batches reach the server. */
  accumulator: Accumulator;
  stream: string;
  /** How each record is trimmed behind: of what is there at the start, most goes in steps. */
  trim?: Trim | undefined;
  /** One batch, about. */
  batch: WindowLimits;
  /** All that may be on its way. */
  window: WindowLimits;
  durability?: Durability | undefined;
  /** A server that is away at the start is waited for, as another one may take its place. */
  mayFailOver: boolean;
  /** What is kept of confirmed records, to be added again where a failover took them back. */
  hold: HoldLimits;
  /** Asked on a client of its own what a server has that we came to after a lost connection; closed afterwards. */
  inspect: () => Promise<StreamClient>;
  /** Where the lines of new IDs are made; undefined when nobody wants them. */
  newIdLines?: (() => IdLines) | undefined;
  /** Gets those lines in the order of the records, except for records that were refused for a while. */
  onIds: (lines: Buffer) => Promise<void>;
  /** Redis will never take what these lines of the input hold; `failure` says why of the first. */
  onRejected?: ((lines: readonly number[], failure: StreamlogError) => void) | undefined;
  /** The input is confirmed up to there. */
  onConfirmed?: ((progress: Progress) => void) | undefined;
}

export interface ProduceCounts {
  added: number;
  /** Added by an earlier run of the same producer. */
  already: number;
  /** Refused by Redis for what they are: adding them again would fail again. */
  rejected: number;
  /** Sent without an answer, refused for now, or not as safe as they should be. */
  unconfirmed: number;
}

/** Not to be mended by trying again: the records are not here any more. */
const RECORDS_LOST = 'RECORDS_LOST';
/** After a failure, how long replies are still waited for. */
const LAST_REPLIES_MS = 5_000;
/** How often the sentinels are asked for the outcome of a failover. */
const FAILOVER_LOOK_MS = 100;

export class Producer {
  readonly counts: ProduceCounts = {added: 0, already: 0, rejected: 0, unconfirmed: 0};
  /** Records that were sent again without knowing whether they had been added. */
  maybeTwice = 0;
  /** Records that were added behind later ones, since Redis had refused them for a while. */
  late = 0;
  /** Records that were confirmed, taken back by a failover, and sent again. */
  again = 0;
  readonly #options: ProducerOptions;
  readonly #window: InFlightWindow;
  readonly #context: BatchContext;
  readonly #over = new AbortController();
  readonly #failing = new AbortController();
  readonly #retries: Retries;
  readonly #ids: IdOutput;
  readonly #held: HeldBatches;
  readonly #confirmedIds = new ConfirmedIds();
  #connection: AddConnection | undefined;
  /** A batch in flight whose answer has to come before others are sent. */
  #barrier: Batch | undefined;
  /** Batches in flight. */
  #inFlight = 0;
  /** Why what is open has to be sent again, once all that is in flight is answered. */
  #problem: StreamlogError | undefined;
  /** Something was added behind what has to be sent again. */
  #overtaken = false;
  /** Records to be sent again that may be in the stream. */
  #uncertain = 0;
  #failure: unknown;
  /** Whether what was lost has been told. */
  #telling: Promise<void> | undefined;
  /** The place that `onConfirmed` was told last. */
  #reported: Progress | undefined;
  #isTrimmed = false;
  /** All is confirmed, and it is to be made sure that it was the master who did. */
  #isEnding = false;
  #waiters: (() => void)[] = [];
  /** Of the records that gather for the next batch, and of each batch. */
  #lines: number[] = [];
  readonly #linesOf = new WeakMap<Batch, readonly number[]>();

  private constructor(options: ProducerOptions) {
    this.#options = options;
    this.#window = new InFlightWindow(options.window);
    this.#held = new HeldBatches(options.hold);
    this.#retries = new Retries({...options, ended: this.#over.signal});
    this.#ids = new IdOutput(options.onIds, {
      onChange: () => this.#changed(),
      onFailure: (error) => this.#fail(error),
    });
    const {durability} = options;
    this.#context = {
      stream: options.stream,
      newIdLines: options.newIdLines,
      durability,
      pending: durability && new PendingDurability(durability, (failure) => this.#mayWait(failure)),
      events: {
        added: (count, ids, lastId) => this.#added(count, ids, lastId),
        rejected: (batch, records, failure) => {
          this.counts.rejected += records.length;
          const lines = this.#linesOf.get(batch);
          if (lines !== undefined)
            options.onRejected?.(
              records.map((record) => lines[record]!),
              failure,
            );
          this.#fail(failure);
        },
        overtaken: () => {
          this.#overtaken = true;
        },
        answered: (batch, failure) => this.#answered(batch, failure),
        uncertain: (count) => {
          this.#uncertain += count;
        },
      },
    };
  }

  /** Connects. Throws as `StreamClient.connect` does; what Redis refuses for now, as while it loads its data, is waited for. */
  static async start(options: ProducerOptions): Promise<Producer> {
    const producer = new Producer(options);
    for (;;) {
      try {
        producer.#adopt(await unless(options.stopping, producer.#open()));
        producer.#held.startBehind(options.accumulator.confirmedByServer ?? 0);
        return producer;
      } catch (error) {
        const passes =
          error instanceof StreamlogError &&
          (error.kind === 'temporary' || (options.mayFailOver && error.kind === 'unreachable'));
        if (!passes || options.stopping.aborted || producer.#retries.areOver) throw error;
        await producer.#retries.pause(error);
      }
    }
  }

  /** True once something failed for good: nothing more will be added. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Aborted with the first failure, so that nobody waits for more input in vain. */
  get failing(): AbortSignal {
    return this.#failing.signal;
  }

  /** A record of more fields goes without others: a flush is due before it, and behind it; undefined where none does. */
  get mostFieldsTogether(): number | undefined {
    return this.#options.accumulator.mostFieldsTogether;
  }

  /** Takes one record, which `line` of the input holds; true when a batch is full and `flush` is due. Throws `data` when that is more than a batch can hold. */
  add(fields: EntryFields, options: AddOptions, id: string, line = 0): boolean {
    const {accumulator, batch} = this.#options;
    if (accumulator.add(fields, options, id)) this.#lines.push(line);
    else this.counts.already++;
    return accumulator.records >= batch.records || accumulator.byteLength >= batch.bytes;
  }

  /** Sends what has gathered, up to `end` of the input, once the window has room for it, which is what holds the input back. */
  async flush(end: Progress = {place: START, records: 0}): Promise<void> {
    const {accumulator} = this.#options;
    if (accumulator.records > 0) {
      const batch = accumulator.take(this.#context, end);
      this.#linesOf.set(batch, this.#lines);
      this.#lines = [];
      if (!this.#isTrimmed) await this.#trimInSteps();
      await this.#until(() => this.#window.hasRoomFor(batch) && !this.#ids.isFull);
      this.#window.push(batch);
    } else this.#window.pass(end);
    this.#tellConfirmed();
    this.#pump();
  }

  /**
   * An XADD that trims exactly holds Redis for as long as all that goes, 15 ms for
   * a million entries; XTRIM with LIMIT does not, and leaves less than a node.
   */
  async #trimInSteps(): Promise<void> {
    this.#isTrimmed = true;
    const {trim, stream} = this.#options;
    const connection = this.#connection;
    if (trim === undefined || trim.approximate || connection === undefined) return;
    const step = trimStep(stream, trim);
    // What goes wrong here goes wrong with the first record too, which is where it is said.
    while (((await call(connection, step).catch(() => 0)) ?? 0) > 0);
  }

  /** Waits for every answer. Throws the first failure; `counts` are final either way. */
  async finish(): Promise<void> {
    await this.#until(() => this.#window.empty);
    await this.#confirmedByMaster();
    if (this.failed) await this.#lastAnswers();
    await this.#ids.taken;
    await this.#telling;
    this.counts.unconfirmed += this.#window.open;
    // What never left is no question: none of it was added.
    this.counts.rejected += this.#options.accumulator.records;
    if (this.#connection !== undefined) await this.#options.accumulator.leave(this.#connection);
    this.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Nothing tells of a failover sooner than its sentinels, and what the old master confirmed meanwhile is lost: so
   * they are asked before success is reported (docs/adr/0008). What they name is gone to as after a lost connection.
   */
  async #confirmedByMaster(): Promise<void> {
    this.#isEnding = true;
    while (!this.failed && this.counts.added > 0) {
      await this.#until(() => this.#connection !== undefined && this.#window.empty);
      const connection = this.#connection;
      const standing = await connection?.standing();
      if (standing === 'master') return;
      if (standing === 'ended') await this.#until(() => this.#connection !== connection);
      else if (standing === 'changing') await this.#untilChanged();
    }
  }

  async #untilChanged(): Promise<void> {
    if (this.#retries.areOver) return this.#fail(failoverLasts());
    this.#retries.say('a failover is under way; waiting for its outcome');
    await sleep(FAILOVER_LOOK_MS);
  }

  /** What is in flight is still answered, so that it can be counted for what it became; but not for ever. */
  async #lastAnswers(): Promise<void> {
    // Behind a WAIT that was in vain, each of the others takes as long.
    const isInVain = this.#failure instanceof StreamlogError && this.#failure.code === 'NOT_DURABLE';
    const limit = setTimeout(() => this.#connection?.close(), isInVain ? 0 : LAST_REPLIES_MS);
    while (this.#inFlight > 0) await this.#change();
    clearTimeout(limit);
  }

  close(): void {
    this.#over.abort();
    this.#connection?.close();
  }

  async #open(ask?: string): Promise<AddConnection> {
    const {accumulator, durability} = this.#options;
    const connection = await accumulator.open(ask);
    try {
      await askDurability(connection, durability);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #adopt(connection: AddConnection): void {
    this.#connection = connection;
    void connection.closed.then((failure) => {
      if (this.#connection === connection) void this.#recover(failure);
    });
  }

  #pump(): void {
    if (this.#connection === undefined || this.#problem !== undefined || this.failed) return;
    this.maybeTwice += this.#uncertain;
    this.#uncertain = 0;
    while (this.#barrier === undefined) {
      const batch = this.#window.next();
      if (batch === undefined) return;
      this.#inFlight++;
      if (batch.isBarrier) this.#barrier = batch;
      batch.send(this.#connection);
    }
  }

  #added(count: number, ids: Buffer | undefined, lastId: string | undefined): void {
    this.counts.added += count;
    if (lastId !== undefined) this.#confirmedIds.push(lastId, count);
    if (ids !== undefined) this.#ids.push(ids);
    if (count === 0) return;
    this.#retries.succeeded();
    if (this.#problem !== undefined) this.#overtaken = true;
  }

  #answered(batch: Batch, failure: StreamlogError | undefined): void {
    this.#inFlight--;
    if (this.#barrier === batch) this.#barrier = undefined;
    if (failure !== undefined) this.#refused(batch, failure);
    if (batch.open === 0) {
      this.#window.remove(batch);
      if (failure === undefined && batch instanceof IdempotentBatch) this.#held.push(batch);
    }
    this.#tellConfirmed();
    if (this.#problem !== undefined && this.#inFlight === 0) void this.#recover(this.#problem);
    else if (batch.isBarrier) this.#pump();
    this.#changed();
  }

  /** Too few replicas are waited for like anything else that passes. */
  #mayWait({message}: StreamlogError): boolean {
    if (this.failed || this.#retries.areOver) return false;
    this.#retries.say(`${message}; waiting for them`);
    return true;
  }

  /** Nothing is confirmed behind a record that was rejected: once the cause is mended, it can be added still. */
  #tellConfirmed(): void {
    const {confirmed} = this.#window;
    if (confirmed === undefined || confirmed === this.#reported || this.counts.rejected > 0) return;
    this.#reported = confirmed;
    this.#options.onConfirmed?.(confirmed);
  }

  #refused(batch: Batch, failure: StreamlogError): void {
    if (batch instanceof IdempotentBatch && batch.foundGap) {
      // Behind a batch that has to be sent again it is no surprise.
      if (this.#problem === undefined && this.#window.oldest === batch) this.#fail(goneBack(batch));
    } else if (!isRetryable(failure)) {
      this.#fail(failure);
    } else {
      this.#problem ??= failure;
    }
  }

  /** From a lost connection or a refusal to a new connection on which all that is open is sent again. */
  async #recover(cause: StreamlogError): Promise<void> {
    let failure: unknown = cause;
    this.#connection?.close();
    this.#connection = undefined;
    this.#inFlight = 0;
    this.#barrier = undefined;
    const sent = this.#window.rewind();
    if (this.#overtaken) this.late += sent;
    this.#problem = undefined;
    this.#overtaken = false;
    this.#tellConfirmed();
    while (!this.failed && !this.#over.signal.aborted) {
      if (!(failure instanceof StreamlogError) || !isRetryable(failure)) return this.#fail(failure);
      // Only what waits to be added can have waited for too long.
      if ((!this.#window.empty || this.#isEnding) && this.#retries.areOver)
        return this.#fail(this.#window.empty ? newMasterAway(failure) : failure);
      await this.#retries.pause(failure);
      if (this.#over.signal.aborted) return;
      try {
        const connection = await this.#open(askedTo(failure));
        if (this.#over.signal.aborted) return connection.close();
        this.#adopt(connection);
        this.#addAgain();
        this.#telling = this.#tellLost();
        this.#pump();
        return this.#changed();
      } catch (error) {
        failure = error;
      }
    }
    this.#changed();
  }

  /** What the server lacks of what was confirmed goes first. Fails where that is not held any more. */
  #addAgain(): void {
    const {confirmed} = this.#held;
    const has = this.#options.accumulator.confirmedByServer ?? confirmed;
    if (has >= confirmed) return;
    const batches = this.#held.takeAfter(has);
    if (batches === undefined) {
      const lost = Math.min(confirmed - has, this.counts.added);
      this.counts.added -= lost;
      this.counts.unconfirmed += lost;
      this.#fail(recordsLost(has + 1, confirmed));
      return;
    }
    for (const batch of batches) this.again += batch.reopen(has);
    this.#window.restore(batches);
    this.#retries.say(
      `the server has not got records ${has + 1} to ${confirmed}, which were confirmed, as after a failover; adding them again`,
    );
  }

  /** Without numbers, what was lost can only be told. */
  async #tellLost(): Promise<void> {
    const {inspect, stream, onProblem, accumulator} = this.#options;
    const confirmed = this.#confirmedIds.take();
    if (accumulator.confirmedByServer !== undefined || confirmed.length === 0) return;
    let client: StreamClient | undefined;
    try {
      client = await inspect();
      const lost = await this.#confirmedIds.findLost(client, stream, confirmed);
      if (lost === undefined) return;
      onProblem(
        `up to ${lost.count} records that were confirmed are lost, as by a failover: the stream has none of the IDs after ` +
          `${lost.after} up to ${lost.upTo}; --exactly-once adds them again`,
      );
    } catch {
      // Who may only add cannot know.
    } finally {
      client?.close();
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#failing.abort();
    this.#changed();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && !this.failed) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

/** Whoever is asked to stop before there is a connection has nothing to finish. */
function unless(stopping: AbortSignal, opening: Promise<AddConnection>): Promise<AddConnection> {
  return new Promise((resolve, reject) => {
    const stop = (): void =>
      reject(new StreamlogError('temporary', 'stopped while connecting to Redis: nothing was added'));
    if (stopping.aborted) stop();
    stopping.addEventListener('abort', stop, {once: true});
    void opening.then(resolve, reject).finally(() => stopping.removeEventListener('abort', stop));
  });
}

/** On a connection that was not lost: it was no failover, but somebody who deleted data, and may want it to be gone. */
const goneBack = ({first, mark: lastSequence}: IdempotentBatch): StreamlogError =>
  new StreamlogError(
    'incomplete',
    lastSequence === 0
      ? `what Redis knew of this producer is gone, though ${first - 1} records were confirmed: it was deleted, ` +
          'perhaps with the stream, or dropped for want of memory'
      : `the stream has only ${lastSequence} records of this producer, where ${first - 1} were confirmed: the others are lost`,
    {hint: 'with --resume, running again adds what is missing'},
  );

const RUN_AGAIN = 'with --resume or --producer-id, run the same again: what is missing is added';

const failoverLasts = (): StreamlogError =>
  new StreamlogError('temporary', 'all records were confirmed, during a failover whose outcome is not known', {
    hint: RUN_AGAIN,
  });

const newMasterAway = ({message, code}: StreamlogError): StreamlogError =>
  new StreamlogError('temporary', `all records were confirmed, by a server that is lost: ${message}`, {
    code,
    hint: RUN_AGAIN,
  });

const recordsLost = (first: number, last: number): StreamlogError =>
  new StreamlogError(
    'temporary',
    `the server has lost records ${first} to ${last} of this producer, which were confirmed, and more than --hold keeps`,
    {
      code: RECORDS_LOST,
      hint: 'a failover, or data that was deleted; with --resume or --producer-id, run the same again',
    },
  );
