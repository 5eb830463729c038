/**
 * Trims a stream, and says which groups lose what; with `safe`, nothing that a group still needs is removed. Invariants: a
 * safe trim removes no entry at or above the watermark; its cost does not grow with what groups have pending or unread: both
 * are counted within limits, and marked as bounds beyond them.
 */
import {withEntries} from '../reading/lookup.js';
import {compareStreamIds, earlierId, FIRST_ID, LAST_ID, predecessorOf, successorOf} from '../records/stream-id.js';
import {entriesBehind} from '../reports/entries-behind.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import {type Bounds, cutBehind, exactly, findLosses, type GroupLoss, lookBefore} from './losses.js';
import {type CountedGoal, removeOldest} from './removal.js';
import {estimatedGoal, trimToBytes} from './size-goal.js';

export type TrimGoal = CountedGoal | {kind: 'maxBytes'; maxBytes: number};

export interface TrimRequest {
  goal: TrimGoal;
  /** Lets Redis keep whole nodes (`~`): cheaper, and a little more may stay. */
  approximate: boolean;
  safe: boolean;
  dryRun: boolean;
  /** Removes nothing beyond it, whatever was added meanwhile. */
  bound?: TrimBound | undefined;
}

/** What a dry run has looked at: an ID that no entry to be removed has reached, and how many there are at most. */
export interface TrimBound {
  beforeId: string;
  entries: number;
}

export interface TrimResult {
  removed: number;
  left: number;
  /** Only in a dry run that could not count what would go. */
  exact?: false;
  losses: GroupLoss[];
  /** With `safe`: the group whose watermark kept entries that were asked to go. */
  heldBy?: Watermark | undefined;
  /** For a goal in bytes: what the stream takes in the end, which may be more than the goal. Absent in a dry run, which can only estimate. */
  bytes?: number;
}

/** Trims `stream`, or only says what that would do. Throws `notFound` when there is no such stream. */
export async function trimStream(client: StreamClient, stream: string, request: TrimRequest): Promise<TrimResult> {
  if (request.dryRun) return (await planTrim(client, stream, request)).result;
  const {info, endangered, watermark} = await lookAt(client, stream, request);
  return carryOut(client, stream, info, endangered, request, watermark);
}

/** What a trim would do, and the bound that keeps it to that. Throws `notFound` when there is no such stream. */
export async function planTrim(
  client: StreamClient,
  stream: string,
  request: Pick<TrimRequest, 'goal' | 'safe'>,
): Promise<{result: TrimResult; bound: TrimBound}> {
  const {info, endangered, watermark} = await lookAt(client, stream, request);
  return forecast(client, stream, info, endangered, await countedGoal(client, stream, info, request.goal), watermark);
}

/** `endangered`: groups that may lose something. */
async function lookAt(
  client: StreamClient,
  stream: string,
  {safe}: Pick<TrimRequest, 'safe'>,
): Promise<{info: StreamInfo; endangered: readonly GroupInfo[]; watermark: Watermark | undefined}> {
  const info = await client.info(stream);
  const groups = info.groups === 0 ? [] : await client.groups(stream);
  return safe
    ? {info, endangered: [], watermark: await lowestWatermark(client, stream, info, groups)}
    : {info, endangered: groups, watermark: undefined};
}

async function carryOut(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
  {goal, approximate, bound}: TrimRequest,
  watermark: Watermark | undefined,
): Promise<TrimResult> {
  const before = await lookBefore(client, stream, info, groups, {forecasting: false});
  const keepFrom = earlierOf(watermark?.fromId, bound?.beforeId);
  const limits = {approximate, keepFrom, most: bound?.entries};
  const done =
    goal.kind === 'maxBytes'
      ? await trimToBytes(client, stream, info, {maxBytes: goal.maxBytes, ...limits})
      : {removed: await removeOldest(client, stream, info.length, {goal, ...limits}), goal};
  const {removed} = done;
  const after = await client.info(stream);
  const cut = after.firstEntry?.id ?? successorOf(after.lastGeneratedId) ?? LAST_ID;
  const result: TrimResult = {
    removed,
    left: after.length,
    losses: await findLosses(client, stream, before, exactly(removed), cut),
    heldBy:
      watermark && (await holds(client, stream, watermark, done.goal, info.length - removed)) ? watermark : undefined,
  };
  return 'bytes' in done ? {...result, bytes: done.bytes} : result;
}

/** A goal in bytes as if all entries were of one size. */
const countedGoal = async (
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  goal: TrimGoal,
): Promise<CountedGoal> => (goal.kind === 'maxBytes' ? estimatedGoal(client, stream, info, goal.maxBytes) : goal);

