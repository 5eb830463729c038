/**
 * Counting what Redis has no counter for: entries in a range, pending entries
 * in a range. Costs a read of what is counted, page by page in flat memory.
 */
import {countPresent} from './reading/lookup.js';
import type {StreamClient} from './stream-client.js';
import {compareStreamIds, predecessorOf} from './stream-id.js';

/** Entries from `start` up to, but without, `end`; stops once more than `limit` were seen. */
export async function countEntries(
  client: StreamClient,
  stream: string,
  start: string,
  end: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<number> {
  const last = predecessorOf(end);
  if (last === undefined || compareStreamIds(start, last) > 0) return 0;
  let count = 0;
  for await (const entries of client.range(stream, start, last)) {
    count += entries.length;
    if (count > limit) break;
  }
  return count;
}

/** Pending entries of `group` from `start` up to, but without, `end` that the stream still holds. */
export async function countPending(
  client: StreamClient,
  stream: string,
  group: string,
  start: string,
  end: string,
): Promise<number> {
  const last = predecessorOf(end);
  if (last === undefined || compareStreamIds(start, last) > 0) return 0;
  let count = 0;
  for await (const entries of client.pending(stream, group, {}, start, last)) {
    // An entry that was deleted stays pending, since nobody can have it any more to acknowledge it.
    count += await countPresent(
      client,
      stream,
      entries.map(({id}) => id),
    );
  }
  return count;
}
