/**
 * Where a group is in its stream: XGROUP CREATE and SETID with the count (ENTRIESREAD) that keeps Redis' own lag valid.
 * Invariants: a position is the first entry that the group will get, so the ID before it is the last delivered one. Redis
 * is given no count that is not proven: it would keep a wrong one, and without one it reports no lag.
 */

import {StreamlogError} from '../errors.js';
import {counted} from '../output/sentences.js';
import {findInfo, locate} from '../reading/locate.js';
import type {Position} from '../records/position.js';
import {compareStreamIds, FIRST_ID, predecessorOf} from '../records/stream-id.js';
import {isBeyondEnd} from '../reports/beyond-end.js';
import {type EntryCount, entriesBehind, entriesBetween, isExact} from '../reports/entries-behind.js';
import {type LagFacts, lagFacts, lagFrom} from '../reports/lag.js';
import {shellWord} from '../shell-word.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';

/** The last ID that counts as delivered when the next entry to come is the one at `position`. */
export async function lastDeliveredBefore(client: StreamClient, stream: string, position: Position): Promise<string> {
  return predecessorOf(await locate(client, stream, position)) ?? FIRST_ID;
}

/** What moves a group, to be typed. */
export const seekCommand = (group: string, stream: string, to: string): string =>
  `streamlog group seek ${shellWord(group)} --stream ${shellWord(stream)} --to ${shellWord(to)}`;

export interface GroupCreation {
  /** False when the group was there already, and then nothing has changed. */
  created: boolean;
  /** Whether the stream was made for it. */
  madeStream: boolean;
  lastDeliveredId: string;
  /** True when entries may come that it never gets. */
  beyondEnd: boolean;
}

/** Makes a group. Throws `notFound` when there is no such stream and `makeStream` is false. */
export async function createGroupAt(
  client: StreamClient,
  stream: string,
  group: string,
  position: Position,
  {makeStream, nowMs}: {makeStream: boolean; nowMs: number},
): Promise<GroupCreation> {
  const lastDeliveredId = await lastDeliveredBefore(client, stream, position);
  const info = await findInfo(client, stream);
  const behind = info && (await entriesBehind(client, stream, info, [lastDeliveredId]));
  const entriesRead = info && behind && entriesReadBy(info, behind.get(lastDeliveredId)!);
  const created = await withEntriesRead(entriesRead, (count) =>
    client.createGroup(stream, group, lastDeliveredId, makeStream, count),
  );
  const standsAt = created ? lastDeliveredId : (await client.group(stream, group)).lastDeliveredId;
  return {
    created,
    madeStream: created && info === undefined,
    lastDeliveredId: standsAt,
    beyondEnd: isBeyondEnd(info, standsAt, nowMs),
  };
}

/**
 * Moves a group, and tells Redis how many entries it has read there, where that is known. Throws `notFound` when there is
 * no such stream or group.
 */
export const setGroupAt = (
  client: StreamClient,
  stream: string,
  group: string,
  lastDeliveredId: string,
  entriesRead: number | bigint | undefined,
): Promise<void> => withEntriesRead(entriesRead, (count) => client.setGroup(stream, group, lastDeliveredId, count));

/**
 * How many of all entries ever added a group has read that has `behind` left. Undefined where that is not certain, and
 * where the server keeps no such count (before Redis 7.0, https://redis.io/docs/latest/commands/xgroup-create/).
 */
export const entriesReadBy = ({entriesAdded}: StreamInfo, behind: EntryCount): number | undefined =>
  entriesAdded === undefined || !isExact(behind) ? undefined : Math.max(0, entriesAdded - behind.atLeast);

/** Asks with ENTRIESREAD, and without it where the server does not know the word. */
async function withEntriesRead<T, Count extends number | bigint>(
  entriesRead: Count | undefined,
  ask: (entriesRead: Count | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await ask(entriesRead);
  } catch (error) {
    if (entriesRead === undefined || !(error instanceof StreamlogError) || error.code !== 'ERR') throw error;
    return ask(undefined);
  }
}

/** The names are those of the JSON output. */
export interface GroupPosition extends LagFacts {
  lastDeliveredId: string;
  pending: number;
}

export interface SeekResult {
  before: GroupPosition;
  after: GroupPosition;
  /** Entries that were delivered and will be again. */
  again: number;
  /** Entries that were not delivered and will not be. */
  skipped: number;
  /** False when the one of both that is not zero is a lower bound. */
  exact: boolean;
}

/**
 * Moves `group`, or only says what that would do, and whether entries may come that it never gets where it stands
 * then. With `agreed`, moves it to where that dry run would have. Throws `notFound` when there is no such stream or group,
 * `temporary` when it was moved since then, so that it would skip other entries or get some again.
 */
export async function seekGroup(
  client: StreamClient,
  stream: string,
  group: string,
  {to, dryRun, nowMs, agreed}: {to: Position; dryRun: boolean; nowMs: number; agreed?: SeekResult | undefined},
): Promise<{result: SeekResult; beyondEnd: boolean}> {
  const found = await client.group(stream, group);
  if (agreed !== undefined && !isWithin(found.lastDeliveredId, agreed)) throw hasMoved(group, found.lastDeliveredId);
  const info = await client.info(stream);
  const lastDeliveredId = agreed?.after.lastDeliveredId ?? (await lastDeliveredBefore(client, stream, to));
  const back = compareStreamIds(lastDeliveredId, found.lastDeliveredId) < 0;
  const [low, high] = back ? [lastDeliveredId, found.lastDeliveredId] : [found.lastDeliveredId, lastDeliveredId];
  const behind = await entriesBehind(client, stream, info, [low, high]);
  const between = await entriesBetween(client, stream, behind, low, high);
  const entriesRead = entriesReadBy(info, behind.get(lastDeliveredId)!);

  if (!dryRun) await setGroupAt(client, stream, group, lastDeliveredId, entriesRead);
  const standOf = (stand: GroupInfo): GroupPosition => ({
    lastDeliveredId: stand.lastDeliveredId,
    pending: stand.pending,
    ...lagFacts(lagFrom(info, stand, behind.get(stand.lastDeliveredId)!)),
  });
  const result: SeekResult = {
    before: standOf(found),
    // Redis' own count was for where the group stood.
    after: standOf({...found, lastDeliveredId, entriesRead}),
    again: back ? between.atLeast : 0,
    skipped: back ? 0 : between.atLeast,
    exact: isExact(between),
  };
  return {result, beyondEnd: isBeyondEnd(info, lastDeliveredId, nowMs)};
}

/** Whether a group that may have read on since a dry run still skips nothing but what was skipped there. */
const isWithin = (lastDeliveredId: string, {before, after}: SeekResult): boolean =>
  compareStreamIds(before.lastDeliveredId, lastDeliveredId) <= 0 &&
  compareStreamIds(lastDeliveredId, after.lastDeliveredId) <= 0;

const hasMoved = (group: string, lastDeliveredId: string): StreamlogError =>
  new StreamlogError(
    'temporary',
    `nothing was changed: group "${group}" has moved to ${lastDeliveredId} since you were asked`,
  );

/** What is asked before a group is moved past entries that it has not read. */
export const askSkip = (stream: string, group: string, {skipped, exact, after}: SeekResult): string =>
  `group ${group} has not read ${exact ? '' : 'at least '}${counted(skipped, 'entry')} of ${stream} up to ` +
  `${after.lastDeliveredId}, and would never get them. Move it?`;
