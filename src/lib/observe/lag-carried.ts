/**
 * How many entries follow an ID, from earlier readings of the same stream: where a reading saw the end of the stream, it knows how many
 * entries had been added up to there, and how many were added since is how many follow. Invariant: `atLeast` <= the truth <= `atMost`, as long as
 * `entries-added` grows by one for each entry; XSETID, which changes it, must come with another last ID or highest deleted ID to be noticed.
 */
import {compareStreamIds, laterId} from '../records/stream-id.js';
import {type EntryCount, isExact, shareBehind} from '../reports/entries-behind.js';
import type {StreamInfo} from '../stream-client.js';

/** What is read of a stream. */
export type CarriedInfo = Pick<
  StreamInfo,
  'length' | 'firstEntry' | 'lastGeneratedId' | 'entriesAdded' | 'maxDeletedId'
>;

/** An ID, and how many entries had been added up to it. */
interface KnownPosition {
  readonly id: string;
  /** `entries-added`, less the entries behind the ID, when that was known. */
  readonly addedBefore: number;
  /** Entries that had been removed by then. */
  readonly removed: number;
}

interface Ends {
  added: number;
  removed: number;
  firstId: string | undefined;
  maxDeletedId: string;
  lastGeneratedId: string;
}

/** So many readings are kept; then every other of the older ones goes. */
const MOST_POSITIONS = 128;

export class CarriedCounts {
  /** In the order of their IDs. */
  #positions: KnownPosition[] = [];
  #now: Ends | undefined;

  /** Takes the next reading. `lowestId` is the lowest one that will be asked for. */
  take(info: CarriedInfo, lowestId: string): void {
    const now = endsOf(info);
    const before = this.#now;
    this.#now = now;
    if (now === undefined || before === undefined || !continues(before, now)) this.#positions = [];
    if (now === undefined) return;
    this.#positions = this.#positions.filter((position) => holds(position, now));
    this.#forgetBelow(laterId(lowestId, now.firstId ?? lowestId));
    if (this.#positions.length >= MOST_POSITIONS) {
      const half = MOST_POSITIONS / 2;
      this.#positions = this.#positions.filter((_, at) => at >= half || at % 2 === 0);
    }
    this.#insert({id: now.lastGeneratedId, addedBefore: now.added, removed: now.removed});
  }

  /** So many entries follow `id` as of the last reading. */
  note(id: string, {atLeast, atMost}: EntryCount): void {
    if (this.#now === undefined || atLeast !== atMost) return;
    this.#insert({id, addedBefore: this.#now.added - atLeast, removed: this.#now.removed});
  }

  /** `known`, the entries behind `id` as of the last reading, with narrower bounds where an earlier one has them. */
  narrow(id: string, known: EntryCount): EntryCount {
    if (isExact(known) || this.#now === undefined) return known;
    const {added} = this.#now;
    const at = this.#indexOf(id);
    const [above, same] = [this.#positions[at], this.#positions[at]?.id === id];
    const below = same ? above : this.#positions[at - 1];
    const atMost = below === undefined ? known.atMost : Math.min(known.atMost, added - below.addedBefore);
    const atLeast = above === undefined ? known.atLeast : Math.max(known.atLeast, added - above.addedBefore);
    // They contradict each other: the counters are wrong.
    if (atLeast > atMost) {
      this.#positions = [];
      return known;
    }
    if (atLeast === known.atLeast && atMost === known.atMost) return known;
    const share = below === undefined || above === undefined ? 0.5 : shareBehind(id, below.id, above.id);
    const estimate = Math.round(atLeast + (atMost - atLeast) * share);
    return {...known, estimate, atLeast, atMost, counted: true};
  }

  #insert(position: KnownPosition): void {
    const at = this.#indexOf(position.id);
    this.#positions.splice(at, this.#positions[at]?.id === position.id ? 1 : 0, position);
  }

  /** Of the first position that is not before `id`. */
  #indexOf(id: string): number {
    let [low, high] = [0, this.#positions.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareStreamIds(this.#positions[middle]!.id, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #forgetBelow(id: string): void {
    const at = this.#indexOf(id);
    if (at > 1) this.#positions = this.#positions.slice(at - 1);
  }
}

function endsOf({length, firstEntry, lastGeneratedId, entriesAdded, maxDeletedId}: CarriedInfo): Ends | undefined {
  if (entriesAdded === undefined || maxDeletedId === undefined) return undefined;
  return {added: entriesAdded, removed: entriesAdded - length, firstId: firstEntry?.id, maxDeletedId, lastGeneratedId};
}

/** Whether one stream may have come from `before` to `now` by adding and removing entries. */
function continues(before: Ends, now: Ends): boolean {
  const generated = compareStreamIds(now.lastGeneratedId, before.lastGeneratedId);
  const mayHaveGrown = generated > 0 ? now.added > before.added : generated === 0 && now.added === before.added;
  if (!mayHaveGrown || now.removed < before.removed) return false;
  if (compareStreamIds(now.maxDeletedId, before.maxDeletedId) < 0) return false;
  const sameFirst = before.firstId === undefined || before.firstId === now.firstId;
  return now.removed > before.removed || sameFirst;
}

/** Whether no entry behind the position was removed since. XDEL shows in the highest deleted ID; what XTRIM took is in front of all that is asked for. */
const holds = ({id, removed}: KnownPosition, now: Ends): boolean =>
  removed === now.removed || compareStreamIds(now.maxDeletedId, id) <= 0;
