/**
 * How far a group is behind. `entries-read` proves nothing: it is what a client gave with ENTRIESREAD, and wrong when a trim
 * overtakes a group (redis/redis#13337, #13957, #14257). So the bounds come from `entriesBehind`, and Redis' figure, where it
 * lies between them, is only the best estimate. Invariant: `atLeast` <= the truth <= `atMost`; `exact` when they are the same.
 */
import {compareStreamIds} from '../records/stream-id.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import {type CountLimits, type EntryCount, entriesBehind, isExact, type StreamEnds} from './entries-behind.js';

/** Entries that a group has not been given yet. */
export interface Lag {
  /** The best figure there is. */
  count: number;
  /** Whether `count` is proven. */
  exact: boolean;
  atLeast: number;
  atMost: number;
  /** Where `count` comes from: XINFO, a count of entries, or an estimate between the bounds. */
  source: 'redis' | 'counted' | 'bound';
}

/** A lag under the names of the JSON output, which are a contract. */
export interface LagFacts {
  /** The best figure there is. */
  lag: number;
  /** Whether `lag` is proven; then the bounds are the same. */
  lagExact: boolean;
  lagAtLeast: number;
  lagAtMost: number;
  lagSource: Lag['source'];
}

export const lagFacts = ({count, exact, atLeast, atMost, source}: Lag): LagFacts => ({
  lag: count,
  lagExact: exact,
  lagAtLeast: atLeast,
  lagAtMost: atMost,
  lagSource: source,
});

/** The lags of `groups` as of `info`, which must come from the same stream, in their order. Counts once for all of them. */
export async function lagsOf(
  client: StreamClient,
  stream: string,
  info: StreamEnds,
  groups: readonly GroupInfo[],
  limits?: CountLimits,
): Promise<Lag[]> {
  const ids = groups.map(({lastDeliveredId}) => lastDeliveredId);
  const behind = await entriesBehind(client, stream, info, ids, limits);
  return groups.map((group) => lagFrom(info, group, behind.get(group.lastDeliveredId)!));
}

/** The lag of one group. */
export async function lagOf(client: StreamClient, stream: string, info: StreamEnds, group: GroupInfo): Promise<Lag> {
  const [lag] = await lagsOf(client, stream, info, [group]);
  return lag!;
}

/** The lag of `group` as of `info`, with what is behind the ID that it was given last. */
export function lagFrom(info: StreamEnds, group: GroupInfo, behind: EntryCount): Lag {
  const {atLeast, atMost, counted, estimate} = behind;
  if (isExact(behind)) return {count: atLeast, exact: true, atLeast, atMost, source: counted ? 'counted' : 'redis'};
  const claimed = claimedBy(info, group);
  // Counters that say what cannot be are of no use.
  const claims = claimed !== undefined && claimed.atLeast <= atMost && claimed.atMost >= atLeast;
  if (!claims) return {count: estimate, exact: false, atLeast, atMost, source: 'bound'};
  const low = Math.max(atLeast, claimed.atLeast);
  const high = Math.min(atMost, claimed.atMost);
  const count = Math.min(high, Math.max(low, estimate));
  return {count, exact: false, atLeast, atMost, source: isExact(claimed) ? 'redis' : 'bound'};
}

/** What the counters of the server would have the lag be; undefined where it has none. */
function claimedBy(
  {entriesAdded, length, maxDeletedId}: StreamEnds,
  {entriesRead, lastDeliveredId}: GroupInfo,
): {atLeast: number; atMost: number} | undefined {
  if (entriesAdded === undefined || entriesRead === undefined || maxDeletedId === undefined) return undefined;
  const notRead = entriesAdded - entriesRead;
  // The last delivered ID is not before the first entry here, so a trim took nothing behind it; an XDEL may have.
  const allThere = compareStreamIds(maxDeletedId, lastDeliveredId) <= 0;
  return {atLeast: allThere ? notRead : length - entriesRead, atMost: notRead};
}
