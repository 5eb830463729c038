/**
 * Trimming with open eyes: what a trim will take from whom, and, with `safe`,
 * nothing that any group still needs. Invariant of a safe trim: no entry at or
 * above the watermark goes.
 */

import {byteLength} from '../bytes.js';
import {countEntries} from '../counting.js';
import type {StreamClient, StreamInfo, Trim} from '../stream-client.js';
import {compareStreamIds, earlierId, LAST_ID, successorOf} from '../stream-id.js';
import {ByteDescent} from './byte-descent.js';
import {addLosses, findLosses, type GroupLoss, mayLose} from './losses.js';
import {lowestWatermark, type Watermark} from './watermark.js';

export type TrimGoal =
  | {kind: 'maxLen'; maxLen: number}
  | {kind: 'minId'; minId: string}
  | {kind: 'maxBytes'; maxBytes: number};

export interface TrimRequest {
  goal: TrimGoal;
  /** Lets Redis keep whole nodes (`~`): cheaper, and a little more may stay. */
  approximate: boolean;
  safe: boolean;
  dryRun: boolean;
}

export interface TrimResult {
  removed: number;
  left: number;
  losses: GroupLoss[];
  /** With `safe`: the group whose watermark kept entries that were asked to go. */
  heldBy?: Watermark;
  /** For a goal in bytes: what the stream takes in the end, which may be more than the goal. Absent in a dry run, which can only estimate. */
  bytes?: number;
}

/** Trims `stream`, or only says what that would do. Throws `notFound` when there is no such stream. */
export async function trimStream(client: StreamClient, stream: string, request: TrimRequest): Promise<TrimResult> {
  const {goal} = request;
  return goal.kind === 'maxBytes'
    ? trimToBytes(client, stream, request, goal.maxBytes)
    : trimOnce(client, stream, {...request, goal});
}

/** Step by step, as the memory of a stream is known only when it was trimmed. */
async function trimToBytes(
  client: StreamClient,
  stream: string,
  request: TrimRequest,
  maxBytes: number,
): Promise<TrimResult> {
  const descent = new ByteDescent(maxBytes, await newestEntryBytes(client, stream));
  const total: TrimResult = {removed: 0, left: (await client.info(stream)).length, losses: []};
  for (;;) {
    const bytes = (await client.bytes(stream, {exact: true})) ?? 0;
    if (request.dryRun) return trimOnce(client, stream, {...request, goal: estimated(maxBytes, bytes, total.left)});
    total.bytes = bytes;
    const step = descent.next({bytes, length: total.left});
    if (step === 0) return total;
    const result = await trimOnce(client, stream, {...request, goal: {kind: 'maxLen', maxLen: total.left - step}});
    total.removed += result.removed;
    total.left = result.left;
    total.losses = addLosses(total.losses, result.losses);
    if (result.heldBy !== undefined) total.heldBy = result.heldBy;
    // With `~` too small a step removes nothing; what a group holds stays however large the step is.
    if (result.removed === 0 && (!request.approximate || step === total.left)) return total;
  }
}

/** About the memory that one of the newest entries takes; 0 where there are none. */
async function newestEntryBytes(client: StreamClient, stream: string): Promise<number> {
  for await (const entries of client.rangeReverse(stream)) {
    const fields = entries.flatMap((entry) => entry.fields).flat();
    return ENTRY_OVERHEAD + fields.reduce((sum, text) => sum + byteLength(text), 0) / entries.length;
  }
  return 0;
}

/** What Redis adds to names and values, in bytes. */
const ENTRY_OVERHEAD = 32;

/** As if all entries were of one size. */
const estimated = (maxBytes: number, bytes: number, length: number): CountedGoal => ({
  kind: 'maxLen',
  maxLen: bytes <= maxBytes ? length : Math.floor((length * maxBytes) / bytes),
});

type CountedGoal = Exclude<TrimGoal, {kind: 'maxBytes'}>;
type CountedRequest = TrimRequest & {goal: CountedGoal};

async function trimOnce(client: StreamClient, stream: string, request: CountedRequest): Promise<TrimResult> {
  const {goal, approximate, safe, dryRun} = request;
  const info = await client.info(stream);
  const groups = info.groups === 0 ? [] : await client.groups(stream);
  const watermark = safe ? await lowestWatermark(client, stream, info, groups) : undefined;

  // The cut is the first ID that stays. Finding it for a length costs a read, so only those who need it pay.
  const mustKnowCut = dryRun || watermark !== undefined || groups.some((group) => mayLose(info, group));
  const asked = mustKnowCut ? await findCut(client, stream, info, goal, watermark?.fromId) : undefined;
  const cut = asked !== undefined && watermark !== undefined ? earlierId(asked, watermark.fromId) : asked;
  const losses = cut === undefined || safe ? [] : await findLosses(client, stream, info, groups, cut);
  const held = asked !== undefined && watermark !== undefined && (await hasEntries(client, stream, watermark, asked));
  const heldBy = held ? watermark : undefined;

  if (dryRun) {
    const removed = await countEntries(client, stream, info.firstEntry?.id ?? LAST_ID, cut!);
    return {removed, left: info.length - removed, losses, heldBy};
  }
  const trim: Trim = safe && cut !== undefined ? {kind: 'minId', minId: cut, approximate} : {...goal, approximate};
  const removed = await trimUntilDone(client, stream, trim);
  const after = await client.info(stream);
  // With `~` some of what was to go is still there, and so not lost.
  const spared = approximate && losses.length > 0 ? await findLosses(client, stream, after, groups, cut!) : [];
  return {removed, left: after.length, losses: addLosses(losses, spared, -1), heldBy};
}

/** With `~` Redis removes at most some thousand entries a call; it is done when it removes none. */
async function trimUntilDone(client: StreamClient, stream: string, trim: Trim): Promise<number> {
  let removed = 0;
  let step: number;
  do {
    step = await client.trim(stream, trim);
    removed += step;
  } while (trim.approximate && step > 0);
  return removed;
}

/** Whether the watermark keeps anything that was asked to go. */
const hasEntries = async (client: StreamClient, stream: string, {fromId}: Watermark, asked: string): Promise<boolean> =>
  (await countEntries(client, stream, fromId, asked, 0)) > 0;

/** The first ID that stays. For a length it is found from the nearer end; entries from `enough` on need no look. */
async function findCut(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  goal: CountedGoal,
  enough: string | undefined,
): Promise<string> {
  if (goal.kind === 'minId') return goal.minId;
  const excess = info.length - goal.maxLen;
  if (excess <= 0) return info.firstEntry?.id ?? '0-0';
  if (goal.maxLen === 0) return successorOf(info.lastGeneratedId) ?? LAST_ID;
  const fromStart = enough !== undefined || excess <= goal.maxLen;
  let toSkip = fromStart ? excess : goal.maxLen - 1;
  for await (const entries of fromStart ? client.range(stream) : client.rangeReverse(stream)) {
    if (toSkip < entries.length) return entries[toSkip]!.id;
    toSkip -= entries.length;
    const behindSeen = successorOf(entries.at(-1)!.id) ?? LAST_ID;
    if (fromStart && enough !== undefined && compareStreamIds(behindSeen, enough) > 0) return behindSeen;
  }
  return successorOf(info.lastGeneratedId) ?? LAST_ID;
}
