/**
 * What Redis is asked for page by page: entries, their IDs, pending entries. Invariants: memory is bounded by a page; a
 * page is small in bytes, too, so that Redis is not held up, whatever the size of entries.
 */

import {PageSize} from '../reading/page-size.js';
import type {Entry, StreamRecord} from '../records/entry.js';
import {isIdle, type PendingEntry} from '../records/pending-entry.js';
import {compareStreamIds, FIRST_ID, LAST_ID, predecessorOf, successorOf} from '../records/stream-id.js';
import {xpendingRange, xrange, xrevrange} from './args.js';
import type {CommandLine} from './command-connection.js';
import {type IdPage, readEntries, readIdPage, readPendingEntries, readRecords} from './replies.js';
import type {Session} from './session.js';

/** What a generator of pages gives. */
export type Pages<Page> = AsyncGenerator<Page, void, void>;

/** From the ID `start` to `end`, both included; with `reverse` from `end` down. */
export interface Stretch {
  start: string;
  end: string;
  reverse?: boolean;
}

/** Entries a page when something is read to its end. */
const PAGE = 1_000;

/** What a page of IDs may hold of fields, which are not needed: Redis copies it in half a millisecond. */
const ID_PAGE_BYTES = 1024 * 1024;

/** XRANGE, or XREVRANGE. */
export function entryPages(session: Session, stream: string, stretch: Stretch, most = PAGE): Pages<Entry[]> {
  const size = new PageSize(most);
  return pagesOf(stretch, size, async (low, high, count) => {
    const page = readEntries(await session.send(rangeLine(stream, stretch, low, high, count), {stream}));
    size.adapt(page);
    return {page, found: page.length, lastId: page.at(-1)?.id};
  });
}

/** The same as records of `stream`, undecoded where that is possible: for what passes most of them on, or over. */
export function recordPages(session: Session, stream: string, stretch: Stretch, most = PAGE): Pages<StreamRecord[]> {
  const size = new PageSize(most);
  return pagesOf(stretch, size, async (low, high, count) => {
    const reply = await session.sendRead(rangeLine(stream, stretch, low, high, count), {stream});
    const page = readRecords(reply, {stream});
    size.adapt(page);
    return {page, found: page.length, lastId: page.at(-1)?.id};
  });
}

/** The same where only the IDs count: Redis has no command for IDs without their fields. */
export function idPages(session: Session, stream: string, stretch: Stretch, entryBytes?: number): Pages<IdPage> {
  const size = PageSize.expecting(PAGE, entryBytes, ID_PAGE_BYTES);
  return pagesOf(stretch, size, async (low, high, count) => {
    const page = readIdPage(await session.send(rangeLine(stream, stretch, low, high, count), {stream}));
    size.adaptTo(page.ids.length, page.bytes);
    return {page, found: page.ids.length, lastId: page.ids.at(-1)};
  });
}

const rangeLine = (stream: string, {reverse}: Stretch, low: string, high: string, count: number): CommandLine =>
  reverse ? xrevrange(stream, high, low, count) : xrange(stream, low, high, count);

/** Which pending entries are read; with `minIdleMs` those that were delivered at least so long ago, or given back. */
export interface PendingFilter {
  consumer?: string;
  minIdleMs?: number;
}

/** XPENDING with a range. */
export function pendingPages(
  session: Session,
  stream: string,
  group: string,
  {consumer, minIdleMs}: PendingFilter,
  stretch: Stretch,
  most = PAGE,
): Pages<PendingEntry[]> {
  return pagesOf(stretch, {count: most}, async (start, end, count) => {
    const entries = await pendingPage(session, stream, group, {consumer, start, end, count});
    const wanted = minIdleMs === undefined ? entries : entries.filter((entry) => isIdle(entry, minIdleMs));
    return {page: wanted.length > 0 ? wanted : undefined, found: entries.length, lastId: entries.at(-1)?.id};
  });
}

/** Both ends are included. */
export interface PendingRange {
  consumer?: string | undefined;
  start?: string;
  end?: string;
  count: number;
}

/** One page of XPENDING, read again for exact numbers where a count of deliveries is more than JavaScript's hold. */
export async function pendingPage(
  session: Session,
  stream: string,
  group: string,
  {consumer, start = FIRST_ID, end = LAST_ID, count}: PendingRange,
): Promise<PendingEntry[]> {
  const line = xpendingRange(stream, group, start, end, count, consumer);
  const entries = readPendingEntries(await session.send(line, {stream, group}));
  if (entries.every(({deliveries}) => Number.isSafeInteger(deliveries))) return entries;
  const exact = readPendingEntries(await session.sendExactly(line, {stream, group}));
  return exact.map((entry) =>
    Number.isSafeInteger(entry.deliveries) ? {...entry, exactDeliveries: undefined} : entry,
  );
}

interface Read<Page> {
  /** Undefined for one that is passed over. */
  page: Page | undefined;
  /** How many entries Redis gave; fewer than were asked for end it. */
  found: number;
  /** The last ID of them. */
  lastId: string | undefined;
}

/** `read` gets what is left of `stretch`, and how many entries it may bring. */
async function* pagesOf<Page>(
  {start, end, reverse = false}: Stretch,
  size: {readonly count: number},
  read: (low: string, high: string, count: number) => Promise<Read<Page>>,
): Pages<Page> {
  let [low, high]: [string | undefined, string | undefined] = [start, end];
  do {
    const {count} = size;
    const {page, found, lastId}: Read<Page> = await read(low, high, count);
    if (page !== undefined && found > 0) yield page;
    if (found < count) return;
    if (reverse) high = predecessorOf(lastId!);
    else low = successorOf(lastId!);
  } while (low !== undefined && high !== undefined && compareStreamIds(low, high) <= 0);
}
