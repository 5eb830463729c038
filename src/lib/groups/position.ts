/**
 * Where a group stands, and how to put it elsewhere: XGROUP CREATE and SETID
 * with the count (ENTRIESREAD) that keeps Redis' own lag figure valid.
 * Invariant: a position names the first entry that the group will get, so the
 * ID that counts as delivered is the one before it.
 */
import {isFailure, StreamlogError} from '../errors.js';
import type {Position} from '../position.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {compareStreamIds, FIRST_ID, LAST_ID, predecessorOf, successorOf} from '../stream-id.js';

/** The last ID that counts as delivered when the next entry to come is the one at `position`. */
export async function lastDeliveredBefore(client: StreamClient, stream: string, position: Position): Promise<string> {
  return predecessorOf(await client.locate(stream, position)) ?? FIRST_ID;
}

export interface GroupCreation {
  /** False when the group was there already, and then nothing has changed. */
  created: boolean;
  lastDeliveredId: string;
}

/** Makes a group. Throws `notFound` when there is no such stream and `makeStream` is false. */
export async function createGroupAt(
  client: StreamClient,
  stream: string,
  group: string,
  position: Position,
  makeStream: boolean,
): Promise<GroupCreation> {
  const lastDeliveredId = await lastDeliveredBefore(client, stream, position);
  const entriesRead = await entriesReadAt(client, stream, lastDeliveredId);
  const created = await withEntriesRead(entriesRead, (count) =>
    client.createGroup(stream, group, lastDeliveredId, makeStream, count),
  );
  return {created, lastDeliveredId: created ? lastDeliveredId : (await client.group(stream, group)).lastDeliveredId};
}

/** Moves a group. Throws `notFound` when there is no such stream or group. */
export async function setGroupAt(
  client: StreamClient,
  stream: string,
  group: string,
  lastDeliveredId: string,
): Promise<void> {
  const entriesRead = await entriesReadAt(client, stream, lastDeliveredId);
  await withEntriesRead(entriesRead, (count) => client.setGroup(stream, group, lastDeliveredId, count));
}

/**
 * How many of all entries ever added a group has behind it that was given
 * everything up to `lastDeliveredId`. Undefined where the server keeps no such
 * count (before Redis 7.0), and where there is no stream.
 */
async function entriesReadAt(
  client: StreamClient,
  stream: string,
  lastDeliveredId: string,
): Promise<number | undefined> {
  const info = await client.info(stream).catch((error) => {
    if (isFailure(error, 'notFound')) return undefined;
    throw error;
  });
  if (info?.entriesAdded === undefined) return undefined;
  return Math.max(0, info.entriesAdded - (await countUnread(client, stream, info, lastDeliveredId)));
}

/**
 * Entries behind `lastDeliveredId`, as of `info`. Read from both ends at once,
 * so that the nearer one decides what it costs.
 */
async function countUnread(
  client: StreamClient,
  stream: string,
  {length, firstEntry, lastEntry}: StreamInfo,
  lastDeliveredId: string,
): Promise<number> {
  if (firstEntry === undefined || lastEntry === undefined) return 0;
  if (compareStreamIds(lastDeliveredId, lastEntry.id) >= 0) return 0;
  if (compareStreamIds(lastDeliveredId, firstEntry.id) < 0) return length;
  const read = client.range(stream, firstEntry.id, lastDeliveredId);
  const unread = client.range(stream, successorOf(lastDeliveredId) ?? LAST_ID, lastEntry.id);
  let readCount = 0;
  let unreadCount = 0;
  for (;;) {
    const [readPage, unreadPage] = await Promise.all([read.next(), unread.next()]);
    if (unreadPage.done) return unreadCount;
    if (readPage.done) return length - readCount;
    readCount += readPage.value.length;
    unreadCount += unreadPage.value.length;
  }
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
