/** How long ago, or in how long: for IDs, whose time may be in the future. */
import {formatDuration} from '../duration.js';

const YEAR_MS = 365.25 * 86_400_000;

/** `3m 20s ago`, or, of an ID that is ahead of the clock, `in 73y`. */
export const formatAge = (ageMs: number, aheadMs: number | undefined): string =>
  aheadMs === undefined ? `${long(ageMs)} ago` : `in ${long(aheadMs)}`;

const long = (ms: number): string => (ms < 2 * YEAR_MS ? formatDuration(ms) : `${Math.floor(ms / YEAR_MS)}y`);
