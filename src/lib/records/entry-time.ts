/**
 * What an ID says of time. Redis makes IDs of the clock, but an ID that was
 * given by hand may be any number: a counter, seconds, microseconds. Invariant:
 * nothing is removed or left because of an age that an ID does not have.
 */
import {millisecondsOf} from './stream-id.js';

/** Eighteen years before Redis had streams. Unix seconds, taken for milliseconds, are of 1970. */
const EARLIEST_MS = Date.UTC(2000, 0, 1);
/** A clock that is wrong is not wrong by more. Microseconds, taken for milliseconds, are of the year 50000 and later. */
const LATEST_AHEAD_MS = 10 * 365 * 86_400_000;

/** Whether the ID may have been made of a clock. */
export function isTime(id: string, nowMs: number): boolean {
  const ms = millisecondsOf(id);
  return ms >= EARLIEST_MS && ms <= nowMs + LATEST_AHEAD_MS;
}

/** Milliseconds since the time in the ID; below 0 where it is ahead. */
const ageOf = (id: string, nowMs: number): number => nowMs - millisecondsOf(id);

/** Milliseconds since the time in the ID, never below 0: the clock of Redis is not ours, and IDs may be given by hand. */
export const ageMs = (id: string, nowMs: number): number => Math.max(0, ageOf(id, nowMs));

/** How far the ID is ahead; undefined where it is not, or by no more than clocks differ. */
export function aheadMs(id: string, nowMs: number): number | undefined {
  const ms = -ageOf(id, nowMs);
  return ms >= CLOCK_SKEW_MS ? ms : undefined;
}

const CLOCK_SKEW_MS = 1_000;
