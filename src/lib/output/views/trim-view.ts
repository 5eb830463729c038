/** How what a trim took looks to a person. */
import {formatAge} from '../../duration.js';
import type {GroupLoss} from '../../trimming/losses.js';

/** For a stream of which nothing has an age yet. */
export const describeAhead = (stream: string, firstId: string, aheadMs: number): string =>
  `no entry of stream "${stream}" has an age: the time of the first one, ${firstId}, is ${formatAge(0, aheadMs)}`;

export function describeLoss(loss: GroupLoss, dryRun: boolean): string {
  const {group, exact, unread, pending, unreadAtMost = unread, pendingAtMost = pending} = loss;
  const unreadText = exact === undefined ? String(unread) : estimate(unread, unreadAtMost);
  const pendingText = exact === undefined ? String(pending) : estimate(pending, pendingAtMost);
  const removed = dryRun ? 'would be removed' : 'were removed';
  return `${unreadText} unread and ${pendingText} pending entries of group "${group}" ${removed}; --safe keeps them`;
}

function estimate(count: number, atMost: number): string {
  if (atMost === 0) return '0';
  return count === atMost ? `up to ${atMost}` : `about ${count} (up to ${atMost})`;
}
