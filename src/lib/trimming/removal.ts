/**
 * Removes the oldest entries in small steps: XTRIM with `~` and LIMIT removes whole nodes, and only the last few entries go by
 * an exact XTRIM, which would block the server for all of them (0.6 s for 50 million). Invariants: with `keepFrom` every command
 * is MINID of that ID or of one before it, so that no later entry is removed; and no more is removed than was asked.
 */
import {earlierId, FIRST_ID, predecessorOf} from '../records/stream-id.js';
import {StepSize} from '../step-size.js';
import type {StreamClient, Trim} from '../stream-client.js';

export type CountedGoal = {kind: 'maxLen'; maxLen: number} | {kind: 'minId'; minId: string};

export interface Removal {
  goal: CountedGoal;
  /** Lets whole nodes stay (`~`). */
  approximate: boolean;
  /** The first ID that has to stay. */
  keepFrom?: string | undefined;
  /** With `keepFrom` and a goal that is a number of entries: how many may go at most. */
  most?: number | undefined;
}

/** Removes from a stream of `length` entries: how many went. */
export async function removeOldest(
  client: StreamClient,
  stream: string,
  length: number,
  {goal, approximate, keepFrom, most = Number.POSITIVE_INFINITY}: Removal,
): Promise<number> {
  if (goal.kind === 'maxLen' && keepFrom !== undefined)
    return removeSome(client, stream, Math.min(most, length - goal.maxLen), keepFrom, approximate);
  const whole: CountedGoal =
    goal.kind === 'minId' && keepFrom !== undefined ? {kind: 'minId', minId: earlierId(goal.minId, keepFrom)} : goal;
  const removed = await removeNodes(client, stream, whole, Number.POSITIVE_INFINITY);
  return approximate ? removed : removed + (await client.trim(stream, {...whole, approximate: false}));
}

/** Removes the oldest `count` entries as far as they are before `keepFrom`. */
async function removeSome(
  client: StreamClient,
  stream: string,
  count: number,
  keepFrom: string,
  approximate: boolean,
): Promise<number> {
  const removed = await removeNodes(client, stream, {kind: 'minId', minId: keepFrom}, count);
  if (approximate || removed >= count) return removed;
  const minId = await idBehind(client, stream, count - removed, keepFrom);
  return removed + (await client.trim(stream, {kind: 'minId', minId, approximate: false}));
}

/** Whole nodes that lie before the goal, `most` entries at most. */
async function removeNodes(client: StreamClient, stream: string, goal: CountedGoal, most: number): Promise<number> {
  const step = new StepSize();
  let removed = 0;
  while (removed < most) {
    const limit = Math.min(step.count, most - removed);
    const trim: Trim = {...goal, approximate: true, limit};
    const startMs = performance.now();
    const went = await client.trim(stream, trim);
    if (went > 0) step.took(performance.now() - startMs);
    removed += went;
    if (went > 0) continue;
    // A node may hold more entries than the limit.
    if (step.isLargest || limit < step.count) break;
    step.enlarge();
  }
  return removed;
}

/** The ID that comes after the oldest `count` entries, or `end` when that is before it. */
async function idBehind(client: StreamClient, stream: string, count: number, end: string): Promise<string> {
  const last = predecessorOf(end);
  if (last === undefined) return end;
  let toSkip = count;
  for await (const {ids} of client.ids(stream, FIRST_ID, last)) {
    if (toSkip < ids.length) return ids[toSkip]!;
    toSkip -= ids.length;
  }
  return end;
}
