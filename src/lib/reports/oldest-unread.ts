/**
 * The oldest entry that a group was not given yet, whose age says how far behind it is in time. Mostly its ID comes up when the
 * lag is found; otherwise Redis is asked for it, which copies one entry. Invariant: what may be too large to be copied within
 * a few milliseconds is not asked for, and then the answer is "not known".
 */
import {unlessDenied} from '../errors.js';
import {pipelined} from '../pipelined.js';
import {ageMs} from '../records/entry-time.js';
import type {StreamClient} from '../stream-client.js';
import {bytesOf, type EntryCount, type StreamEnds} from './entries-behind.js';

/** An entry that Redis copies within about a millisecond. */
const MOST_BYTES = 2 * 1024 * 1024;

/** The ID of the entry; null where there is none, undefined where it is not known. */
export type UnreadId = string | null | undefined;

/** For each ID of `behind`, as `entriesBehind` found it as of `info`: the first entry behind it. */
export async function firstUnread(
  client: StreamClient,
  stream: string,
  info: StreamEnds,
  behind: ReadonlyMap<string, EntryCount>,
): Promise<Map<string, UnreadId>> {
  const unread = async ([id, count]: readonly [string, EntryCount]): Promise<readonly [string, UnreadId]> => {
    if (count.atMost === 0) return [id, null];
    if (count.firstId !== undefined) return [id, count.firstId];
    if (count.atMost === 1) return [id, info.lastEntry?.id];
    if (largestBytes(info) > MOST_BYTES) return [id, undefined];
    return [id, await unlessDenied(client.nextId(stream, id).then((next) => next ?? null))];
  };
  return new Map(await pipelined([...behind], unread));
}

/** Milliseconds since that entry came: 0 where there is none, null where it is not known. */
export function ageOfUnread(id: UnreadId, nowMs: number): number | null {
  if (id === undefined) return null;
  return id === null ? 0 : ageMs(id, nowMs);
}

/** As far as is known: Redis does not say how large the entries between the first and the last one are. */
const largestBytes = ({entryBytes, firstEntry, lastEntry}: StreamEnds): number =>
  entryBytes ?? Math.max(...[firstEntry, lastEntry].map((entry) => (entry === undefined ? 0 : bytesOf(entry))));
