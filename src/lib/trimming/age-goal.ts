/**
 * Trimming by age, which is the time in the IDs. Invariant: unless forced, no stream is trimmed by age whose IDs are not times:
 * one whose IDs are counters would be emptied, and one whose IDs are microseconds would never be trimmed.
 */
import {StreamlogError, usageError} from '../errors.js';
import {aheadMs, isTime} from '../records/entry-time.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';

/** Throws a usage error when the IDs of `stream` are plainly no times. */
export function requireTimes(stream: string, {firstEntry, lastEntry}: StreamInfo, nowMs: number): void {
  if (firstEntry === undefined || lastEntry === undefined) return;
  // One clock among them is enough: old entries may have been given IDs by hand, and all of them are older.
  if (isTime(firstEntry.id, nowMs) || isTime(lastEntry.id, nowMs)) return;
  const ids = firstEntry.id === lastEntry.id ? firstEntry.id : `${firstEntry.id} to ${lastEntry.id}`;
  throw notTimes(`the IDs of stream "${stream}" are not times (${ids}), so its entries have no age`);
}

/**
 * For trimming by age: the first entry and how far its time is ahead, where no entry has an age yet. Throws as `requireTimes`
 * does, unless `forced`, and `notFound` when there is no such stream.
 */
export async function firstAhead(
  client: StreamClient,
  stream: string,
  {forced, nowMs}: {forced: boolean; nowMs: number},
): Promise<{id: string; aheadMs: number} | undefined> {
  const info = await client.info(stream);
  if (!forced) requireTimes(stream, info, nowMs);
  const id = info.firstEntry?.id;
  const ms = id === undefined ? undefined : aheadMs(id, nowMs);
  return id === undefined || ms === undefined ? undefined : {id, aheadMs: ms};
}

/**
 * For adding with an age: throws a usage error when the entries that `stream` has, or the one that gets the ID `id`, have
 * none. A stream that cannot be looked at is for the adding to complain of.
 */
export async function requireAges(
  stream: string,
  id: string | undefined,
  connect: () => Promise<StreamClient>,
  nowMs: number,
): Promise<void> {
  const given = id === undefined ? undefined : /^\d+(?=-|$)/.exec(id)?.[0];
  if (given !== undefined && !isTime(`${given}-0`, nowMs))
    throw notTimes(`the ID ${id} is not a time, so the entry has no age`);
  const info = await look(stream, connect);
  if (info !== undefined) requireTimes(stream, info, nowMs);
}

/** Undefined when there is no such stream, and when it may not or cannot be looked at. */
async function look(stream: string, connect: () => Promise<StreamClient>): Promise<StreamInfo | undefined> {
  let client: StreamClient | undefined;
  try {
    client = await connect();
    return await client.info(stream);
  } catch (error) {
    if (error instanceof StreamlogError) return undefined;
    throw error;
  } finally {
    client?.close();
  }
}

const notTimes = (what: string): Error =>
  usageError(what, 'trim with --maxlen or --minid, or give --force to read the IDs as Unix milliseconds anyway');
