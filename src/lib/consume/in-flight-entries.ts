/**
 * The pending entries of one consumer on one stream that reached us: delivered
 * and not finished, or finished and not confirmed. After a lost connection they
 * tell which pending entries never reached us. They are kept as batches, and
 * looked at one by one only where a part of one is meant. Invariant: an ID is in
 * at most one of the two states, and held by the batch that it came with last.
 *
 * Entries that will not be processed after all are released: left pending for
 * the next consumer. They stay known, since a consumer or group that is removed
 * takes them along.
 */
import {EntryIds} from '../records/entry-ids.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import {DeliveredBatch} from './delivered-batch.js';

/** How many released entries are known, at most. */
const MOST_RELEASED = 10_000;

export class InFlightEntries {
  readonly #delivered = new Set<DeliveredBatch>();
  readonly #finished = new Set<EntryIds>();
  readonly #released = new Map<string, DeliveredBatch>();
  /** Released, and their stream is gone. */
  #orphans: string[] = [];
  #deliveredCount = 0;
  #highest = FIRST_ID;
  #order = 0;
  readonly #most: number;
  #forgottenUpTo = FIRST_ID;

  /** Keeps at most about `most` delivered IDs, for a caller that never finishes any. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Pending entries up to this ID were all delivered, though their IDs are no longer kept. */
  get forgottenUpTo(): string {
    return this.#forgottenUpTo;
  }

  /** The highest ID that was ever delivered. */
  get highest(): string {
    return this.#highest;
  }

