/**
 * The way to a stream that adds each record once. Records of a producer are
 * numbered from 1 in the order of its input, in this run and in those before
 * it. Invariant: what the stream has of this producer is not sent.
 */
import {StreamlogError} from '../errors.js';
import type {EntryFields} from '../records/raw-fields.js';
import {
  type AddConnection,
  type AddOptions,
  call,
  callText,
  commandBatch,
  evictionWarning,
  FORGOTTEN,
  GONE,
  IdempotentEncoder,
  loadScript,
  MEMORY_COMMAND,
  type ProducerState,
  readSequence,
  refreshTtl,
  removeState,
} from '../stream-client.js';
import type {Accumulator} from './accumulator.js';
import type {Batch, BatchContext, Progress} from './batch.js';
import {IdempotentBatch, producerForgotten, scriptForbidden, streamGone} from './idempotent-batch.js';

/** All of `--atomic` is one script, during which Redis does nothing else. */
const ATOMIC_RECORDS = 100_000;
const ATOMIC_BYTES = 64 * 1024 ** 2;
/** A day. */
const TOUCH_MS = 86_400_000;

export class IdempotentAccumulator implements Accumulator {
  readonly #stream: string;
  readonly #state: ProducerState;
  readonly #isLasting: boolean;
  readonly #connect: (ask?: string) => Promise<AddConnection>;
  readonly #encoder: IdempotentEncoder;
  /** Batches whose IDs the server may still keep, oldest first. */
  readonly #batches: IdempotentBatch[] = [];
  /** The number of the last record that was given to `add`. */
  #number = 0;
  /** The number of the last record that was in the stream when we connected first; undefined without a fence. */
  #lastSequence: number | undefined;
  #confirmedByServer = 0;
  /** The last record that is known to be in the stream: its number, 0 for one of an earlier run, and its ID. */
  #last: {readonly lastSequence: number; readonly id: string} | undefined;
  #isForgotten = false;
  #isOpened = false;
  #warning: string | undefined;

  /** `isLasting`: a later run may be of the same producer. `lastId`: that of a record which an earlier run has added. */
  constructor(
    stream: string,
    state: ProducerState,
    isLasting: boolean,
    connect: (ask?: string) => Promise<AddConnection>,
    lastId?: string,
  ) {
    this.#last = lastId === undefined ? undefined : {lastSequence: 0, id: lastId};
    this.#stream = stream;
    this.#state = state;
    this.#isLasting = isLasting;
    this.#connect = connect;
    this.#encoder = new IdempotentEncoder(stream, state);
  }

  get records(): number {
    return this.#encoder.records;
  }

  get byteLength(): number {
    return this.#encoder.byteLength;
  }

  /** How many records of this producer were in the stream when we connected first; undefined when none ever was, as far as Redis knows. */
  get mark(): number | undefined {
    return this.#lastSequence;
  }

  get confirmedByServer(): number {
    return this.#confirmedByServer;
  }

  /** Whether the server knew nothing of this producer when we connected first, though its stream has what an earlier run added. */
  get isForgotten(): boolean {
    return this.#isForgotten;
  }

  /** The ID of the last record that is known to be in the stream. */
  get lastId(): string | undefined {
    return this.#last?.id;
  }

  /** What the user should know about this server; undefined for most. */
  get warning(): string | undefined {
    return this.#warning;
  }

  async open(node?: string): Promise<AddConnection> {
    const connection = await this.#connect(node);
    try {
      const hello = this.#isOpened
        ? loadScript(this.#stream, this.#state.key, this.lastId)
        : readSequence(this.#stream, this.#state, this.lastId);
      const answer = await call(connection, hello);
      if (answer === FORGOTTEN && this.#isOpened) throw producerForgotten(this.#last!.lastSequence);
      this.#isForgotten = answer === FORGOTTEN;
      const lastSequence = this.#isForgotten ? undefined : answer;
      if (!this.#isOpened) this.#lastSequence = lastSequence;
      if (lastSequence === GONE) throw streamGone(this.#stream);
      this.#confirmedByServer = lastSequence ?? 0;
      if (!this.#isOpened && this.#isLasting) this.#warning = await evictionOf(connection);
      this.#isOpened = true;
      this.#keepAlive(connection);
      return connection;
    } catch (error) {
      connection.close();
      throw aboutFence(error, this.#state.key);
    }
  }

  /** An input may pause for longer than an unused fence stays. */
  #keepAlive(connection: AddConnection): void {
    const touching = setInterval(() => void call(connection, refreshTtl(this.#state)).catch(() => {}), TOUCH_MS);
    touching.unref();
    void connection.closed.then(() => clearInterval(touching));
  }

  /**
   * Takes the fence away when nobody will need it again, or else what only this
   * run needed of it. Nothing is lost when that cannot be done: it expires.
   */
  async leave(connection: AddConnection): Promise<void> {
    const end = this.#isLasting ? readSequence(this.#stream, this.#state) : removeState(this.#state.key);
    await call(connection, end).catch(() => {});
  }

  /** So many records of this producer come before the first one that is given to `add`; below 0, so many of others. */
  startBehind(records: number): void {
    this.#number = records;
  }

  /** A transaction is all or nothing, so that only --atomic has others beside what needs one. */
  get mostFieldsTogether(): number | undefined {
    return this.#state.atomic ? undefined : IdempotentEncoder.mostFields;
  }

  add(fields: EntryFields, options: AddOptions, id: string): boolean {
    if (++this.#number <= (this.#lastSequence ?? 0)) return false;
    this.#encoder.add(fields, options, id);
    if (this.#state.atomic && (this.records > ATOMIC_RECORDS || this.byteLength > ATOMIC_BYTES)) throw tooMuch();
    return true;
  }

  take(context: BatchContext, end: Progress): Batch {
    const known = this.#batches[0]?.open === 0 ? this.#batches.shift() : undefined;
    const call = this.#encoder.take(this.#number - this.#encoder.records + 1, known?.first);
    const batch = new IdempotentBatch(call, context, end, (mark, id) => {
      if (mark >= (this.#last?.lastSequence ?? 0)) this.#last = {lastSequence: mark, id};
    });
    if (this.#state.wantsIds) this.#batches.push(batch);
    return batch;
  }
}

/** Whoever may not ask is not warned. */
async function evictionOf(connection: AddConnection): Promise<string | undefined> {
  const info = await callText(connection, commandBatch(MEMORY_COMMAND)).catch(() => undefined);
  return info && evictionWarning(info, 'what --exactly-once knows of earlier runs');
}

const tooMuch = (): StreamlogError =>
  new StreamlogError(
    'data',
    `--atomic takes at most ${ATOMIC_RECORDS.toLocaleString('en')} records and 64MB; nothing was added`,
    {
      hint: 'leave --atomic out; --exactly-once --resume adds a file of any size, once',
    },
  );

/** A failure that is about the fence, where it would seem to be about the stream. */
function aboutFence(failure: unknown, key: string): unknown {
  if (!(failure instanceof StreamlogError)) return failure;
  if (failure.code === 'NOPERM') return scriptForbidden(failure);
  if (failure.code !== 'WRONGTYPE') return failure;
  return new StreamlogError('data', `"${key}" does not say how far a producer has come, but holds something else`, {
    code: failure.code,
    hint: 'give another --producer-id',
  });
}
