/**
 * What a consumer has of one stream's pending entries: given out and not yet
 * finished, or finished with the acknowledgement not yet confirmed. It is what
 * tells, after a lost connection, which of our pending entries never reached us.
 * Entries are kept as they came, together: what is given out, finished and
 * confirmed as a whole is never looked at one by one. Invariant: an ID is in at
 * most one of the two, and what was given out again is no longer held by the
 * batch that it first came with.
 *
 * What will not be worked on after all is released: left pending for whoever comes
 * next. It is known here until the end all the same, since a consumer or a group that
 * is removed takes it along, and then nobody else would know of it.
 */
import {EntryIds} from '../records/entry-ids.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';

/** What was given out together, for as long as it is held. */
export class DeliveredBatch {
  /** Higher than that of all that was given before. */
  readonly order: number;
  readonly deliveredAtMs = performance.now();
  /** Whether what it was given out for has been done, and only the acknowledgement is left to others. */
  isProcessed = false;
  readonly #ids: EntryIds;
  /** Undefined while all of it is held. */
  #left: Set<string> | undefined;

  constructor(ids: EntryIds, order = 0) {
    this.#ids = ids;
    this.order = order;
  }

  get count(): number {
    return this.#left?.size ?? this.#ids.count;
  }

  /** What is held of it. */
  get ids(): EntryIds {
    return this.#left === undefined ? this.#ids : EntryIds.of([...this.#left]);
  }

  /** Whether `id` is still to be finished by whoever got it with this. */
  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** Holds only those of its IDs from now on for which `keeps` is true. */
  keep(keeps: (id: string) => boolean): void {
    for (const id of this.#held) if (!keeps(id)) this.#held.delete(id);
  }

  /** Holds nothing any more. */
  clear(): void {
    this.#left = new Set();
  }

  get #held(): Set<string> {
    this.#left ??= new Set(this.#ids.texts);
    return this.#left;
  }
}

/** So many of those that were released are known at most. */
const MOST_RELEASED = 10_000;

export class InFlightEntries {
  readonly #given = new Set<DeliveredBatch>();
  readonly #finished = new Set<EntryIds>();
  readonly #released = new Map<string, DeliveredBatch>();
  /** Released, and nowhere any more: the stream that they were in is gone. */
  #orphans: string[] = [];
  #givenCount = 0;
  /** Above it, nothing was ever given out. */
  #highest = FIRST_ID;
  #order = 0;
  readonly #most: number;
  #forgottenUpTo = FIRST_ID;

  /** Keeps at most about `most` IDs that were given out, for a caller who never finishes any. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /** Nothing that is pending with us and not above it was left out: it was given out, and the IDs are kept no longer. */
  get forgottenUpTo(): string {
    return this.#forgottenUpTo;
  }

