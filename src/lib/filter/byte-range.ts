/** Questions about the bytes from one offset to another, asked of every field of every record: nothing is copied. */

/** Says something of the bytes from `start` to before `end`. */
export type RangeTest = (bytes: Buffer, start: number, end: number) => boolean;

/** Shorter ranges are compared faster by a loop than by a call. */
const LOOP_BYTES = 48;

/** Whether the range is `other`. */
export function rangeEquals(bytes: Buffer, start: number, end: number, other: Buffer): boolean {
  const {length} = other;
  if (end - start !== length) return false;
  if (length > LOOP_BYTES) return other.compare(bytes, start, end) === 0;
  for (let at = 0; at < length; at++) if (bytes[start + at] !== other[at]) return false;
  return true;
}

/** Up to this length a loop is done before a call has made its view of the range. */
const SEARCH_LOOP_BYTES = 256;

/** Whether `wanted` stands somewhere in the range. */
export const rangeIncludes = (bytes: Buffer, start: number, end: number, wanted: Buffer): boolean =>
  indexInRange(bytes, start, end, wanted) !== -1;

/** Where `wanted` stands first in the range; -1 where it does not. */
export function indexInRange(bytes: Buffer, start: number, end: number, wanted: Buffer): number {
  const {length} = wanted;
  if (length === 0) return start;
  if (end - start > SEARCH_LOOP_BYTES) {
    const found = bytes.subarray(start, end).indexOf(wanted);
    return found === -1 ? -1 : start + found;
  }
  const first = wanted[0];
  const last = end - length;
  for (let at = start; at <= last; at++) {
    if (bytes[at] !== first) continue;
    let next = 1;
    while (next < length && bytes[at + next] === wanted[next]) next++;
    if (next === length) return at;
  }
  return -1;
}
