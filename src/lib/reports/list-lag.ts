/**
 * The lags of groups in a list of many streams: as `lagsOf`, but counting costs time, so that only so much is counted for the
 * whole list, and a little for each stream; the rest are bounds. Invariant: `atLeast` <= the truth <= `atMost`.
 */
import type {GroupInfo, StreamClient} from '../stream-client.js';
import {type Behind, behindOf, ofLargeEntries} from './behind.js';
import {type CountLimits, type EntryCount, entriesBehind, isExact} from './entries-behind.js';
import {firstUnread} from './oldest-unread.js';
import type {ScannedStream} from './stream-scan.js';

const EACH: CountLimits = {entries: 1_000, bytes: 1024 * 1024};
/** Only what follows from IDs. */
export const NONE: CountLimits = {entries: 0, bytes: -1};
/** In all: Redis reads so many small entries in about a second. */
export const MOST_ENTRIES = 500_000;

/** Streams whose entries are counted at the same time: a page of each is in memory then. */
export const COUNTED_TOGETHER = 16;

export class ListLags {
  readonly #client: StreamClient;
  #left = MOST_ENTRIES;

  constructor(client: StreamClient) {
    this.#client = client;
  }

  /** Of each of `groups`, which belong to `stream`. */
  async of(stream: ScannedStream, groups: readonly GroupInfo[], nowMs: number): Promise<Behind[]> {
    const {name, ends, length} = stream;
    if (groups.length === 0) return [];
    if (ends === undefined) return groups.map((group) => ofLargeEntries(length, group));
    const limits = this.#left > 0 ? EACH : NONE;
    const ids = groups.map(({lastDeliveredId}) => lastDeliveredId);
    const behind = await entriesBehind(this.#client, name, ends, ids, limits);
    if (limits === EACH) this.#left -= Math.max(...[...behind.values()].map(spent));
    const unread = await firstUnread(this.#client, name, ends, behind);
    return groups.map((group) => behindOf(ends, group, behind, unread, nowMs));
  }
}

/** About how many entries were read to find a count. */
function spent(count: EntryCount): number {
  if (!count.counted) return 0;
  return isExact(count) ? Math.min(count.atLeast, 2 * EACH.entries) : 2 * EACH.entries;
}
