/**
 * Removes a group, and with it what it has read and what is pending. Invariants: a group that may have something to lose is
 * removed only with `force`, and what is not known counts as something to lose; Redis is not held up: XGROUP DESTROY frees a
 * pending list in one piece (230 ms for a million entries), so most of it is acknowledged before, page by page.
 */
import {isFailure, StreamlogError, usageError} from '../errors.js';
import {lagOf} from '../reports/lag.js';
import {shellWord} from '../shell-word.js';
import type {StreamClient} from '../stream-client.js';

/** What goes with the group. */
export interface GroupRemains {
  consumers: number;
  /** Delivered and not acknowledged. */
  pending: number;
  /** Never delivered: the best figure there is. */
  unread: number;
  /** Whether `unread` is proven. */
  unreadExact: boolean;
  /** The bounds, only where it is not. */
  unreadAtLeast?: number;
  unreadAtMost?: number;
}

/**
 * Removes `group`, or with `dryRun` only looks. Throws `notFound` when there is
 * no such group, a usage error when it may have something to lose and `force` is
 * not given, `temporary` when it has more to lose than was `agreed`.
 */
export async function removeGroup(
  client: StreamClient,
  stream: string,
  group: string,
  {force, dryRun, agreed}: {force: boolean; dryRun: boolean; agreed?: GroupRemains | undefined},
): Promise<GroupRemains> {
  const found = await client.group(stream, group);
  const lag = await lagOf(client, stream, await client.info(stream), found);
  const remains = {
    consumers: found.consumers,
    pending: found.pending,
    unread: lag.count,
    unreadExact: lag.exact,
    ...(lag.exact ? {} : {unreadAtLeast: lag.atLeast, unreadAtMost: lag.atMost}),
  };
  if (dryRun) return remains;
  if (agreed !== undefined && hasMore(remains, agreed)) throw hasGrown(stream, group, remains);
  if (!force && agreed === undefined && mayLose(remains)) throw refusal(stream, group, remains);
  await drain(client, stream, group, remains.pending);
  await client.destroyGroup(stream, group);
  return remains;
}

/** Whether something is pending or may be unread. */
export const mayLose = (remains: GroupRemains): boolean => remains.pending > 0 || mostUnread(remains) > 0;

const mostUnread = ({unread, unreadAtMost = unread}: GroupRemains): number => unreadAtMost;

const hasMore = (now: GroupRemains, agreed: GroupRemains): boolean =>
  now.pending > agreed.pending || mostUnread(now) > mostUnread(agreed);

/** XGROUP DESTROY frees as many in 2 ms, though each is with a consumer of its own. */
const PENDING_TO_DESTROY = 5_000;
const PAGE = 500;

/** Consumers may go on reading, so it ends after as many as there were. */
async function drain(client: StreamClient, stream: string, group: string, pending: number): Promise<void> {
  let left = pending;
  while (left > PENDING_TO_DESTROY) {
    const acknowledged = await acknowledgeLowest(client, stream, group);
    if (acknowledged === 0) return;
    left -= acknowledged;
  }
}

/** 0 where the user may not: who may remove a group needs no other right for it. */
async function acknowledgeLowest(client: StreamClient, stream: string, group: string): Promise<number> {
  try {
    return await client.scripts.acknowledgeLowest(stream, group, PAGE);
  } catch (error) {
    if (isFailure(error, 'denied') || isFailure(error, 'notFound')) return 0;
    throw error;
  }
}

const describeRemains = (stream: string, group: string, {pending, unread, unreadExact}: GroupRemains): string =>
  `group "${group}" on stream "${stream}" still has ${pending} pending and ${unreadExact ? '' : 'about '}${unread} unread entries`;

/** What is asked before a group is removed that may lose something. */
export const askRemoval = (stream: string, group: string, remains: GroupRemains): string =>
  `${describeRemains(stream, group, remains)}. Remove it?`;

const refusal = (stream: string, group: string, remains: GroupRemains): Error =>
  usageError(
    describeRemains(stream, group, remains),
    `to remove it anyway: streamlog group remove --group=${shellWord(group)} --stream=${shellWord(stream)} --force`,
  );

const hasGrown = (stream: string, group: string, remains: GroupRemains): Error =>
  new StreamlogError('temporary', `nothing was removed: by now, ${describeRemains(stream, group, remains)}`);
