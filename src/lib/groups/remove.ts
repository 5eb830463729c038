/**
 * Removing a group with open eyes: with it goes the knowledge of what it has
 * read and of what is pending. The entries stay in the stream. Invariant: a
 * group with something to lose goes only when that was said to be wanted.
 */
import {usageError} from '../errors.js';
import {lagOf} from '../reports/lag.js';
import {shellWord} from '../shell-word.js';
import type {StreamClient} from '../stream-client.js';

/** What goes with the group. */
export interface GroupRemains {
  consumers: number;
  /** Delivered and not acknowledged. */
  pending: number;
  /** Never delivered. */
  unread: number;
  /** False when `unread` is a lower bound. */
  unreadExact: boolean;
}

/**
 * Removes `group`, or with `dryRun` only looks. Throws `notFound` when there is
 * no such group, a usage error when it has something to lose and `force` is
 * not given.
 */
export async function removeGroup(
  client: StreamClient,
  stream: string,
  group: string,
  {force, dryRun}: {force: boolean; dryRun: boolean},
): Promise<GroupRemains> {
  const found = await client.group(stream, group);
  const lag = await lagOf(client, stream, await client.info(stream), found);
  const remains = {
    consumers: found.consumers,
    pending: found.pending,
    unread: lag.count,
    unreadExact: lag.exact,
  };
  if (dryRun) return remains;
  if (!force && remains.pending + remains.unread > 0) throw refusal(stream, group, remains);
  await client.destroyGroup(stream, group);
  return remains;
}

function refusal(stream: string, group: string, {pending, unread, unreadExact}: GroupRemains): Error {
  const many = unreadExact ? String(unread) : `more than ${unread}`;
  return usageError(
    `group "${group}" on stream "${stream}" still has ${pending} pending and ${many} unread entries`,
    `remove it all the same: streamlog group remove --group=${shellWord(group)} --stream=${shellWord(stream)} --force`,
  );
}
