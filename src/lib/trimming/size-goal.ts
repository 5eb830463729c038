/**
 * Trimming to a goal in bytes: step by step, as the memory of a stream is known
 * only when it was trimmed. Invariant: MEMORY USAGE looks at a bounded number of
 * nodes, about 2 ms, so of a stream that has more its answer is an estimate;
 * where the newest entries are smaller than the oldest ones, which it looks at,
 * the estimate is put right, so that nothing goes for memory that is not taken.
 */
import {byteLength} from '../records/bytes.js';
import type {Entry} from '../records/entry.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {ByteDescent} from './byte-descent.js';
import {type CountedGoal, removeOldest} from './removal.js';

interface SizeGoal {
  maxBytes: number;
  approximate: boolean;
  keepFrom: string | undefined;
}

/** What went, what the stream takes now, and the goal of the last step. */
interface ByteTrim {
  removed: number;
  bytes: number;
  goal: CountedGoal;
}

/** Removes entries until the stream takes at most `maxBytes`, or clearly cannot. */
export async function trimToBytes(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  {maxBytes, approximate, keepFrom}: SizeGoal,
): Promise<ByteTrim> {
  const descent = new ByteDescent(maxBytes, newestEntryBytes(info));
  let removed = 0;
  let goal: CountedGoal = {kind: 'maxLen', maxLen: info.length};
  for (;;) {
    const length = info.length - removed;
    const bytes = await measure(client, stream, info, length);
    const step = descent.next({bytes, length});
    if (step === 0) return {removed, bytes, goal};
    goal = {kind: 'maxLen', maxLen: length - step};
    const went = await removeOldest(client, stream, length, {goal, approximate, keepFrom});
    removed += went;
    // With `~` too small a step removes nothing; what a group holds stays however large the step is.
    if (went === 0 && (!approximate || step === length)) return {removed, bytes, goal};
  }
}

/** The length that would reach the goal if all entries were of one size. */
export async function estimatedGoal(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  maxBytes: number,
): Promise<CountedGoal> {
  const {length} = info;
  const bytes = await measure(client, stream, info, length);
  return {kind: 'maxLen', maxLen: bytes <= maxBytes ? length : Math.floor((length * maxBytes) / bytes)};
}

/** Nodes that MEMORY USAGE looks at: 20,000 take 2 ms. A node has 100 entries or 4 KB, or one larger entry. */
const MOST_NODES = 20_000;

async function measure(client: StreamClient, stream: string, info: StreamInfo, length: number): Promise<number> {
  const bytes = (await client.bytes(stream, {samples: MOST_NODES})) ?? 0;
  // There are no more nodes than entries.
  if (length <= MOST_NODES) return bytes;
  const {nodes} = await client.info(stream);
  if (nodes <= MOST_NODES) return bytes;
  const seen = (bytes / nodes) * MOST_NODES;
  const newestNodeBytes = Math.max(newestEntryBytes(info), (newestEntryBytes(info) * length) / nodes);
  return Math.min(bytes, seen + newestNodeBytes * (nodes - MOST_NODES));
}

/** About the memory that one of the newest entries takes; 0 where there are none. */
const newestEntryBytes = ({lastEntry}: StreamInfo): number => (lastEntry === undefined ? 0 : entryBytes(lastEntry));

const entryBytes = ({fields}: Entry): number =>
  fields.flat().reduce((sum, text) => sum + byteLength(text), ENTRY_OVERHEAD);

/** What Redis adds to names and values, in bytes. */
const ENTRY_OVERHEAD = 32;
