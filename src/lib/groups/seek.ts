/**
 * Moving a group: where it stood, where it stands now, and what that means for
 * the entries in between. Invariant: the entries are counted before anything is
 * changed, so a dry run tells the same as the real one.
 */
import type {Position} from '../records/position.js';
import {compareStreamIds} from '../records/stream-id.js';
import {entriesBehind, entriesBetween, isExact} from '../reports/entries-behind.js';
import {type LagFacts, lagFacts, lagFrom} from '../reports/lag.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import {entriesReadBy, isBeyondEnd, lastDeliveredBefore, setGroupAt} from './group-position.js';

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
