/**
 * The batches that Redis has not confirmed, in the order of the input, whatever
 * connection they were sent on. Invariant: batches leave when nothing of them is
 * open, and are sent in their order, again from the oldest on after a `rewind`.
 */
import type {InputPosition} from '../input/input-item.js';
import type {Batch} from '../stream-client.js';

/** How far an input is read. */
export interface Progress {
  readonly position: InputPosition;
  /** Records before that position, from the start of the input. */
  readonly records: number;
}

/** A batch, and how far the input is read behind its last record. */
export interface SentBatch {
  readonly batch: Batch;
  readonly end: Progress;
}

export interface WindowLimits {
  /** Records and bytes that may be on their way together; one batch always may. */
  records: number;
  bytes: number;
}

interface WindowEntry extends SentBatch {
  /** What it took when it came: parts of it that are confirmed do not make room yet. */
  readonly size: WindowLimits;
  /** How far the input is confirmed once it and all before it are: later batches that left first included. */
  confirms: Progress;
}

export class InFlightWindow {
  readonly #limits: WindowLimits;
  readonly #entries: WindowEntry[] = [];
  #unsent = 0;
  #records = 0;
  #bytes = 0;
  #confirmed: Progress | undefined;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Records in it. */
  get open(): number {
    return this.#entries.reduce((sum, {batch}) => sum + batch.open, 0);
  }

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  hasRoomFor({open, byteLength}: Batch): boolean {
    const {records, bytes} = this.#limits;
    return this.empty || (this.#records + open <= records && this.#bytes + byteLength <= bytes);
  }

  get oldest(): Batch | undefined {
    return this.#entries[0]?.batch;
  }

  /** How far the input is confirmed without a hole; undefined while nothing is. */
  get confirmed(): Progress | undefined {
    return this.#confirmed;
  }

  push(batch: Batch, end: Progress): void {
    this.#entries.push(this.#entryOf({batch, end}));
  }

  /** Takes batches again that had left; they are sent before all others. Only after a `rewind`. */
  restore(batches: readonly SentBatch[]): void {
    this.#entries.unshift(...batches.map((batch) => this.#entryOf(batch)));
  }

  /** The input has nothing to send up to `end`, from the last batch on. */
  pass(end: Progress): void {
    const last = this.#entries.at(-1);
    if (last === undefined) this.#confirmed = end;
    else last.confirms = end;
  }

  /** The next batch to be sent, which counts as sent from now on. */
  next(): Batch | undefined {
    const entry = this.#entries[this.#unsent];
    if (entry !== undefined) this.#unsent++;
    return entry?.batch;
  }

  /** Takes out a batch of which nothing is open. */
  remove(batch: Batch): SentBatch {
    const at = this.#entries.findIndex((entry) => entry.batch === batch);
    const entry = this.#entries[at]!;
    this.#entries.splice(at, 1);
    if (at < this.#unsent) this.#unsent--;
    this.#records -= entry.size.records;
    this.#bytes -= entry.size.bytes;
    if (at === 0) this.#confirmed = entry.confirms;
    else this.#entries[at - 1]!.confirms = entry.confirms;
    return entry;
  }

  /** All that is open has to be sent again; what is not leaves. Returns how many records were sent before. */
  rewind(): number {
    const sent = this.#entries.slice(0, this.#unsent).map(({batch}) => batch);
    this.#unsent = 0;
    for (const batch of sent) if (batch.open === 0) this.remove(batch);
    return sent.reduce((sum, {open}) => sum + open, 0);
  }

  #entryOf({batch, end}: SentBatch): WindowEntry {
    const size = {records: batch.open, bytes: batch.byteLength};
    this.#records += size.records;
    this.#bytes += size.bytes;
    return {batch, size, end, confirms: end};
  }
}
