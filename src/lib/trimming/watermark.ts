/**
 * The watermark of a stream: every group has read and acknowledged everything before it. Invariants: it only moves forward,
 * unless a group is moved back, so that one that was just read is safe to trim to; what may be needed counts as needed.
 */
import {withEntries} from '../reading/lookup.js';
import {compareStreamIds, earlierId, LAST_ID, successorOf} from '../records/stream-id.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';

/** The lowest ID that some group still needs. */
export interface Watermark {
  group: string;
  fromId: string;
}

/** The lowest of `groups`; undefined when there are none. */
export async function lowestWatermark(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
): Promise<Watermark | undefined> {
  let lowest: Watermark | undefined;
  for (const {name, lastDeliveredId, pending} of groups) {
    const unread = successorOf(lastDeliveredId) ?? LAST_ID;
    const unacknowledged = pending === 0 ? undefined : await firstPending(client, stream, info, name);
    // Both count: after a group was moved back, its pending entries alone are no bound.
    const fromId = unacknowledged === undefined ? unread : earlierId(unacknowledged, unread);
    if (lowest === undefined || compareStreamIds(fromId, lowest.fromId) < 0) lowest = {group: name, fromId};
  }
  return lowest;
}

const PAGE = 100;
/** Entries that were deleted while they were pending are looked up one by one; so many are enough. */
const MOST_LOOKUPS = 2_000;

/**
 * The lowest pending entry that the stream still holds. What was trimmed or
 * deleted is needed by no consumer; what follows too many of those to be looked up
 * counts as held.
 */
async function firstPending(
  client: StreamClient,
  stream: string,
  {firstEntry, maxDeletedId}: StreamInfo,
  group: string,
): Promise<string | undefined> {
  let lookups = 0;
  for await (const page of client.pending(stream, group, {}, firstEntry?.id, LAST_ID, PAGE)) {
    const lowest = page[0]!.id;
    const deletedBehind = maxDeletedId === undefined || compareStreamIds(lowest, maxDeletedId) <= 0;
    if (!deletedBehind || lookups >= MOST_LOOKUPS) return lowest;
    for await (const found of withEntries(client, [page.map(({id}) => ({stream, id}))])) {
      const present = found.find(([, entry]) => entry !== undefined);
      if (present !== undefined) return present[0].id;
      lookups += found.length;
    }
  }
  return undefined;
}