async function forecast(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
  goal: CountedGoal,
  watermark: Watermark | undefined,
): Promise<{result: TrimResult; bound: TrimBound}> {
  const before = await lookBefore(client, stream, info, groups, {forecasting: true});
  const asked =
    goal.kind === 'maxLen'
      ? exactly(Math.max(0, info.length - goal.maxLen))
      : await countBefore(client, stream, info, goal.minId);
  const free = watermark === undefined ? asked : await countBefore(client, stream, info, watermark.fromId);
  const removed = lower(asked, free);
  const cut = goal.kind === 'minId' ? goal.minId : cutBehind(before, removed.estimate);
  const losses = await findLosses(client, stream, before, removed, cut);
  const holdsBack =
    goal.kind === 'minId'
      ? watermark !== undefined && (await hasEntries(client, stream, watermark.fromId, goal.minId))
      : free.estimate < asked.estimate;
  const heldBy = holdsBack ? watermark : undefined;
  const exact = removed.atLeast === removed.atMost;
  const beforeId = earlierOf(cut, watermark?.fromId) ?? successorOf(info.lastGeneratedId) ?? LAST_ID;
  const bound = {beforeId, entries: removed.atMost};
  const result = {removed: removed.estimate, left: info.length - removed.estimate, losses, heldBy};
  return {result: exact ? result : {...result, exact}, bound};
}

const earlierOf = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || b === undefined ? (a ?? b) : earlierId(a, b);

const lower = (a: Bounds, b: Bounds): Bounds => ({
  estimate: Math.min(a.estimate, b.estimate),
  atLeast: Math.min(a.atLeast, b.atLeast),
  atMost: Math.min(a.atMost, b.atMost),
});

/** Entries before `id`. */
async function countBefore(client: StreamClient, stream: string, info: StreamInfo, id: string): Promise<Bounds> {
  const last = predecessorOf(id);
  if (last === undefined) return exactly(0);
  const {estimate, atLeast, atMost} = (await entriesBehind(client, stream, info, [last])).get(last)!;
  return {estimate: info.length - estimate, atLeast: info.length - atMost, atMost: info.length - atLeast};
}

/** Whether the watermark keeps anything that was asked to go, of a stream that now has `length` entries. */
async function holds(
  client: StreamClient,
  stream: string,
  {fromId}: Watermark,
  goal: CountedGoal,
  length: number,
): Promise<boolean> {
  if (goal.kind === 'minId') return hasEntries(client, stream, fromId, goal.minId);
  // What is still too much stands in front of the watermark where only whole nodes went, and behind it where it is held.
  const excess = length - goal.maxLen;
  const last = predecessorOf(fromId);
  if (excess <= 0) return false;
  if (last === undefined) return true;
  let before = 0;
  for await (const {ids} of client.ids(stream, FIRST_ID, last)) {
    before += ids.length;
    if (before >= excess || before > MOST_COUNTED) return false;
  }
  return true;
}

/** More than what whole nodes leave. */
const MOST_COUNTED = 10_000;

async function hasEntries(client: StreamClient, stream: string, start: string, end: string): Promise<boolean> {
  const last = predecessorOf(end);
  if (last === undefined) return false;
  for await (const _page of client.ids(stream, start, last)) return true;
  return false;
}

/**
 * The watermark of a stream: every group has read and acknowledged everything before it. Invariants: it only moves forward,
 * unless a group is moved back, so that one that was just read is safe to trim to; what may be needed counts as needed.
 */
interface Watermark {
  group: string;
  fromId: string;
}

/** The lowest of `groups`; undefined when there are none. */
async function lowestWatermark(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
): Promise<Watermark | undefined> {
  let lowest: Watermark | undefined;
  for (const {name, lastDeliveredId, pending} of groups) {
    const unread = successorOf(lastDeliveredId) ?? LAST_ID;
    const unacknowledged = pending === 0 ? undefined : await firstPending(client, stream, info, name);
    // Both count: after a group was moved back, its pending entries alone are no bound.
    const fromId = unacknowledged === undefined ? unread : earlierId(unacknowledged, unread);
    if (lowest === undefined || compareStreamIds(fromId, lowest.fromId) < 0) lowest = {group: name, fromId};
  }
  return lowest;
}

/** Pending entries a page. */
const PAGE = 100;
/** Entries that were deleted while they were pending are looked up one by one; so many are enough. */
const MOST_LOOKUPS = 2_000;

/**
 * The lowest pending entry that the stream still holds. What was trimmed or
 * deleted is needed by no consumer; what follows too many of those to be looked up
 * counts as held.
 */
async function firstPending(
  client: StreamClient,
  stream: string,
  {firstEntry, maxDeletedId}: StreamInfo,
  group: string,
): Promise<string | undefined> {
  let lookups = 0;
  for await (const page of client.pending(stream, group, {}, firstEntry?.id, LAST_ID, PAGE)) {
    const lowest = page[0]!.id;
    const deletedBehind = maxDeletedId === undefined || compareStreamIds(lowest, maxDeletedId) <= 0;
    if (!deletedBehind || lookups >= MOST_LOOKUPS) return lowest;
    for await (const found of withEntries(client, [page.map(({id}) => ({stream, id}))])) {
      const present = found.find(([, entry]) => entry !== undefined);
      if (present !== undefined) return present[0].id;
      lookups += found.length;
    }
  }
  return undefined;
}
