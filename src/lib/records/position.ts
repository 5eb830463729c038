/**
 * Where to start: the one grammar of `--from`, of the bounds of `range` and of
 * `group seek --to`. A position names the first entry to be read. Parsing needs
 * no server; `StreamClient.locate` turns a position into an ID.
 */
import {parseDuration} from '../duration.js';
import {usageError, wrongWord} from '../errors.js';
import {FIRST_ID, parseStreamId} from './stream-id.js';

export type Position =
  | {kind: 'id'; id: string}
  /** Behind the last entry that the stream has ever had. */
  | {kind: 'end'}
  /** The last `count` entries. */
  | {kind: 'last'; count: number}
  | {kind: 'time'; ms: number};

/** A date, or a date and a time of day, with or without a zone. */
const ISO_TIME = /^(\d{4}-\d{2}(?:-\d{2})?)(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i;

export const POSITION_HELP = 'an ID, start, end, -N (the last N) or @TIME (ISO 8601, Unix s or ms, or -1h)';

/**
 * Reads a position. `bound` says which side of a range it is for, since an ID
 * without sequence means the first of its millisecond at the start of a range
 * and the last one at its end. Throws a usage error for anything else.
 */
export function parsePosition(text: string, nowMs: number, bound: 'start' | 'end' = 'start'): Position {
  if (text === 'start' || text === '-') return {kind: 'id', id: FIRST_ID};
  if (text === 'end' || text === '$' || text === '+') return {kind: 'end'};
  if (/^-\d+$/.test(text)) return lastEntries(text);
  if (text.startsWith('@')) return {kind: 'time', ms: parseTime(text.slice(1), nowMs)};
  const id = parseStreamId(text, bound === 'start' ? '0' : '18446744073709551615');
  if (id === undefined) throw wrongWord(text, `"${text}" is not a valid position`, hintFor(text));
  return {kind: 'id', id};
}

function hintFor(text: string): string {
  const isTime = ISO_TIME.test(text) || (text.startsWith('-') && parseDuration(text.slice(1)) !== undefined);
  return isTime ? `a time begins with @: @${text}` : `give ${POSITION_HELP}`;
}

/**
 * Unix milliseconds of `-1h`, `1700000000` (s), `1700000000000` (ms) or an ISO
 * 8601 time: a date alone is its midnight in UTC, a time without a zone is
 * local. Throws a usage error for anything else, days that no calendar has
 * included.
 */
export function parseTime(text: string, nowMs: number): number {
  if (text.startsWith('-')) {
    const agoMs = parseDuration(text.slice(1));
    if (agoMs !== undefined) return Math.max(0, nowMs - agoMs);
  }
  // Ten digits count seconds until the year 2286, thirteen count milliseconds.
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1_000;
  if (/^\d{12,15}$/.test(text)) return Number(text);
  const ms = parseIsoTime(text);
  if (!(ms >= 0)) {
    throw usageError(
      `"@${text}" is not a valid time`,
      'give @2026-01-31T12:00:00Z, @1767225600 (Unix seconds) or @-1h',
    );
  }
  return ms;
}

/** NaN when `text` is no such time; Date.parse alone would take 30 February for 2 March. */
function parseIsoTime(text: string): number {
  const date = ISO_TIME.exec(text)?.[1];
  if (date === undefined) return Number.NaN;
  const midnight = new Date(date);
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date);
  return exists ? Date.parse(text) : Number.NaN;
}

function lastEntries(text: string): Position {
  const count = Number(text.slice(1));
  if (count === 0) return {kind: 'end'};
  if (!Number.isSafeInteger(count)) throw usageError(`"${text}" is too many entries`);
  return {kind: 'last', count};
}
