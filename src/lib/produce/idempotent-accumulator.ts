/**
 * The way to a stream that adds each record once. Records of a producer are
 * numbered from 1 in the order of its input, in this run and in those before
 * it. Invariant: what the stream has of this producer is not sent.
 */
import {StreamlogError} from '../errors.js';
import type {EntryFields} from '../records/raw-fields.js';
import {
  type AddOptions,
  ask,
  askText,
  evictionWarning,
  type Fence,
  FencedEncoder,
  FORGOTTEN,
  GONE,
  greetFence,
  MEMORY_COMMAND,
  question,
  removeFence,
  resumeFence,
  touchFence,
  type Wire,
} from '../stream-client.js';
import type {Lane} from './accumulator.js';
import type {Batch, BatchContext, Progress} from './batch.js';
import {FencedBatch, fenceForbidden, producerForgotten, streamGone} from './idempotent-batch.js';

/** All of `--atomic` is one script, during which Redis does nothing else. */
const ATOMIC_RECORDS = 100_000;
const ATOMIC_BYTES = 64 * 1024 ** 2;
/** A day. */
const TOUCH_MS = 86_400_000;

export class FencedLane implements Lane {
  readonly #stream: string;
  readonly #fence: Fence;
  readonly #isLasting: boolean;
  readonly #connect: (ask?: string) => Promise<Wire>;
  readonly #encoder: FencedEncoder;
  /** Batches whose IDs the server may still keep, oldest first. */
  readonly #batches: FencedBatch[] = [];
  /** The number of the last record that was given to `add`. */
  #number = 0;
  /** The number of the last record that was in the stream when we connected first; undefined without a fence. */
  #mark: number | undefined;
  #confirmedByServer = 0;
  /** The last record that is known to be in the stream: its number, 0 for one of an earlier run, and its ID. */
  #last: {readonly mark: number; readonly id: string} | undefined;
  #isForgotten = false;
  #isOpened = false;
  #warning: string | undefined;

  /** `isLasting`: a later run may be of the same producer. `lastId`: that of a record which an earlier run has added. */
  constructor(
    stream: string,
    fence: Fence,
    isLasting: boolean,
    connect: (ask?: string) => Promise<Wire>,
    lastId?: string,
  ) {
    this.#last = lastId === undefined ? undefined : {mark: 0, id: lastId};
    this.#stream = stream;
    this.#fence = fence;
    this.#isLasting = isLasting;
    this.#connect = connect;
    this.#encoder = new FencedEncoder(stream, fence);
  }

  get records(): number {
    return this.#encoder.records;
  }

  get byteLength(): number {
    return this.#encoder.byteLength;
  }

  /** How many records of this producer were in the stream when we connected first; undefined when none ever was, as far as Redis knows. */
  get mark(): number | undefined {
    return this.#mark;
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

  async open(node?: string): Promise<Wire> {
    const wire = await this.#connect(node);
    try {
      const hello = this.#isOpened
        ? greetFence(this.#stream, this.#fence.key, this.lastId)
        : resumeFence(this.#stream, this.#fence, this.lastId);
      const answer = await ask(wire, hello);
      if (answer === FORGOTTEN && this.#isOpened) throw producerForgotten(this.#last!.mark);
      this.#isForgotten = answer === FORGOTTEN;
      const mark = this.#isForgotten ? undefined : answer;
      if (!this.#isOpened) this.#mark = mark;
      if (mark === GONE) throw streamGone(this.#stream);
      this.#confirmedByServer = mark ?? 0;
      if (!this.#isOpened && this.#isLasting) this.#warning = await evictionOf(wire);
      this.#isOpened = true;
      this.#keepAlive(wire);
      return wire;
    } catch (error) {
      wire.close();
      throw aboutFence(error, this.#fence.key);
    }
  }

  /** An input may pause for longer than an unused fence stays. */
  #keepAlive(wire: Wire): void {
    const touching = setInterval(() => void ask(wire, touchFence(this.#fence)).catch(() => {}), TOUCH_MS);
    touching.unref();
    void wire.closed.then(() => clearInterval(touching));
  }

  /**
   * Takes the fence away when nobody will need it again, or else what only this
   * run needed of it. Nothing is lost when that cannot be done: it expires.
   */
  async leave(wire: Wire): Promise<void> {
    const end = this.#isLasting ? resumeFence(this.#stream, this.#fence) : removeFence(this.#fence.key);
    await ask(wire, end).catch(() => {});
  }

  /** So many records of this producer come before the first one that is given to `add`; below 0, so many of others. */
  startBehind(records: number): void {
    this.#number = records;
  }

  /** A transaction is all or nothing, so that only --atomic has others beside what needs one. */
  get mostFieldsTogether(): number | undefined {
    return this.#fence.atomic ? undefined : FencedEncoder.mostFields;
  }

  add(fields: EntryFields, options: AddOptions, id: string): boolean {
    if (++this.#number <= (this.#mark ?? 0)) return false;
    this.#encoder.add(fields, options, id);
    if (this.#fence.atomic && (this.records > ATOMIC_RECORDS || this.byteLength > ATOMIC_BYTES)) throw tooMuch();
    return true;
  }

  take(context: BatchContext, end: Progress): Batch {
    const known = this.#batches[0]?.open === 0 ? this.#batches.shift() : undefined;
    const call = this.#encoder.take(this.#number - this.#encoder.records + 1, known?.first);
    const batch = new FencedBatch(call, context, end, (mark, id) => {
      if (mark >= (this.#last?.mark ?? 0)) this.#last = {mark, id};
    });
    if (this.#fence.wantsIds) this.#batches.push(batch);
    return batch;
  }
}

/** Whoever may not ask is not warned. */
async function evictionOf(wire: Wire): Promise<string | undefined> {
  const info = await askText(wire, question(MEMORY_COMMAND)).catch(() => undefined);
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
  if (failure.code === 'NOPERM') return fenceForbidden(failure);
  if (failure.code !== 'WRONGTYPE') return failure;
  return new StreamlogError('data', `"${key}" does not say how far a producer has come, but holds something else`, {
    code: failure.code,
    hint: 'give another --producer-id',
  });
}
