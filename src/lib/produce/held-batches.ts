/**
 * The batches of numbered records that were confirmed last, kept for a while: a
 * failover may take back what the old master confirmed and the new one did not
 * get (docs/adr/0008). Invariant: what is held is one piece, in the order of the
 * records, up to the last that was confirmed, and bounded in bytes.
 */
import type {Batch} from '../stream-client.js';
import type {SentBatch} from './in-flight-window.js';

export interface HoldLimits {
  /** How long batches are held at least, as far as `bytes` lets them. */
  ms: number;
  bytes: number;
}

interface Held extends SentBatch {
  readonly last: number;
  readonly atMs: number;
}

export class HeldBatches {
  readonly #limits: HoldLimits;
  readonly #held: Held[] = [];
  #bytes = 0;
  #confirmed = 0;

  constructor(limits: HoldLimits) {
    this.#limits = limits;
  }

  /** The number of the last record that was confirmed. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** The stream had all records up to `number` before this run. */
  startBehind(number: number): void {
    this.#confirmed = number;
  }

  /** Takes a batch of which all is confirmed, in the order of the records. One whose records have no numbers is not held. */
  push({batch, end}: SentBatch): void {
    const {numbers} = batch;
    if (numbers === undefined) return;
    const nowMs = performance.now();
    this.#held.push({batch, end, last: numbers.last, atMs: nowMs});
    this.#bytes += batch.byteLength;
    this.#confirmed = Math.max(this.#confirmed, numbers.last);
    // By time only when others come: an input that pauses loses nothing of what it can add again.
    while (this.#held.length > 0) {
      const [oldest] = this.#held as [Held];
      if (nowMs - oldest.atMs < this.#limits.ms && this.#bytes <= this.#limits.bytes) break;
      this.#bytes -= oldest.batch.byteLength;
      this.#held.shift();
    }
  }

  /**
   * Gives back the batches with what a server lacks that has the records up to number
   * `lastSequence`; undefined when it lacks more than is held.
   */
  takeAfter(lastSequence: number): SentBatch[] | undefined {
    const from = this.#held.findIndex(({last}) => last > lastSequence);
    if (from === -1 || firstOf(this.#held[from]!.batch) > lastSequence + 1) return undefined;
    const held = this.#held.splice(from);
    for (const {batch} of held) this.#bytes -= batch.byteLength;
    return held;
  }
}

const firstOf = ({numbers}: Batch): number => numbers!.first;
