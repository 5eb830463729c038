/**
 * Entries that were delivered together, while they are in flight. Invariant: no set of their IDs is made until a part of them
 * is meant.
 */
import {EntryIds} from '../records/entry-ids.js';

export class DeliveredBatch {
  /** Ascends from batch to batch. */
  readonly order: number;
  readonly deliveredAtMs = performance.now();
  /** Whether it was processed, and only somebody else's acknowledgement is missing. */
  isProcessed = false;
  readonly #ids: EntryIds;
  /** Undefined while all of it is in flight. */
  #left: Set<string> | undefined;

  constructor(ids: EntryIds, order = 0) {
    this.#ids = ids;
    this.order = order;
  }

  get count(): number {
    return this.#left?.size ?? this.#ids.count;
  }

  get ids(): EntryIds {
    return this.#left === undefined ? this.#ids : EntryIds.of([...this.#left]);
  }

  /** Whether `id` is in flight, in this batch. */
  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** Drops the IDs for which `keeps` is false. */
  keep(keeps: (id: string) => boolean): void {
    for (const id of this.#held) if (!keeps(id)) this.#held.delete(id);
  }

  clear(): void {
    this.#left = new Set();
  }

  get #held(): Set<string> {
    this.#left ??= new Set(this.#ids.texts);
    return this.#left;
  }
}
