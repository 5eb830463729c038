/**
 * Moving a group: where it stood, where it stands now, and what that means for
 * the entries in between. Invariant: the entries are counted before anything is
 * changed, so a dry run tells the same as the real one.
 */
import type {Position} from '../position.js';
import {entriesBetween, isExact} from '../reports/entries-behind.js';
import {type LagFacts, lagFacts, lagsOf} from '../reports/lag.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import {compareStreamIds} from '../stream-id.js';
import {isBeyondEnd, lastDeliveredBefore, setGroupAt} from './position.js';

/** The names are those of the JSON output. */
export interface GroupStand extends LagFacts {
  lastDeliveredId: string;
  pending: number;
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

/**
 * Moves `group`, or only says what that would do, and whether entries may come that it never gets where it stands
 * then. Throws `notFound` when there is no such stream or group.
 */
export async function seekGroup(
  client: StreamClient,
  stream: string,
  group: string,
  {to, dryRun, nowMs}: {to: Position; dryRun: boolean; nowMs: number},
): Promise<{result: SeekResult; beyondEnd: boolean}> {
  const found = await client.group(stream, group);
  const info = await client.info(stream);
  const lastDeliveredId = await lastDeliveredBefore(client, stream, to);
  const back = compareStreamIds(lastDeliveredId, found.lastDeliveredId) < 0;
  const [low, high] = back ? [lastDeliveredId, found.lastDeliveredId] : [found.lastDeliveredId, lastDeliveredId];
  const between = await entriesBetween(client, stream, info, low, high);

  if (!dryRun) await setGroupAt(client, stream, info, group, lastDeliveredId);
  // Redis' own count is for where the group was.
  const moved: GroupInfo = dryRun
    ? {...found, lastDeliveredId, entriesRead: undefined, lag: undefined}
    : await client.group(stream, group);
  const [before, after] = await standsOf(client, stream, info, [found, moved]);
  const result: SeekResult = {
    before: before!,
    after: after!,
    again: back ? between.atLeast : 0,
    skipped: back ? 0 : between.atLeast,
    exact: isExact(between),
  };
  return {result, beyondEnd: isBeyondEnd(info, lastDeliveredId, nowMs)};
}

async function standsOf(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
): Promise<GroupStand[]> {
  const lags = await lagsOf(client, stream, info, groups);
  return groups.map(({lastDeliveredId, pending}, index) => ({lastDeliveredId, pending, ...lagFacts(lags[index]!)}));
}
