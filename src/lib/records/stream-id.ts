/**
 * Entry IDs, `<milliseconds>-<sequence>`, each part an unsigned 64-bit number.
 * They stay strings everywhere, since a JavaScript number cannot hold them, and
 * are compared part by part: by length, then digit by digit, which is numeric
 * order for numbers without leading zeros. Invariant: an ID that passed
 * `parseStreamId` is canonical, so two equal IDs are equal strings.
 */
export const FIRST_ID = '0-0';
export const LAST_ID = '18446744073709551615-18446744073709551615';
const MAX_PART = 18_446_744_073_709_551_615n;
const ID = /^(\d{1,20})(?:-(\d{1,20}))?$/;

/**
 * The canonical form of `text`, or undefined when it is no ID. A missing
 * sequence becomes `missingSequence`: Redis takes 0 at the start of a range and
 * the highest one at its end.
 */
export function parseStreamId(text: string, missingSequence = '0'): string | undefined {
  const match = ID.exec(text);
  if (match === null) return undefined;
  const ms = BigInt(match[1]!);
  const sequence = BigInt(match[2] ?? missingSequence);
  return ms > MAX_PART || sequence > MAX_PART ? undefined : `${ms}-${sequence}`;
}

/** Whether `text` is an ID as Redis writes it: two decimal numbers of 64 bits, without leading zeros. */
export function isEntryId(text: string): boolean {
  const match = CANONICAL.exec(text);
  return match !== null && fits(match[1]!) && fits(match[2]!);
}

/**
 * Whether the bytes from `start` to before `end` are such an ID. Asked of every entry and of every
 * reply to XADD, so it is one pass without calls, which would take as long as all of it.
 */
export function isIdIn(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  const dash = at++;
  if (bytes[dash] !== DASH || dash === start || at >= end) return false;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  if (at < end) return false;
  // 0 itself has one digit.
  if (bytes[start] === ZERO && dash - start > 1) return false;
  if (bytes[dash + 1] === ZERO && end - dash > 2) return false;
  return (
    (dash - start < MAX_TEXT.length || textFits(bytes, start, dash)) &&
    (end - dash - 1 < MAX_TEXT.length || textFits(bytes, dash + 1, end))
  );
}

const textFits = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start === MAX_TEXT.length && String.fromCharCode(...bytes.subarray(start, end)) <= MAX_TEXT;

const ZERO = 0x30;
const NINE = 0x39;
const DASH = 0x2d;
const CANONICAL = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,19})$/;
const MAX_TEXT = String(MAX_PART);
const fits = (part: string): boolean => part.length < MAX_TEXT.length || part <= MAX_TEXT;

/** Negative, zero or positive as `a` is before, equal to or after `b`; both canonical. */
export function compareStreamIds(a: string, b: string): number {
  const [aMs, aSequence] = partsOf(a);
  const [bMs, bSequence] = partsOf(b);
  return compareDigits(aMs, bMs) || compareDigits(aSequence, bSequence);
}

/** The earlier of two IDs. */
export const earlierId = (a: string, b: string): string => (compareStreamIds(a, b) <= 0 ? a : b);

/** The later of two IDs. */
export const laterId = (a: string, b: string): string => (compareStreamIds(a, b) >= 0 ? a : b);

/** The smallest ID after `id`, or undefined after the last possible one. */
export function successorOf(id: string): string | undefined {
  const [ms, sequence] = numbersOf(id);
  if (sequence < MAX_PART) return `${ms}-${sequence + 1n}`;
  return ms < MAX_PART ? `${ms + 1n}-0` : undefined;
}

/** The greatest ID before `id`, or undefined before `0-0`. */
export function predecessorOf(id: string): string | undefined {
  const [ms, sequence] = numbersOf(id);
  if (sequence > 0n) return `${ms}-${sequence - 1n}`;
  return ms > 0n ? `${ms - 1n}-${MAX_PART}` : undefined;
}

/** The time in an ID, in Unix milliseconds. Exact up to the year 287396. */
export const millisecondsOf = (id: string): number => Number(timePartOf(id));

/** The digits before the dash, as they are: exact for every ID. */
export const timePartOf = (id: string): string => partsOf(id)[0];

function partsOf(id: string): [ms: string, sequence: string] {
  const dash = id.indexOf('-');
  return [id.slice(0, dash), id.slice(dash + 1)];
}

function numbersOf(id: string): [ms: bigint, sequence: bigint] {
  const [ms, sequence] = partsOf(id);
  return [BigInt(ms), BigInt(sequence)];
}

function compareDigits(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
