/**
 * Trims to a goal in bytes, step by step, since the memory of a stream is known only after a trim. Invariant: MEMORY USAGE
 * samples a bounded number of nodes (2 ms), so that it is an estimate for longer streams; where the newest entries are smaller
 * than the oldest ones, which it samples, the estimate is corrected, so that no entry is removed for memory that is not used.
 */
import {byteLength} from '../records/bytes.js';
import type {Entry} from '../records/entry.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {type CountedGoal, removeOldest} from './removal.js';

interface SizeGoal {
  maxBytes: number;
  approximate: boolean;
  keepFrom: string | undefined;
  /** With `keepFrom`: how many entries may go at most. */
  most?: number | undefined;
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
  {maxBytes, approximate, keepFrom, most = Number.POSITIVE_INFINITY}: SizeGoal,
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
    const went = await removeOldest(client, stream, length, {
      goal,
      approximate,
      keepFrom,
      most: most - removed,
    });
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

export interface StreamSize {
  bytes: number;
  /** Entries. */
  length: number;
}

/** Redis frees entries by nodes of about this many. */
const NODE = 100;
/** The first step is a guess, so it is a small one. */
const FIRST_STEP = 2 * NODE;

/**
 * How many entries to remove for a goal in bytes. Redis tells the memory only after a trim, and the oldest entries may be
 * larger or smaller than the others, so entries are removed in steps, each computed from what the last ones freed.
 * Invariant: a step is expected to free at most half of what is too much, except for the last few entries.
 */
export class ByteDescent {
  readonly #maxBytes: number;
  readonly #newestEntryBytes: number;
  /** The size when it last became smaller. */
  #lastSize: StreamSize | undefined;
  /** What the last entries took that went; undefined until some memory was freed. */
  #bytesPerEntry: number | undefined;
  #step = 0;

  /** `newestEntryBytes` is about what one of the newest entries takes. */
  constructor(maxBytes: number, newestEntryBytes: number) {
    this.#maxBytes = maxBytes;
    this.#newestEntryBytes = newestEntryBytes;
  }

  /** How many entries to remove now; 0 when the goal is reached, or clearly cannot be by removing entries. */
  next(now: StreamSize): number {
    const excess = now.bytes - this.#maxBytes;
    if (excess <= 0 || now.length === 0) return 0;
    const freed = this.#learn(now);
    const bytesPerEntry = this.#bytesPerEntry;
    if (bytesPerEntry === undefined)
      return this.#go(now, Math.max(this.#step * 2, Math.min(FIRST_STEP, share(excess, now))));
    // What a group has pending, and the group itself, take memory that no trim frees.
    const entryBytes = Math.max(bytesPerEntry, this.#newestEntryBytes);
    if (entryBytes * (now.length + NODE) * 2 < excess) return 0;
    if (!freed) return this.#go(now, this.#step * 2);
    const wanted = Math.min(excess / bytesPerEntry, share(excess, now));
    return this.#go(now, wanted <= NODE ? wanted : wanted / 2);
  }

  /** True when memory was freed since the last look. */
  #learn(now: StreamSize): boolean {
    const last = this.#lastSize;
    if (last !== undefined && now.bytes >= last.bytes) return false;
    if (last !== undefined) this.#bytesPerEntry = (last.bytes - now.bytes) / (last.length - now.length);
    this.#lastSize = now;
    return true;
  }

  #go({length}: StreamSize, step: number): number {
    this.#step = Math.min(length, Math.max(1, Math.ceil(step)));
    return this.#step;
  }
}

/** Entries to remove if all were of one size. */
const share = (excess: number, {bytes, length}: StreamSize): number => (length * excess) / bytes;
