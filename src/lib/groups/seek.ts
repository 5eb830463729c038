/**
 * Moving a group: where it stood, where it stands now, and what that means for
 * the entries in between. Invariant: the entries are counted before anything is
 * changed, so a dry run tells the same as the real one.
 */
import {countEntries} from '../counting.js';
import type {Position} from '../position.js';
import {LAG_COUNT_LIMIT, lagOf} from '../reports/lag.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import {compareStreamIds, LAST_ID, successorOf} from '../stream-id.js';
import {lastDeliveredBefore, setGroupAt} from './position.js';

/** The names are those of the JSON output. */
export interface GroupStand {
  lastDeliveredId: string;
  pending: number;
  lag: number;
  /** False when the lag is a lower bound. */
  lagExact: boolean;
}

export interface SeekResult {
  before: GroupStand;
  after: GroupStand;
  /** Entries that were delivered and will be again. */
  again: number;
  /** Entries that were not delivered and will not be. */
  skipped: number;
  /** False when the one of both that is not zero is a lower bound. */
  exact: boolean;
}

/** Moves `group`, or only says what that would do. Throws `notFound` when there is no such stream or group. */
export async function seekGroup(
  client: StreamClient,
  stream: string,
  group: string,
  {to, dryRun}: {to: Position; dryRun: boolean},
): Promise<SeekResult> {
  const found = await client.group(stream, group);
  const before = await standOf(client, stream, found);
  const lastDeliveredId = await lastDeliveredBefore(client, stream, to);
  const back = compareStreamIds(lastDeliveredId, found.lastDeliveredId) < 0;
  const [low, high] = back ? [lastDeliveredId, found.lastDeliveredId] : [found.lastDeliveredId, lastDeliveredId];
  const counted = await countBetween(client, stream, low, high);

  if (!dryRun) await setGroupAt(client, stream, group, lastDeliveredId);
  // Redis' own lag figure is for where the group was; without one it is counted.
  const moved = dryRun ? {...found, lastDeliveredId, lag: undefined} : await client.group(stream, group);
  const count = Math.min(counted, LAG_COUNT_LIMIT);
  return {
    before,
    after: await standOf(client, stream, moved),
    again: back ? count : 0,
    skipped: back ? 0 : count,
    exact: counted <= LAG_COUNT_LIMIT,
  };
}

/** Entries behind `low` up to and with `high`; one more than the limit stands for all above it. */
const countBetween = (client: StreamClient, stream: string, low: string, high: string): Promise<number> =>
  countEntries(client, stream, successorOf(low) ?? LAST_ID, successorOf(high) ?? LAST_ID, LAG_COUNT_LIMIT);

async function standOf(client: StreamClient, stream: string, group: GroupInfo): Promise<GroupStand> {
  const {count, exact} = await lagOf(client, stream, await client.info(stream), group);
  return {lastDeliveredId: group.lastDeliveredId, pending: group.pending, lag: count, lagExact: exact};
}
