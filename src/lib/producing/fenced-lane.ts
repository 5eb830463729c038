/**
 * The way to a stream that adds each record once. Records of a producer are
 * numbered from 1 in the order of its input, in this run and in those before
 * it. Invariant: what the stream has of this producer is not sent.
 */
import {StreamlogError} from '../errors.js';
import {countOf, type EntryFields} from '../marked-fields.js';
import {
  type AddOptions,
  type Fence,
  FencedEncoder,
  greetFence,
  type ReplyTaker,
  removeFence,
  type Wire,
} from '../stream-client.js';
import type {Batch, BatchContext, Progress} from './batch.js';
import {FencedBatch} from './fenced-batch.js';
import type {Lane} from './lane.js';

/** All of `--atomic` is one script, during which Redis does nothing else. */
const ATOMIC_RECORDS = 100_000;
const ATOMIC_BYTES = 64 * 1024 ** 2;

export class FencedLane implements Lane {
  readonly #fence: Fence;
  readonly #isLasting: boolean;
  readonly #connect: () => Promise<Wire>;
  readonly #encoder: FencedEncoder;
  /** Batches whose IDs the server may still keep, oldest first. */
  readonly #batches: FencedBatch[] = [];
  /** The number of the last record that was given to `add`. */
  #number = 0;
  /** The number of the last record that was in the stream when we connected first. */
  #mark: number | undefined;

  /** `isLasting`: a later run may be of the same producer. */
  constructor(stream: string, fence: Fence, isLasting: boolean, connect: () => Promise<Wire>) {
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

  /** How many records of this producer were in the stream when we connected first. */
  get mark(): number {
    return this.#mark ?? 0;
  }

  async open(): Promise<Wire> {
    const wire = await this.#connect();
    const mark = await markOf(wire, this.#fence.key);
    this.#mark ??= mark;
    return wire;
  }

  /** Takes the fence away when nobody will need it again. Nothing is lost when that cannot be done: it expires. */
  async leave(wire: Wire): Promise<void> {
    if (this.#isLasting) return;
    await new Promise<void>((resolve) => wire.send([removeFence(this.#fence.key)], once(resolve)));
  }

  /** So many records of this producer come before the first one that is given to `add`; below 0, so many of others. */
  startBehind(records: number): void {
    this.#number = records;
  }

  refusalOf(fields: EntryFields): string | undefined {
    if (FencedEncoder.takes(fields)) return undefined;
    return `${countOf(fields)} fields are too many for --exactly-once and --atomic`;
  }

  add(fields: EntryFields, options: AddOptions, id: string): boolean {
    if (++this.#number <= this.mark) return false;
    this.#encoder.add(fields, options, id);
    if (this.#fence.atomic && (this.records > ATOMIC_RECORDS || this.byteLength > ATOMIC_BYTES)) throw tooMuch();
    return true;
  }

  take(context: BatchContext, end: Progress): Batch {
    const known = this.#batches[0]?.open === 0 ? this.#batches.shift() : undefined;
    const call = this.#encoder.take(this.#number - this.#encoder.records + 1, known?.first);
    const batch = new FencedBatch(call, context, end);
    if (this.#fence.wantsIds) this.#batches.push(batch);
    return batch;
  }
}

const tooMuch = (): StreamlogError =>
  new StreamlogError(
    'data',
    `--atomic takes at most ${ATOMIC_RECORDS.toLocaleString('en')} records and 64MB; nothing was added`,
    {
      hint: 'leave --atomic out; --exactly-once --resume adds a file of any size, once',
    },
  );

/** For the one reply to a command whose outcome makes no difference. */
const once = (done: () => void): ReplyTaker => {
  const taker = {awaits: 1, text: end, integer: end, nil: end, refused: end, lost: end};
  function end(): void {
    taker.awaits = 0;
    done();
  }
  return taker;
};

/** The mark of a fence, after making sure that the server of `wire` knows the script. Throws what Redis refuses. */
function markOf(wire: Wire, key: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const taker: ReplyTaker & {awaits: number} = {
      awaits: 2,
      text(bytes, start, end) {
        // The first answer is the name of the script.
        if (--taker.awaits === 0) resolve(Number(bytes.toString('latin1', start, end)));
      },
      nil() {
        taker.awaits--;
        resolve(0);
      },
      integer: () => {},
      refused(failure) {
        taker.awaits--;
        reject(failure);
      },
      lost: reject,
    };
    wire.send([greetFence(key)], taker);
  });
}
