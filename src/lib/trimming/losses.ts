/**
 * What a trim takes from whom: the entries in front of the cut that a group was
 * never given, and those that it has not acknowledged. Invariant: only entries
 * that are in the stream are counted; what was deleted before is not lost again.
 */
import {countEntries, countPending} from '../counting.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import {compareStreamIds, LAST_ID, successorOf} from '../stream-id.js';

/** What a group lost, or will lose: entries it was never given, and entries it has not acknowledged. */
export interface GroupLoss {
  group: string;
  unread: number;
  pending: number;
}

/** False when `group` has read and acknowledged everything: it has nothing to lose. */
export const mayLose = (info: StreamInfo, group: GroupInfo): boolean =>
  group.pending > 0 || compareStreamIds(group.lastDeliveredId, info.lastGeneratedId) < 0;

/** What the groups lose when all in front of `cut` goes; without those that lose nothing. */
export async function findLosses(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
  cut: string,
): Promise<GroupLoss[]> {
  const first = info.firstEntry?.id;
  if (first === undefined) return [];
  const losses: GroupLoss[] = [];
  for (const {name, pending, lastDeliveredId} of groups) {
    const firstUnread = successorOf(lastDeliveredId) ?? LAST_ID;
    const start = compareStreamIds(firstUnread, first) > 0 ? firstUnread : first;
    const loss = {
      group: name,
      unread: await countEntries(client, stream, start, cut),
      pending: pending === 0 ? 0 : await countPending(client, stream, name, first, cut),
    };
    if (loss.unread + loss.pending > 0) losses.push(loss);
  }
  return losses;
}

/** `before` plus, or with `sign` -1 minus, `more`; without the groups that come out with no loss. */
export function addLosses(before: readonly GroupLoss[], more: readonly GroupLoss[], sign: 1 | -1 = 1): GroupLoss[] {
  const sum = new Map(before.map((loss) => [loss.group, loss]));
  for (const {group, unread, pending} of more) {
    const known = sum.get(group) ?? {group, unread: 0, pending: 0};
    sum.set(group, {group, unread: known.unread + sign * unread, pending: known.pending + sign * pending});
  }
  return [...sum.values()].filter(({unread, pending}) => unread + pending > 0);
}
