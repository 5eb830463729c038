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

/** Whether `wanted` stands somewhere in the range. */
export const rangeIncludes = (bytes: Buffer, start: number, end: number, wanted: Buffer | number): boolean =>
  bytes.subarray(start, end).indexOf(wanted) !== -1;
