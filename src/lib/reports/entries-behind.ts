/**
 * How many entries of a stream follow an ID. Redis has no command for that, and its own `entries-read` is what a client gave
 * with ENTRIESREAD. XINFO STREAM proves it for IDs outside the first and last entry; for the others the entries are counted
 * from both ends, within limits of entries and bytes. Invariant: `atLeast` <= the truth <= `atMost`, whatever the counters of
 * the server say: none of them is read here.
 */
import {unlessDenied} from '../errors.js';
import type {Entry} from '../records/entry.js';
import {compareStreamIds, LAST_ID, successorOf} from '../records/stream-id.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';

/** A number of entries between two bounds that are certain; exact when both are the same. */
export interface EntryCount {
  /** The best estimate: between the bounds by where the ID lies between those that were counted. */
  estimate: number;
  atLeast: number;
  atMost: number;
  /** Whether entries were counted for it; otherwise it follows from IDs and the length of the stream. */
  counted: boolean;
  /** The ID of the first of them, where it came up on the way. */
  firstId?: string | undefined;
}

/** What the bounds follow from. */
export type StreamEnds = Pick<StreamInfo, 'length' | 'firstEntry' | 'lastEntry' | 'entriesAdded' | 'maxDeletedId'> & {
  /** How large an entry is, where the two entries come without their fields. */
  entryBytes?: number | undefined;
};

/** What one walk may cost: so many entries are counted, and a page that comes beyond so many bytes is the last. */
export interface CountLimits {
  entries: number;
  bytes: number;
}

/** 10,000 small entries, or 160 of 50 KB, take about 20 ms on a local server. */
export const COUNT_LIMITS: CountLimits = {entries: 10_000, bytes: 8 * 1024 * 1024};

/** For each of `ids`, the entries behind it, as of `info`, which must come from the same stream. */
export async function entriesBehind(
  client: StreamClient,
  stream: string,
  info: StreamEnds,
  ids: readonly string[],
  limits: CountLimits = COUNT_LIMITS,
): Promise<Map<string, EntryCount>> {
  const counts = new Map<string, EntryCount>();
  const between: string[] = [];
  for (const id of new Set(ids)) {
    const known = knownByIds(info, id);
    if (known === undefined) between.push(id);
    else counts.set(id, known);
  }
  if (between.length === 0) return counts;
  between.sort(compareStreamIds);

  const newest = newWalk(info, true);
  await walk(newest, client, stream, info, between.toReversed(), limits);
  const left = between.filter((id) => !newest.passed.has(id));
  const oldest = newWalk(info, false);
  // XRANGE can be done without: then there is nothing more to know.
  await unlessDenied(walk(oldest, client, stream, info, left, limits));
  // What went in front of an ID while it was counted is missing from that count, so the rest of the length is too much.
  const steady = oldest.passed.size === 0 || (await nothingRemovedSince(client, stream, info));

  const {length} = info;
  for (const id of between) {
    const unread = newest.passed.get(id);
    const read = steady ? oldest.passed.get(id) : undefined;
    const firstId = unread?.nextId ?? oldest.passed.get(id)?.nextId;
    if (unread !== undefined) counts.set(id, exactly(unread.entries, true, firstId));
    else if (read !== undefined) counts.set(id, exactly(length - read.entries, true, firstId));
    else {
      // An ID between the first and the last entry has one of them on each side.
      const atLeast = Math.max(1, newest.seen);
      const atMost = Math.max(atLeast, length - Math.max(1, oldest.passed.get(id)?.entries ?? oldest.seen));
      const share = shareBehind(id, oldest.reached, newest.reached);
      const estimate = Math.round(atLeast + (atMost - atLeast) * share);
      counts.set(id, {estimate, atLeast, atMost, counted: true, firstId});
    }
  }
  return counts;
}

/**
 * The entries behind `low` up to and with `high`, by what is behind both. Counted from `low` where the ends of the stream
 * are too far.
 */
export async function entriesBetween(
  client: StreamClient,
  stream: string,
  behind: ReadonlyMap<string, EntryCount>,
  low: string,
  high: string,
  limits: CountLimits = COUNT_LIMITS,
): Promise<EntryCount> {
  const [all, rest] = [behind.get(low)!, behind.get(high)!];
  if (isExact(all) && isExact(rest)) return exactly(Math.max(0, all.atLeast - rest.atLeast), true);
  let seen = 0;
  let bytes = 0;
  for await (const page of client.ids(stream, successorOf(low) ?? LAST_ID, high)) {
    seen += page.ids.length;
    bytes += page.bytes;
    if (seen > limits.entries || bytes > limits.bytes) {
      const atLeast = Math.max(seen, all.atLeast - rest.atMost);
      const atMost = Math.max(atLeast, all.atMost - rest.atLeast);
      const estimate = Math.min(atMost, Math.max(atLeast, all.estimate - rest.estimate));
      return {estimate, atLeast, atMost, counted: true};
    }
  }
  return exactly(seen, true);
}