  /** `ids` in ascending order. One that comes again has to be finished again: the ID may be another entry's by now. */
  deliver(ids: EntryIds): DeliveredBatch {
    const batch = new DeliveredBatch(ids, ++this.#order);
    if (ids.count === 0) return batch;
    if (compareStreamIds(ids.first, this.#highest) <= 0) this.#takeBack(new Set(ids.texts));
    if (compareStreamIds(ids.last, this.#highest) > 0) this.#highest = ids.last;
    this.#delivered.add(batch);
    this.#deliveredCount += ids.count;
    if (this.#deliveredCount > this.#most) this.#forgetOldest();
    return batch;
  }

  /** As if `ids` had never been delivered with `batch`. */
  drop(ids: ReadonlySet<string>, batch: DeliveredBatch): void {
    this.#keep(batch, (id) => !ids.has(id));
  }

  /** Leaves those of `ids` that `batch` holds pending for the next consumer. */
  release(ids: readonly string[], batch: DeliveredBatch): void {
    const held = ids.filter((id) => batch.holds(id));
    if (this.#delivered.has(batch)) {
      for (const id of held) this.#released.set(id, batch);
      // Others may have finished them since: in a worker that runs for long they would only grow.
      for (const id of this.#released.keys()) {
        if (this.#released.size <= MOST_RELEASED) break;
        this.#released.delete(id);
      }
      this.drop(new Set(held), batch);
    } else {
      this.#orphans.push(...held);
      const gone = new Set(held);
      batch.keep((id) => !gone.has(id));
    }
  }

  /** The next consumer has `id`, which was released with `batch`. */
  forget(id: string, batch: DeliveredBatch): void {
    if (this.#released.get(id) === batch) this.#released.delete(id);
  }

  /** Released entries, each with its batch. */
  get released(): ReadonlyMap<string, DeliveredBatch> {
    return this.#released;
  }

  /** Delivered or released, and not finished: what would be lost with our consumer. */
  get unfinished(): readonly string[] {
    return [...new Set([...this.delivered, ...this.#released.keys()])];
  }

  get hasUnfinished(): boolean {
    return this.#deliveredCount > 0 || this.#released.size > 0;
  }

  /** Released entries whose stream is gone; each is returned once. */
  takeOrphans(): readonly string[] {
    const orphans = this.#orphans;
    this.#orphans = [];
    return orphans;
  }

  /**
   * The stream is another one now, where these IDs are those of other entries. Work on them may go on, but they are
   * never acknowledged.
   */
  detach(): void {
    this.#delivered.clear();
    this.#deliveredCount = 0;
    this.#finished.clear();
    this.#orphans.push(...this.#released.keys());
    this.#released.clear();
  }

  /** To be acknowledged: all of `batch` that is in flight, or those of `ids`. */
  finish(batch: DeliveredBatch, ids?: readonly string[]): void {
    const finished = ids === undefined ? batch.ids : EntryIds.of(ids.filter((id) => batch.holds(id)));
    if (finished.count === 0 || !this.#delivered.has(batch)) return;
    this.#finished.add(finished);
    if (finished.count < batch.count) {
      this.drop(new Set(finished.texts), batch);
    } else {
      this.#delivered.delete(batch);
      this.#deliveredCount -= batch.count;
      batch.clear();
    }
  }

  /** Their XACK is confirmed. Where some of a batch were delivered again since, the rest is acknowledged again. */
  confirm(finished: readonly EntryIds[]): void {
    for (const ids of finished) this.#finished.delete(ids);
  }

  /** All in-flight IDs, as a copy. */
  get ids(): ReadonlySet<string> {
    return new Set([...this.delivered, ...[...this.#finished].flatMap(({texts}) => texts)]);
  }

  /** Those of `ids` that are delivered and not finished, each with its batch, as a copy. */
  holdersOf(ids: ReadonlySet<string>): ReadonlyMap<string, DeliveredBatch> {
    const holders = new Map<string, DeliveredBatch>();
    for (const batch of this.#delivered) for (const id of batch.ids.texts) if (ids.has(id)) holders.set(id, batch);
    return holders;
  }

  /** The first delivered IDs that are not finished, without `except`: at most `limit`, in the order of delivery. */
  oldest(limit: number, except: ReadonlySet<string>): readonly {id: string; order: number}[] {
    const found: {id: string; order: number}[] = [];
    for (const {ids, order} of this.#delivered) {
      for (const id of ids.texts) if (found.length < limit && !except.has(id)) found.push({id, order});
      if (found.length >= limit) break;
    }
    return found;
  }

  /** Delivered and not finished. */
  get delivered(): readonly string[] {
    return [...this.#delivered].flatMap(({ids}) => ids.texts);
  }

  /** Finished and not confirmed: batches with up to `limit` IDs in all, or one batch. */
  finished(limit: number): readonly EntryIds[] {
    const some: EntryIds[] = [];
    let count = 0;
    for (const ids of this.#finished) {
      if (count > 0 && count + ids.count > limit) break;
      some.push(ids);
      count += ids.count;
    }
    return some;
  }

  get finishedCount(): number {
    let count = 0;
    for (const ids of this.#finished) count += ids.count;
    return count;
  }

  get deliveredCount(): number {
    return this.#deliveredCount;
  }

  #forgetOldest(): void {
    for (const batch of this.#delivered) {
      if (this.#deliveredCount <= this.#most || this.#delivered.size === 1) return;
      this.#delivered.delete(batch);
      this.#deliveredCount -= batch.count;
      const {last} = batch.ids;
      if (compareStreamIds(last, this.#forgottenUpTo) > 0) this.#forgottenUpTo = last;
    }
  }

  /** As if they had neither been delivered nor finished. */
  #takeBack(again: ReadonlySet<string>): void {
    for (const id of again) this.#released.delete(id);
    for (const batch of this.#delivered) this.drop(again, batch);
    for (const ids of this.#finished) {
      const rest = ids.texts.filter((id) => !again.has(id));
      if (rest.length === ids.count) continue;
      this.#finished.delete(ids);
      if (rest.length > 0) this.#finished.add(EntryIds.of(rest));
    }
  }

  #keep(batch: DeliveredBatch, keeps: (id: string) => boolean): void {
    if (!this.#delivered.has(batch)) return;
    const before = batch.count;
    batch.keep(keeps);
    this.#deliveredCount -= before - batch.count;
    if (batch.count === 0) this.#delivered.delete(batch);
  }
}
