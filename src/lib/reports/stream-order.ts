/** In which order streams are listed. Invariant: what is not known comes last, whichever way. */
import type {StreamSummary} from './stream-list.js';

type Value = number | string | null | undefined;

/** Names from A to Z; of the others, what one looks for first: the most, and the last entry that is newest. */
const ORDERS = {
  name: {of: ({name}: StreamSummary): Value => name, ascending: true},
  entries: {of: ({length}: StreamSummary): Value => length, ascending: false},
  lag: {of: ({lag}: StreamSummary): Value => lag, ascending: false},
  pending: {of: ({pending}: StreamSummary): Value => pending, ascending: false},
  last: {of: ({lastAgeMs, lastAheadMs = 0}: StreamSummary): Value => minus(lastAgeMs, lastAheadMs), ascending: true},
  bytes: {of: ({bytes}: StreamSummary): Value => bytes, ascending: false},
} as const;

export type StreamOrder = keyof typeof ORDERS;
export const STREAM_ORDERS = Object.keys(ORDERS) as StreamOrder[];

/** A sorted copy; of equal ones by name. */
export function inOrderOf(streams: readonly StreamSummary[], order: StreamOrder, reverse: boolean): StreamSummary[] {
  const {of, ascending} = ORDERS[order];
  const sign = ascending === reverse ? -1 : 1;
  return streams.toSorted((one, other) => {
    const [a, b] = [of(one) ?? undefined, of(other) ?? undefined];
    if (a === undefined || b === undefined)
      return Number(a === undefined) - Number(b === undefined) || byName(one, other);
    return a === b ? byName(one, other) : (a < b ? -1 : 1) * sign;
  });
}

const byName = (one: StreamSummary, other: StreamSummary): number => (one.name < other.name ? -1 : 1);

const minus = (ageMs: number | null | undefined, aheadMs: number): number | undefined =>
  ageMs === null || ageMs === undefined ? undefined : ageMs - aheadMs;
