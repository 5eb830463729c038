/**
 * Trimming with open eyes: what a trim will take from whom, and, with `safe`,
 * nothing that any group still needs. Invariant of a safe trim: no entry at or
 * above the watermark goes, and the watermark of a group only moves forward
 * (unless someone moves the group back), so what is read between looking and
 * trimming makes it safer, never less safe.
 */
import {countEntries, countPending} from './counting.js';
import type {GroupInfo, StreamClient, StreamInfo, Trim} from './stream-client.js';
import {compareStreamIds, earlierId, LAST_ID, successorOf} from './stream-id.js';

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

/** What a group lost, or will lose: entries it was never given, and entries it has not acknowledged. */
export interface GroupLoss {
  group: string;
  unread: number;
  pending: number;
}

export interface TrimResult {
  removed: number;
  left: number;
  losses: GroupLoss[];
  /** With `safe`: the group whose watermark kept entries that were asked to go. */
  heldBy?: {group: string; fromId: string};
}

/** Trims `stream`, or only says what that would do. Throws `notFound` when there is no such stream. */
export async function trimStream(client: StreamClient, stream: string, request: TrimRequest): Promise<TrimResult> {
  const {goal} = request;
  if (goal.kind !== 'maxBytes') return trimOnce(client, stream, {...request, goal});

  const total: TrimResult = {removed: 0, left: (await client.info(stream)).length, losses: []};
  // Redis estimates the memory of a stream from samples, so the way down is measured again after each step.
  for (let step = 0; step < 8; step++) {
    const bytes = (await client.bytes(stream)) ?? 0;
    if (bytes <= goal.maxBytes || total.left === 0) break;
    const maxLen = Math.min(total.left - 1, Math.floor((total.left * goal.maxBytes) / bytes));
    const result = await trimOnce(client, stream, {...request, goal: {kind: 'maxLen', maxLen}});
    total.removed += result.removed;
    total.left = result.left;
    total.losses = addLosses(total.losses, result.losses);
    if (result.heldBy !== undefined) total.heldBy = result.heldBy;
    if (request.dryRun || result.removed === 0) break;
  }
  return total;
}

type CountedRequest = TrimRequest & {goal: Exclude<TrimGoal, {kind: 'maxBytes'}>};

async function trimOnce(client: StreamClient, stream: string, request: CountedRequest): Promise<TrimResult> {
  const {goal, approximate, safe, dryRun} = request;
  const info = await client.info(stream);
  const groups = info.groups === 0 ? [] : await client.groups(stream);
  const watermark = safe ? await lowestWatermark(client, stream, groups) : undefined;

  // The cut is the first ID that stays. Finding it for a length costs a read, so only those who need it pay.
  const mustKnowCut = dryRun || watermark !== undefined || groups.some((group) => mayLose(info, group));
  const asked = mustKnowCut ? await findCut(client, stream, info, goal, watermark?.fromId) : undefined;
  const cut = asked !== undefined && watermark !== undefined ? earlierId(asked, watermark.fromId) : asked;
  const losses = cut === undefined || safe ? [] : await findLosses(client, stream, info, groups, cut);
  const heldBy =
    watermark !== undefined && asked !== undefined && compareStreamIds(watermark.fromId, asked) < 0
      ? watermark
      : undefined;

  if (dryRun) {
    const removed = await countEntries(client, stream, info.firstEntry?.id ?? LAST_ID, cut!);
    return {removed, left: info.length - removed, losses, heldBy};
  }
  const trim: Trim = safe && cut !== undefined ? {kind: 'minId', minId: cut, approximate} : {...goal, approximate};
  const removed = await trimUntilDone(client, stream, trim);
  return {removed, left: await client.length(stream), losses: removed === 0 ? [] : losses, heldBy};
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

/** The lowest ID that some group still needs, and which group that is; undefined when there are no groups. */
async function lowestWatermark(
  client: StreamClient,
  stream: string,
  groups: readonly GroupInfo[],
): Promise<{group: string; fromId: string} | undefined> {
  let lowest: {group: string; fromId: string} | undefined;
  for (const {name, lastDeliveredId} of groups) {
    const unread = successorOf(lastDeliveredId) ?? LAST_ID;
    const pending = (await client.pendingSummary(stream, name)).lowestId;
    // Both count: after a group was moved back, its pending entries alone are no bound.
    const fromId = pending === undefined ? unread : earlierId(pending, unread);
    if (lowest === undefined || compareStreamIds(fromId, lowest.fromId) < 0) lowest = {group: name, fromId};
  }
  return lowest;
}

const mayLose = (info: StreamInfo, group: GroupInfo): boolean =>
  group.pending > 0 || compareStreamIds(group.lastDeliveredId, info.lastGeneratedId) < 0;

/** The first ID that stays. For a length it is found from the nearer end; entries from `enough` on need no look. */
async function findCut(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  goal: CountedRequest['goal'],
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
    const seen = entries.at(-1)!.id;
    if (fromStart && enough !== undefined && compareStreamIds(seen, enough) >= 0) return seen;
  }
  return successorOf(info.lastGeneratedId) ?? LAST_ID;
}

async function findLosses(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
  cut: string,
): Promise<GroupLoss[]> {
  const first = info.firstEntry?.id;
  if (first === undefined) return [];
  const losses: GroupLoss[] = [];
  for (const {name, pending, lastDeliveredId} of groups) {
    const firstUnread = successorOf(lastDeliveredId) ?? LAST_ID;
    const start = compareStreamIds(firstUnread, first) > 0 ? firstUnread : first;
    const loss = {
      group: name,
      unread: await countEntries(client, stream, start, cut),
      pending: pending === 0 ? 0 : await countPending(client, stream, name, first, cut),
    };
    if (loss.unread + loss.pending > 0) losses.push(loss);
  }
  return losses;
}

function addLosses(before: readonly GroupLoss[], more: readonly GroupLoss[]): GroupLoss[] {
  const sum = new Map(before.map((loss) => [loss.group, loss]));
  for (const {group, unread, pending} of more) {
    const known = sum.get(group) ?? {group, unread: 0, pending: 0};
    sum.set(group, {group, unread: known.unread + unread, pending: known.pending + pending});
  }
  return [...sum.values()];
}