export const isExact = ({atLeast, atMost}: {atLeast: number; atMost: number}): boolean => atLeast === atMost;

const exactly = (count: number, counted: boolean, firstId?: string): EntryCount => ({
  estimate: count,
  atLeast: count,
  atMost: count,
  counted,
  firstId,
});

/** What follows from the first and the last ID; undefined for an ID between them. */
function knownByIds({firstEntry, lastEntry, length}: StreamEnds, id: string): EntryCount | undefined {
  if (firstEntry === undefined || lastEntry === undefined) return exactly(0, false);
  if (compareStreamIds(id, lastEntry.id) >= 0) return exactly(0, false);
  const first = compareStreamIds(id, firstEntry.id);
  if (first > 0) return undefined;
  return first < 0 ? exactly(length, false, firstEntry.id) : exactly(length - 1, false);
}

interface Walk {
  readonly reverse: boolean;
  /** Of each ID that it came past: the entries between it and the end that the walk began at, and the next one behind it. */
  readonly passed: Map<string, {entries: number; nextId: string | undefined}>;
  /** Entries between that end and the IDs that it did not reach. */
  seen: number;
  /** The last ID that it saw. */
  reached: string;
}

const newWalk = ({firstEntry, lastEntry}: StreamEnds, reverse: boolean): Walk => ({
  reverse,
  passed: new Map(),
  seen: 0,
  reached: (reverse ? lastEntry : firstEntry)!.id,
});

/** Counts from one end of the stream to the IDs between, which are given in the order of the walk. */
async function walk(
  walked: Walk,
  client: StreamClient,
  stream: string,
  {firstEntry, lastEntry, entryBytes: knownBytes}: StreamEnds,
  ids: readonly string[],
  limits: CountLimits,
): Promise<void> {
  if (ids.length === 0) return;
  const {reverse} = walked;
  const origin = (reverse ? lastEntry : firstEntry)!;
  const farthest = ids.at(-1)!;
  const [start, end] = reverse ? [successorOf(farthest) ?? LAST_ID, origin.id] : [origin.id, farthest];
  const passes = (entryId: string, id: string): boolean => {
    const order = compareStreamIds(entryId, id);
    return reverse ? order <= 0 : order > 0;
  };
  let next = 0;
  let bytes = 0;
  const entryBytes = knownBytes ?? (origin.fields.length === 0 ? undefined : bytesOf(origin));
  // A page is asked for only where it is expected to fit.
  if ((entryBytes ?? 0) > limits.bytes) return;
  for await (const page of client.ids(stream, start, end, {reverse, entryBytes})) {
    for (const entryId of page.ids) {
      for (; next < ids.length && passes(entryId, ids[next]!); next++) {
        walked.passed.set(ids[next]!, {entries: walked.seen, nextId: reverse ? walked.reached : entryId});
      }
      walked.seen++;
      walked.reached = entryId;
      if (walked.seen > limits.entries) return;
    }
    bytes += page.bytes;
    if (bytes > limits.bytes) return;
  }
  // The walk came to its end, so nothing is left between it and the others.
  const nextId = reverse ? walked.reached : undefined;
  for (; next < ids.length; next++) walked.passed.set(ids[next]!, {entries: walked.seen, nextId});
}

/** The bytes of its fields, or about so many. */
export const bytesOf = ({fields}: Entry): number =>
  fields.reduce((sum, [name, value]) => sum + name.length + value.length, 0);

/**
 * Whether no entry was removed since `before`. Before Redis 7.0 there is no max-deleted-entry-id
 * (https://redis.io/docs/latest/commands/xinfo-stream/); then as far as the first entry and the length show.
 */
async function nothingRemovedSince(client: StreamClient, stream: string, before: StreamEnds): Promise<boolean> {
  const now = await client.info(stream);
  if (now.firstEntry?.id !== before.firstEntry?.id || now.maxDeletedId !== before.maxDeletedId) return false;
  if (now.entriesAdded === undefined || before.entriesAdded === undefined) return now.length >= before.length;
  return now.entriesAdded - now.length === before.entriesAdded - before.length;
}

/** How much of the way from `low` to `high` lies behind `id`, by the time in the IDs, and the sequence after it: 0 to 1. */
export function shareBehind(id: string, low: string, high: string): number {
  const whole = numberOf(high) - numberOf(low);
  if (whole <= 0n) return 0;
  const behind = numberOf(high) - numberOf(id);
  return Math.min(1, Math.max(0, Number((behind * 1_000_000n) / whole) / 1_000_000));
}

function numberOf(id: string): bigint {
  const [ms, sequence] = id.split('-');
  return (BigInt(ms!) << 64n) | BigInt(sequence!);
}
