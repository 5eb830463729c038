/**
 * Which of some entries groups still need: those that they have not read, and those that are pending with them. For what a
 * person types: each ID is looked at.
 */
import type {IdReference} from '../input/id-reader.js';
import {presentIds} from '../reading/lookup.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import type {GroupLoss} from '../trimming/losses.js';

export interface NeededEntries {
  stream: string;
  /** Those of the given ones that are there. */
  entries: number;
  needs: GroupLoss[];
}

/** Looked up at once. */
const PAGE = 100;

/** For each stream of `references`, unless no group needs any of them. */
export async function neededEntries(
  client: StreamClient,
  references: AsyncIterable<readonly IdReference[]>,
  defaultStream: string,
): Promise<NeededEntries[]> {
  const streams = new Map<string, Set<string>>();
  for await (const batch of references)
    for (const {id, stream = defaultStream} of batch) streams.set(stream, (streams.get(stream) ?? new Set()).add(id));
  const needed: NeededEntries[] = [];
  for (const [stream, ids] of streams) {
    const present = await presentIds(client, stream, [...ids]);
    if (present.length === 0) continue;
    const needs: GroupLoss[] = [];
    for (const group of await client.groups(stream)) {
      const unread = present.filter((id) => compareStreamIds(id, group.lastDeliveredId) > 0).length;
      const pending = group.pending === 0 ? 0 : await pendingOf(client, stream, group, present);
      if (unread + pending > 0) needs.push({group: group.name, unread, pending});
    }
    if (needs.length > 0) needed.push({stream, entries: present.length, needs});
  }
  return needed;
}

async function pendingOf(
  client: StreamClient,
  stream: string,
  {name}: GroupInfo,
  ids: readonly string[],
): Promise<number> {
  let count = 0;
  for (let at = 0; at < ids.length; at += PAGE) {
    const page = ids.slice(at, at + PAGE).map((id) => client.pendingEntry({stream, group: name}, id));
    count += (await Promise.all(page)).filter((entry) => entry !== undefined).length;
  }
  return count;
}
