/**
 * What groups lose in a trim: entries that were not delivered to them, and those that they have not acknowledged, from the
 * lags before, one walk over the oldest IDs, and some pages of XPENDING. Invariants: only entries that were in the stream are
 * counted; what cannot be counted within the limits is marked, with the most that it can be.
 */
import {compareStreamIds, LAST_ID, predecessorOf, successorOf} from '../records/stream-id.js';
import {COUNT_LIMITS, shareBehind} from '../reports/entries-behind.js';
import {type Lag, lagsOf} from '../reports/lag.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';

/** What a group lost, or will lose. The names are those of the JSON output. */
export interface GroupLoss {
  group: string;
  /** Entries that it was never given. */
  unread: number;
  /** Entries that it has not acknowledged. */
  pending: number;
  /** Only where one of them is an estimate: then each is at most so many. */
  exact?: false;
  unreadAtMost?: number;
  pendingAtMost?: number;
}

/** A number of entries between two bounds. */
export interface Bounds {
  estimate: number;
  atLeast: number;
  atMost: number;
}

export const exactly = (count: number): Bounds => ({estimate: count, atLeast: count, atMost: count});

/** What losses depend on and a trim destroys. */
export interface BeforeTrim {
  info: StreamInfo;
  groups: readonly GroupInfo[];
  lags: readonly Lag[];
  /** The oldest entries; undefined where nothing depends on them. */
  oldest: ReadonlySet<string> | undefined;
}

/** Looks at a stream before it is trimmed. With `forecasting`, the oldest entries say where a cut would be. */
export async function lookBefore(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
  {forecasting}: {forecasting: boolean},
): Promise<BeforeTrim> {
  const lags = await lagsOf(client, stream, info, groups);
  const needsOldest = groups.some(({pending}) => pending > 0) && (forecasting || mayHoldGaps(info));
  return {info, groups, lags, oldest: needsOldest ? await oldestIds(client, stream) : undefined};
}

/** Where the cut is when `removed` entries go; undefined when the walk did not come so far. */
export function cutBehind({oldest}: BeforeTrim, removed: number): string | undefined {
  return oldest === undefined ? undefined : [...oldest][removed];
}

/**
 * What the groups lose when the oldest `removed` entries go; without those that lose nothing. `cut` is the first ID that
 * stays, undefined where that is not known.
 */
export async function findLosses(
  client: StreamClient,
  stream: string,
  before: BeforeTrim,
  removed: Bounds,
  cut: string | undefined,
): Promise<GroupLoss[]> {
  if (removed.atMost === 0) return [];
  const losses: GroupLoss[] = [];
  for (const [index, group] of before.groups.entries()) {
    const unread = lostUnread(before, group, before.lags[index]!, removed, cut);
    const pending = group.pending === 0 ? exactly(0) : await lostPending(client, stream, before, group, cut);
    if (unread.atMost + pending.atMost === 0) continue;
    const loss: GroupLoss = {group: group.name, unread: unread.estimate, pending: pending.estimate};
    const exact = unread.atLeast === unread.atMost && pending.atLeast === pending.atMost;
    losses.push(exact ? loss : {...loss, exact, unreadAtMost: unread.atMost, pendingAtMost: pending.atMost});
  }
  return losses;
}

/** What was not read, less what of that is left: the newest entries, as many as the trim did not take. */
function lostUnread(
  {info}: BeforeTrim,
  {lastDeliveredId}: GroupInfo,
  lag: Lag,
  removed: Bounds,
  cut: string | undefined,
): Bounds {
  const firstUnread = successorOf(lastDeliveredId);
  if (firstUnread === undefined || (cut !== undefined && compareStreamIds(firstUnread, cut) >= 0)) return exactly(0);
  const within = (unread: number, gone: number): number => Math.max(0, Math.min(gone, unread - (info.length - gone)));
  return {
    estimate: within(lag.count, removed.estimate),
    atLeast: within(lag.atLeast, removed.atLeast),
    atMost: within(lag.atMost, removed.atMost),
  };
}

/** Pending entries before `cut` that the stream held. */
async function lostPending(
  client: StreamClient,
  stream: string,
  {info, oldest}: BeforeTrim,
  group: GroupInfo,
  cut: string | undefined,
): Promise<Bounds> {
  const first = info.firstEntry?.id;
  const newestKnown = oldest === undefined ? undefined : [...oldest].at(-1);
  const last = cut === undefined ? newestKnown : predecessorOf(cut);
  if (first === undefined || last === undefined || compareStreamIds(first, last) > 0) return exactly(0);
  let held = 0;
  let unsure = 0;
  for await (const page of client.pending(stream, group.name, {}, first, last)) {
    for (const {id} of page) {
      if (isAboveGaps(info, id) || oldest?.has(id)) held++;
      else if (newestKnown === undefined || compareStreamIds(id, newestKnown) > 0) unsure++;
    }
    if (held + unsure <= COUNT_LIMITS.entries) continue;
    return rest(client, stream, info, group, last, held);
  }
  const beyond = cut === undefined ? group.pending - held : 0;
  return {estimate: held + unsure, atLeast: held, atMost: held + unsure + Math.max(0, beyond)};
}

/** For a list that is too long to be counted: its ends say whether all of it is before the cut, or about how much. */
async function rest(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  group: GroupInfo,
  last: string,
  held: number,
): Promise<Bounds> {
  const count = group.pending;
  const after = successorOf(last);
  const [[lowest], behind] = await Promise.all([
    client.pendingPage(stream, group.name, {count: 1}),
    after === undefined ? [] : client.pendingPage(stream, group.name, {start: after, count: 1}),
  ]);
  const inside = lowest !== undefined && behind.length === 0 && compareStreamIds(info.firstEntry!.id, lowest.id) <= 0;
  if (inside && isAboveGaps(info, lowest.id)) return exactly(count);
  if (inside || lowest === undefined) return {estimate: count, atLeast: held, atMost: count};
  // Nothing that is pending was delivered after the last delivered entry, unless the group was moved back.
  const estimate = Math.round(count * (1 - shareBehind(last, lowest.id, group.lastDeliveredId)));
  return {estimate: Math.max(held, estimate), atLeast: held, atMost: count};
}

/** Whether entries may have been deleted between others that are there. */
const mayHoldGaps = ({firstEntry, maxDeletedId}: StreamInfo): boolean =>
  firstEntry !== undefined && (maxDeletedId === undefined || compareStreamIds(maxDeletedId, firstEntry.id) >= 0);

/** Whether no entry from `id` on was ever deleted: `max-deleted-entry-id`, since Redis 7.0 (https://redis.io/docs/latest/commands/xinfo-stream/). */
const isAboveGaps = ({maxDeletedId}: StreamInfo, id: string): boolean =>
  maxDeletedId !== undefined && compareStreamIds(id, maxDeletedId) > 0;

async function oldestIds(client: StreamClient, stream: string): Promise<ReadonlySet<string>> {
  const oldest = new Set<string>();
  let bytes = 0;
  for await (const page of client.ids(stream, '0-0', LAST_ID)) {
    for (const id of page.ids) oldest.add(id);
    bytes += page.bytes;
    if (oldest.size > COUNT_LIMITS.entries || bytes > COUNT_LIMITS.bytes) break;
  }
  return oldest;
}
