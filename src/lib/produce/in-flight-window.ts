/**
 * The batches that Redis has not confirmed, in the order of the input, whatever
 * connection they were sent on. Pure bookkeeping: it sends nothing and waits for
 * nothing. Invariant: batches leave when nothing of them is open, and are sent
 * in their order, again from the oldest on after a `rewind`.
 */
import type {Batch, Progress} from '../redis/batch.js';

export interface WindowLimits {
  /** Records and bytes that may be on their way together; one batch always may. */
  records: number;
  bytes: number;
}

interface Slot {
  readonly batch: Batch;
  /** What it took when it came: parts of it that are confirmed do not make room yet. */
  readonly size: WindowLimits;
  /** How far the input is confirmed once it and all before it are: behind those, too, that left before it. */
  end: Progress;
}

export class InFlightWindow {
  readonly #limits: WindowLimits;
  readonly #slots: Slot[] = [];
  #unsent = 0;
  #records = 0;
  #bytes = 0;
  #confirmed: Progress | undefined;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Records in it. */
  get open(): number {
    return this.#slots.reduce((sum, {batch}) => sum + batch.open, 0);
  }

  get empty(): boolean {
    return this.#slots.length === 0;
  }

  hasRoomFor({open, byteLength}: Batch): boolean {
    const {records, bytes} = this.#limits;
    return this.empty || (this.#records + open <= records && this.#bytes + byteLength <= bytes);
  }

  get oldest(): Batch | undefined {
    return this.#slots[0]?.batch;
  }

  /** How far the input is confirmed without a hole; undefined while nothing is. */
  get confirmed(): Progress | undefined {
    return this.#confirmed;
  }

  push(batch: Batch): void {
    const size = {records: batch.open, bytes: batch.byteLength};
    this.#slots.push({batch, size, end: batch.end});
    this.#records += size.records;
    this.#bytes += size.bytes;
  }

  /** Takes batches again that had left; they are sent before all others. Only after a `rewind`. */
  restore(batches: readonly Batch[]): void {
    const slots = batches.map((batch) => {
      const size = {records: batch.open, bytes: batch.byteLength};
      this.#records += size.records;
      this.#bytes += size.bytes;
      return {batch, size, end: batch.end};
    });
    this.#slots.unshift(...slots);
  }

  /** The input has nothing to send up to `end`, from the last batch on. */
  pass(end: Progress): void {
    const last = this.#slots.at(-1);
    if (last === undefined) this.#confirmed = end;
    else last.end = end;
  }

  /** The next batch to be sent, which counts as sent from now on. */
  next(): Batch | undefined {
    const slot = this.#slots[this.#unsent];
    if (slot !== undefined) this.#unsent++;
    return slot?.batch;
  }

  /** Takes out a batch of which nothing is open. */
  remove(batch: Batch): void {
    const at = this.#slots.findIndex((slot) => slot.batch === batch);
    const {size, end} = this.#slots[at]!;
    this.#slots.splice(at, 1);
    if (at < this.#unsent) this.#unsent--;
    this.#records -= size.records;
    this.#bytes -= size.bytes;
    if (at === 0) this.#confirmed = end;
    else this.#slots[at - 1]!.end = end;
  }

  /** All that is open has to be sent again; what is not leaves. Returns how many records were sent before. */
  rewind(): number {
    const sent = this.#slots.slice(0, this.#unsent).map(({batch}) => batch);
    this.#unsent = 0;
    for (const batch of sent) if (batch.open === 0) this.remove(batch);
    return sent.reduce((sum, {open}) => sum + open, 0);
  }
}
