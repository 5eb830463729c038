/**
 * The lags of groups in a list of many streams: as `lagsOf`, but counting costs time, so that only so much is counted for the
 * whole list, and a little for each stream; the rest are bounds. Invariant: `atLeast` <= the truth <= `atMost`.
 */
import type {GroupInfo, StreamClient} from '../stream-client.js';
import {type CountLimits, type EntryCount, entriesBehind, isExact} from './entries-behind.js';
import {type LagFacts, lagFacts, lagFrom} from './lag.js';
import {ageOfUnread, firstUnread} from './oldest-unread.js';
import type {ScannedStream} from './stream-scan.js';

/** How far a group is behind; null where Redis has no figure and nothing may be counted. */
export type Behind = {[Name in keyof LagFacts]: LagFacts[Name] | null} & {behindMs: number | null};

/** What is not known of a group. */
export const UNKNOWN: Behind = {
  lag: null,
  lagExact: null,
  lagAtLeast: null,
  lagAtMost: null,
  lagSource: null,
  behindMs: null,
};

export const EACH: CountLimits = {entries: 1_000, bytes: 1024 * 1024};
/** Only what follows from IDs. */
export const NONE: CountLimits = {entries: 0, bytes: -1};
/** In all: Redis reads so many small entries in about a second. */
export const MOST_ENTRIES = 500_000;

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
    return groups.map((group) => ({
      ...lagFacts(lagFrom(ends, group, behind.get(group.lastDeliveredId)!)),
      behindMs: ageOfUnread(unread.get(group.lastDeliveredId), nowMs),
    }));
  }
}

/** About how many entries were read to find a count. */
function spent(count: EntryCount): number {
  if (!count.counted) return 0;
  return isExact(count) ? Math.min(count.atLeast, 2 * EACH.entries) : 2 * EACH.entries;
}

/** The figure of Redis, if it has one: neither end of the stream is known. */
export function ofLargeEntries(length: number, {lag}: GroupInfo): Behind {
  if (lag === undefined) return {...UNKNOWN, lagAtLeast: 0, lagAtMost: length, lagExact: false};
  const count = Math.min(length, Math.max(0, lag));
  return {lag: count, lagExact: false, lagAtLeast: 0, lagAtMost: length, lagSource: 'redis', behindMs: null};
}
