/**
 * One stretch of a stream, from a position to a position, as `range` prints it.
 * Knows how the two ends are written and what they mean; `StreamClient` knows
 * how to page. Invariant: the end is fixed before the first entry is read, so a
 * range ends even while a fast producer adds to its stream.
 */

import {parseDuration} from '../duration.js';
import {usageError} from '../errors.js';
import type {StreamRecord} from '../records/entry.js';
import {type Position, parsePosition} from '../records/position.js';
import {compareStreamIds, FIRST_ID, predecessorOf, successorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import {lastIdOf, locate} from './locate.js';
import {firstItems} from './paging.js';

/** One end of a range. */
export interface Bound {
  position: Position;
  /** Written as `(ID`: up to the entry, but without it. */
  exclusive: boolean;
}

/** Which part of a stream is meant; undefined leaves that side open. */
export interface Between {
  since?: Bound | undefined;
  until?: Bound | undefined;
}

export interface RangeRequest {
  start: Bound;
  end: Bound;
  /** Newest first. The bounds keep their order. */
  reverse: boolean;
  /** Entries at most; infinite is allowed. */
  count: number;
  /** Told when nothing can lie between the two bounds. */
  onEmpty?: (start: string, end: string) => void;
}

/** Entries a page. */
const PAGE = 1_000;
const LAST_SEQUENCE = '18446744073709551615';

/**
 * Reads a bound: a position, or an ID behind a `(`, which leaves that very ID
 * out, as in XRANGE, and without a sequence its whole millisecond. Throws a
 * usage error for anything else.
 */
export function parseBound(text: string, side: 'start' | 'end', nowMs: number): Bound {
  if (!text.startsWith('(')) return {position: parsePosition(text, nowMs, side), exclusive: false};
  // What is left out reaches to the far side of its millisecond, where the other bound would begin.
  const position = parsePosition(text.slice(1), nowMs, side === 'start' ? 'end' : 'start');
  if (/^\d/.test(text.slice(1))) return {position, exclusive: true};
  throw usageError(`"${text}" is no bound`, 'only an ID can be left out, as in "(1526919030474-55"');
}

/** A bound that is a time even without the `@`: `1h` and `-1h` ago, `2026-01-31T12:00:00Z`; anything else as above. */
export function parseTimeBound(text: string, side: 'start' | 'end', nowMs: number): Bound {
  const agoMs = parseDuration(text.replace(/^-/, ''));
  if (agoMs !== undefined) return {position: {kind: 'time', ms: Math.max(0, nowMs - agoMs)}, exclusive: false};
  return parseBound(/^\d{4}-\d{2}-\d{2}/.test(text) ? `@${text}` : text, side, nowMs);
}

/** XRANGE or XREVRANGE, page by page. Throws `notFound` when there is no such stream. */
export async function* readRange(
  client: StreamClient,
  stream: string,
  {start, end, reverse, count, onEmpty}: RangeRequest,
): AsyncGenerator<StreamRecord[], void, void> {
  const from = await firstIncluded(client, stream, start);
  const to = await lastIncluded(client, stream, end, await lastIdOf(client, stream));
  if (from === undefined || to === undefined) return;
  if (compareStreamIds(from, to) > 0) {
    if (end.position.kind !== 'end') onEmpty?.(from, to);
    return;
  }
  const page = Math.min(count, PAGE);
  yield* firstItems(client.records(stream, from, to, {reverse, page}), count);
}

/** The first ID and the last one between the two, where `lastId` is that of the stream; undefined where nothing can lie there. */
export async function idsBetween(
  client: StreamClient,
  stream: string,
  {since, until}: Between,
  lastId: string,
): Promise<{first: string; last: string} | undefined> {
  const first = since === undefined ? FIRST_ID : await firstIncluded(client, stream, since);
  const last = until === undefined ? lastId : await lastIncluded(client, stream, until, lastId);
  if (first === undefined || last === undefined || compareStreamIds(first, last) > 0) return undefined;
  return {first, last};
}

/** The first ID that `bound` includes, as the start of a range; undefined where there is none. */
async function firstIncluded(
  client: StreamClient,
  stream: string,
  {position, exclusive}: Bound,
): Promise<string | undefined> {
  const id = await locate(client, stream, position);
  return exclusive ? successorOf(id) : id;
}

/**
 * The last ID that `bound` includes, as the end of a range, where `lastId` is that of the stream; undefined where there is
 * none. Where `StreamClient.locate` answers with the first ID of a position, this is the last one.
 */
async function lastIncluded(
  client: StreamClient,
  stream: string,
  {position, exclusive}: Bound,
  lastId: string,
): Promise<string | undefined> {
  if (position.kind === 'end') return lastId;
  if (position.kind === 'time') return `${position.ms}-${LAST_SEQUENCE}`;
  const id = await locate(client, stream, position);
  return exclusive ? predecessorOf(id) : id;
}