  /** In ascending order. One that comes again is to be finished again: behind its ID there may be another entry by now. */
  deliver(ids: EntryIds): DeliveredBatch {
    const batch = new DeliveredBatch(ids, ++this.#order);
    if (ids.count === 0) return batch;
    if (compareStreamIds(ids.first, this.#highest) <= 0) this.#takeBack(new Set(ids.texts));
    if (compareStreamIds(ids.last, this.#highest) > 0) this.#highest = ids.last;
    this.#given.add(batch);
    this.#givenCount += ids.count;
    if (this.#givenCount > this.#most) this.#forgetOldest();
    return batch;
  }

  /** Will not be finished by whoever got them with `batch`: it is as if they had never been given out so. */
  drop(ids: ReadonlySet<string>, batch: DeliveredBatch): void {
    this.#keep(batch, (id) => !ids.has(id));
  }

  /** Leaves those of `ids` that `batch` holds pending, for whoever comes next. */
  release(ids: readonly string[], batch: DeliveredBatch): void {
    const held = ids.filter((id) => batch.holds(id));
    if (this.#given.has(batch)) {
      for (const id of held) this.#released.set(id, batch);
      // In a worker that goes on for long, what others have done with since would never leave.
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

  /** What was released and is pending, as far as is known here, each with what it was given out with. */
  get released(): ReadonlyMap<string, DeliveredBatch> {
    return this.#released;
  }

  /** Given out or released, and not finished: what would be lost with our consumer. */
  get unfinished(): readonly string[] {
    return [...new Set([...this.delivered, ...this.#released.keys()])];
  }

  get hasUnfinished(): boolean {
    return this.#givenCount > 0 || this.#released.size > 0;
  }

  /** What was released and is in no stream any more; each is returned once. */
  takeOrphans(): readonly string[] {
    const orphans = this.#orphans;
    this.#orphans = [];
    return orphans;
  }

  /**
   * The stream is another one now, in which these IDs are those of other entries. Whoever got them may go on,
   * but they are never acknowledged.
   */
  detach(): void {
    this.#given.clear();
    this.#givenCount = 0;
    this.#finished.clear();
    this.#orphans.push(...this.#released.keys());
    this.#released.clear();
  }

  /** To be acknowledged: all that is held of `batch`, or those of `ids`. */
  finish(batch: DeliveredBatch, ids?: readonly string[]): void {
    const finished = ids === undefined ? batch.ids : EntryIds.of(ids.filter((id) => batch.holds(id)));
    if (finished.count === 0 || !this.#given.has(batch)) return;
    this.#finished.add(finished);
    if (finished.count < batch.count) {
      this.drop(new Set(finished.texts), batch);
    } else {
      this.#given.delete(batch);
      this.#givenCount -= batch.count;
      batch.clear();
    }
  }

  /** Their acknowledgement is confirmed; of those some of which have come again since then, the rest is repeated. */
  confirm(finished: readonly EntryIds[]): void {
    for (const ids of finished) this.#finished.delete(ids);
  }

  /** All that is in hand, as it is now. */
  get ids(): ReadonlySet<string> {
    return new Set([...this.delivered, ...[...this.#finished].flatMap(({texts}) => texts)]);
  }

  /** What was given out and not finished, each with its batch, as it is now. */
  get holders(): ReadonlyMap<string, DeliveredBatch> {
    return new Map([...this.#given].flatMap((batch) => batch.ids.texts.map((id) => [id, batch] as const)));
  }

  /** Those of `ids` that were given out and are not finished, each with its batch, as it is now. */
  holdersOf(ids: ReadonlySet<string>): ReadonlyMap<string, DeliveredBatch> {
    return new Map([...this.holders].filter(([id]) => ids.has(id)));
  }

  /** What was given out first and is not finished, without `except`: at most `limit` IDs, in the order in which they were given. */
  oldest(limit: number, except: ReadonlySet<string>): readonly {id: string; order: number}[] {
    const found: {id: string; order: number}[] = [];
    for (const {ids, order} of this.#given) {
      for (const id of ids.texts) if (found.length < limit && !except.has(id)) found.push({id, order});
      if (found.length >= limit) break;
    }
    return found;
  }

  /** Given out and not finished. */
  get delivered(): readonly string[] {
    return [...this.#given].flatMap(({ids}) => ids.texts);
  }

  /** Finished, and not known to be acknowledged: so many of those that were finished together as have `limit` IDs, or one. */
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
    return this.#givenCount;
  }

  #forgetOldest(): void {
    for (const batch of this.#given) {
      if (this.#givenCount <= this.#most || this.#given.size === 1) return;
      this.#given.delete(batch);
      this.#givenCount -= batch.count;
      const {last} = batch.ids;
      if (compareStreamIds(last, this.#forgottenUpTo) > 0) this.#forgottenUpTo = last;
    }
  }

  /** As if they had neither been given out nor finished. */
  #takeBack(again: ReadonlySet<string>): void {
    for (const id of again) this.#released.delete(id);
    for (const batch of this.#given) this.drop(again, batch);
    for (const ids of this.#finished) {
      const rest = ids.texts.filter((id) => !again.has(id));
      if (rest.length === ids.count) continue;
      this.#finished.delete(ids);
      if (rest.length > 0) this.#finished.add(EntryIds.of(rest));
    }
  }

  #keep(batch: DeliveredBatch, keeps: (id: string) => boolean): void {
    if (!this.#given.has(batch)) return;
    const before = batch.count;
    batch.keep(keeps);
    this.#givenCount -= before - batch.count;
    if (batch.count === 0) this.#given.delete(batch);
  }
}
