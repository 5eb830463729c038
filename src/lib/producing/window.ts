/**
 * The batches that Redis has not confirmed, in the order of the input, whatever
 * connection they were sent on. Pure bookkeeping: it sends nothing and waits for
 * nothing. Invariant: batches leave when nothing of them is open, and are sent
 * in their order, again from the oldest on after a `rewind`.
 */
import type {Batch, Progress} from './batch.js';

export interface WindowLimits {
  /** Records and bytes that may be on their way together; one batch always may. */
  records: number;
  bytes: number;
}

export class Window {
  readonly #limits: WindowLimits;
  readonly #batches: Batch[] = [];
  /** What each took when it came: parts of it that are confirmed do not make room yet. */
  readonly #sizes = new WeakMap<Batch, WindowLimits>();
  #unsent = 0;
  #records = 0;
  #bytes = 0;
  #confirmed: Progress | undefined;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Records in it. */
  get open(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.open, 0);
  }

  get empty(): boolean {
    return this.#batches.length === 0;
  }

  get full(): boolean {
    return this.#records >= this.#limits.records || this.#bytes >= this.#limits.bytes;
  }

  get oldest(): Batch | undefined {
    return this.#batches[0];
  }

  /** How far the input is confirmed without a hole; undefined while nothing is. */
  get confirmed(): Progress | undefined {
    return this.#confirmed;
  }

  push(batch: Batch): void {
    const size = {records: batch.open, bytes: batch.byteLength};
    this.#batches.push(batch);
    this.#sizes.set(batch, size);
    this.#records += size.records;
    this.#bytes += size.bytes;
  }

  /** The next batch to be sent, which counts as sent from now on. */
  next(): Batch | undefined {
    const batch = this.#batches[this.#unsent];
    if (batch !== undefined) this.#unsent++;
    return batch;
  }

  /** Takes out a batch of which nothing is open. */
  remove(batch: Batch): void {
    const at = this.#batches.indexOf(batch);
    this.#batches.splice(at, 1);
    if (at < this.#unsent) this.#unsent--;
    const {records, bytes} = this.#sizes.get(batch)!;
    this.#records -= records;
    this.#bytes -= bytes;
    if (at === 0) this.#confirmed = batch.end;
  }

  /** All that is open has to be sent again; what is not leaves. Returns how many records were sent before. */
  rewind(): number {
    const sent = this.#batches.slice(0, this.#unsent);
    this.#unsent = 0;
    for (const batch of sent) if (batch.open === 0) this.remove(batch);
    return sent.reduce((sum, {open}) => sum + open, 0);
  }
}
