/**
 * Lengths of time as people write them: `500ms`, `30s`, `15m`, `1h`, `7d`, and
 * sums of those (`1h30m`). Inside streamlog a duration is a number of
 * milliseconds whose name ends in `Ms`.
 */
const UNITS = {ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000} as const;
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Milliseconds, or undefined when `text` is no duration. A bare number has no unit, so it is none. */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let totalMs = 0;
  for (const [, amount, unit] of text.matchAll(PART)) totalMs += Number(amount) * UNITS[unit as keyof typeof UNITS];
  return Number.isSafeInteger(Math.round(totalMs)) ? Math.round(totalMs) : undefined;
}

/** The two greatest units that matter, for people: `0ms`, `850ms`, `42s`, `3m 20s`, `2d 4h`. */
export function formatDuration(ms: number): string {
  const wholeMs = Math.max(0, Math.round(ms));
  if (wholeMs < 1_000) return `${wholeMs}ms`;
  const seconds = Math.floor(wholeMs / 1_000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return pair(seconds, 60, 'm', 1, 's');
  if (seconds < 86_400) return pair(seconds, 3_600, 'h', 60, 'm');
  return pair(seconds, 86_400, 'd', 3_600, 'h');
}

function pair(seconds: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % big) / small);
  const whole = `${Math.floor(seconds / big)}${bigName}`;
  return rest === 0 ? whole : `${whole} ${rest}${smallName}`;
}

const YEAR_MS = 365.25 * 86_400_000;

/** `3m 20s ago`, or, of a time that is ahead of the clock, `in 73y`. */
export const formatAge = (ageMs: number, aheadMs: number | undefined): string =>
  aheadMs === undefined ? `${long(ageMs)} ago` : `in ${long(aheadMs)}`;

const long = (ms: number): string => (ms < 2 * YEAR_MS ? formatDuration(ms) : yearsOf(ms));
const yearsOf = (ms: number): string => `${Math.floor(ms / YEAR_MS)}y`;

/** For tables: the greatest unit, and the next one only of what is less than two of it: `42s`, `3m`, `1h 40m`, `3d`, `2y`. */
export function shortDuration(ms: number): string {
  if (ms >= 2 * YEAR_MS) return yearsOf(ms);
  const text = formatDuration(ms);
  return /^1[mhd] /.test(text) ? text : text.split(' ')[0]!;
}

/** For tables: `3m ago`, `in 73y`. */
export const shortAge = (ageMs: number, aheadMs: number | undefined): string =>
  aheadMs === undefined ? `${shortDuration(ageMs)} ago` : `in ${shortDuration(aheadMs)}`;
