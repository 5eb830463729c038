/**
 * Where a group stands, and how to put it elsewhere: XGROUP CREATE and SETID
 * with the count (ENTRIESREAD) that keeps Redis' own lag figure valid.
 * Invariants: a position names the first entry that the group will get, so the
 * ID that counts as delivered is the one before it. Redis is given no count that
 * is not proven: it would repeat a wrong one for ever, and has no lag without one.
 */
import {isTime} from '../entry-time.js';
import {isFailure, StreamlogError} from '../errors.js';
import type {Position} from '../position.js';
import {entriesBehind, isExact} from '../reports/entries-behind.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {compareStreamIds, FIRST_ID, millisecondsOf, predecessorOf} from '../stream-id.js';

/** The last ID that counts as delivered when the next entry to come is the one at `position`. */
export async function lastDeliveredBefore(client: StreamClient, stream: string, position: Position): Promise<string> {
  return predecessorOf(await client.locate(stream, position)) ?? FIRST_ID;
}

export interface GroupCreation {
  /** False when the group was there already, and then nothing has changed. */
  created: boolean;
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
  const info = await infoOf(client, stream);
  const entriesRead = await entriesReadAt(client, stream, info, lastDeliveredId);
  const created = await withEntriesRead(entriesRead, (count) =>
    client.createGroup(stream, group, lastDeliveredId, makeStream, count),
  );
  const standsAt = created ? lastDeliveredId : (await client.group(stream, group)).lastDeliveredId;
  return {created, lastDeliveredId: standsAt, beyondEnd: isBeyondEnd(info, standsAt, nowMs)};
}

/** Moves a group. Throws `notFound` when there is no such stream or group. */
export async function setGroupAt(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  group: string,
  lastDeliveredId: string,
): Promise<void> {
  const entriesRead = await entriesReadAt(client, stream, info, lastDeliveredId);
  await withEntriesRead(entriesRead, (count) => client.setGroup(stream, group, lastDeliveredId, count));
}

/**
 * How many of all entries ever added a group has behind it that was given
 * everything up to `lastDeliveredId`. Undefined where that takes too long to
 * count, where the server keeps no such count (before Redis 7.0), and where there is no stream.
 */
async function entriesReadAt(
  client: StreamClient,
  stream: string,
  info: StreamInfo | undefined,
  lastDeliveredId: string,
): Promise<number | undefined> {
  if (info?.entriesAdded === undefined) return undefined;
  const behind = (await entriesBehind(client, stream, info, [lastDeliveredId])).get(lastDeliveredId)!;
  return isExact(behind) ? Math.max(0, info.entriesAdded - behind.atLeast) : undefined;
}

/** Undefined when there is no such stream. */
async function infoOf(client: StreamClient, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await client.info(stream);
  } catch (error) {
    if (isFailure(error, 'notFound')) return undefined;
    throw error;
  }
}

/**
 * True when entries may come that the group never gets: it stands beyond the last ID that the stream has given, and
 * not at a time that has passed, which IDs made of the clock are above.
 */
export function isBeyondEnd(info: StreamInfo | undefined, lastDeliveredId: string, nowMs: number): boolean {
  const lastId = info?.lastGeneratedId ?? FIRST_ID;
  if (compareStreamIds(lastDeliveredId, lastId) <= 0) return false;
  const clocked = lastId === FIRST_ID || isTime(lastId, nowMs);
  return !clocked || millisecondsOf(lastDeliveredId) > nowMs;
}

/** Asks with ENTRIESREAD, and without it where the server does not know the word. */
async function withEntriesRead<T>(
  entriesRead: number | undefined,
  ask: (entriesRead: number | undefined) => Promise<T>,
): Promise<T> {
  try {
    return await ask(entriesRead);
  } catch (error) {
    if (entriesRead === undefined || !(error instanceof StreamlogError) || error.code !== 'ERR') throw error;
    return ask(undefined);
  }
}
