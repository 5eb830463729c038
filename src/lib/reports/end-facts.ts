/** The first and the last entry of a stream, as reports show them: IDs and ages. The names are those of the JSON output. */
import {ageMs, aheadMs} from '../records/entry-time.js';
import type {StreamEnds} from './entries-behind.js';

export interface FirstFacts {
  firstId: string | null;
  firstAgeMs: number | null;
  /** Only where the ID is ahead of the clock: by how much. */
  firstAheadMs?: number | undefined;
}

export interface LastFacts {
  lastId: string | null;
  /** Since the last entry that is still there. */
  lastAgeMs: number | null;
  lastAheadMs?: number | undefined;
}

export function firstFacts({firstEntry}: Pick<StreamEnds, 'firstEntry'>, nowMs: number): FirstFacts {
  const [firstId, firstAgeMs, firstAheadMs] = timesOf(firstEntry?.id, nowMs);
  return {firstId, firstAgeMs, firstAheadMs};
}

export function lastFacts({lastEntry}: Pick<StreamEnds, 'lastEntry'>, nowMs: number): LastFacts {
  const [lastId, lastAgeMs, lastAheadMs] = timesOf(lastEntry?.id, nowMs);
  return {lastId, lastAgeMs, lastAheadMs};
}

const timesOf = (id: string | undefined, nowMs: number): [string | null, number | null, number | undefined] =>
  id === undefined ? [null, null, undefined] : [id, ageMs(id, nowMs), aheadMs(id, nowMs)];
