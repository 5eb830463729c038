/**
 * What a run with --exactly-once has had confirmed last, kept for a while: a
 * failover may take back what the old master had confirmed and the new one had
 * not got. The last number that the new master has of this producer tells where
 * to begin again. Pure bookkeeping, bounded in bytes. Invariant: what is held is
 * one piece, in the order of the records, up to the last that was confirmed.
 */
import type {IdempotentBatch} from '../redis/idempotent-batch.js';

export interface HoldLimits {
  /** How long batches are held at least, as far as `bytes` lets them. */
  ms: number;
  bytes: number;
}

interface Held {
  readonly batch: IdempotentBatch;
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

  /** The stream has had all records up to `number` before this run. */
  startBehind(number: number): void {
    this.#confirmed = number;
  }

  /** Takes a batch of which all is confirmed, in the order of the records. */
  push(batch: IdempotentBatch): void {
    const nowMs = performance.now();
    this.#held.push({batch, atMs: nowMs});
    this.#bytes += batch.byteLength;
    this.#confirmed = Math.max(this.#confirmed, batch.last);
    // By time only when others come: an input that pauses loses nothing of what it can add again.
    while (this.#held.length > 0) {
      const [oldest] = this.#held as [Held];
      if (nowMs - oldest.atMs < this.#limits.ms && this.#bytes <= this.#limits.bytes) break;
      this.#bytes -= oldest.batch.byteLength;
      this.#held.shift();
    }
  }

  /**
   * Gives back the batches with what a server lacks that has the records up to
   * `mark`; undefined when it lacks more than is held.
   */
  takeAfter(lastSequence: number): IdempotentBatch[] | undefined {
    const from = this.#held.findIndex(({batch}) => batch.last > lastSequence);
    if (from === -1 || this.#held[from]!.batch.first > lastSequence + 1) return undefined;
    const batches = this.#held.splice(from).map(({batch}) => batch);
    for (const batch of batches) this.#bytes -= batch.byteLength;
    return batches;
  }
}
