/**
 * How far a group is behind: never blank and never a lie. Redis' own figure is
 * taken only where it is known to be right. It is missing after XDEL and after
 * a group was moved, and it is too high on several versions once entries were
 * deleted or trimmed unread (redis#13337, redis#13957). In those cases the
 * entries are counted, up to a limit; a count that hit the limit is marked as
 * the bound that it is.
 */
import {countEntries} from '../counting.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import {compareStreamIds, LAST_ID, successorOf} from '../stream-id.js';

export interface Lag {
  /** Entries that the group has not been given yet. */
  count: number;
  /** False when there are more than `count`. */
  exact: boolean;
}

/** Counting reads the entries, so it must end: 10,000 entries of 1 KB take about 20 ms on a local server. */
export const LAG_COUNT_LIMIT = 10_000;

/** The lag of `group` as of `info`, which must come from the same stream. */
export async function lagOf(client: StreamClient, stream: string, info: StreamInfo, group: GroupInfo): Promise<Lag> {
  const {firstEntry, lastEntry, length, entriesAdded, maxDeletedId} = info;
  if (firstEntry === undefined || lastEntry === undefined) return {count: 0, exact: true};
  if (compareStreamIds(group.lastDeliveredId, lastEntry.id) >= 0) return {count: 0, exact: true};
  if (compareStreamIds(group.lastDeliveredId, firstEntry.id) < 0) return {count: length, exact: true};

  const nothingEverRemoved = entriesAdded === length && maxDeletedId === '0-0';
  if (nothingEverRemoved && group.lag !== undefined) return {count: group.lag, exact: true};

  const start = successorOf(group.lastDeliveredId)!;
  const counted = await countEntries(client, stream, start, LAST_ID, LAG_COUNT_LIMIT);
  return counted > LAG_COUNT_LIMIT ? {count: LAG_COUNT_LIMIT, exact: false} : {count: counted, exact: true};
}
