/**
 * The IDs that were confirmed last, and how many of them a server lacks that
 * was asked after a lost connection: after a failover, the new master lacks what
 * it had not got from the old one. One ID stands for a batch. Invariant: what is
 * said to be lost was confirmed, is not in the stream, and lies where no
 * trimming could have removed it.
 */
import {findInfo} from '../reading/locate.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {compareStreamIds, FIRST_ID} from './stream-id.js';

/** Some seconds of a fast run, and hours of a slow one. */
const MOST_BATCHES = 1_024;

/** Stands for `count` records, of which this is the last. */
export interface ConfirmedBatch {
  readonly last: string;
  readonly count: number;
}

export interface LostRecords {
  /** At most so many; fewer where a part of the first batch is there. */
  readonly count: number;
  /** The last ID that is there, and the last that was confirmed. */
  readonly after: string;
  readonly upTo: string;
}

export class ConfirmedIds {
  readonly #most: number;
  readonly #grainMs: number;
  #batches: ConfirmedBatch[] = [];
  #lastAtMs = 0;

  /** At most so many IDs are known; what is confirmed within `grainMs` shares one. */
  constructor({most = MOST_BATCHES, grainMs = 0}: {most?: number; grainMs?: number} = {}) {
    this.#most = most;
    this.#grainMs = grainMs;
  }

  /** `count` records up to the ID `last` have been confirmed. */
  push(last: string, count: number): void {
    const nowMs = this.#grainMs === 0 ? 0 : performance.now();
    const newest = this.#batches.at(-1);
    if (newest !== undefined && nowMs - this.#lastAtMs < this.#grainMs) {
      this.#batches[this.#batches.length - 1] = {last, count: newest.count + count};
      return;
    }
    this.#lastAtMs = nowMs;
    this.#batches.push({last, count});
    if (this.#batches.length > this.#most) this.#batches.shift();
  }

  /** All of them, to be looked for on a new connection before anything is confirmed on it. */
  take(): ConfirmedBatch[] {
    const batches = this.#batches;
    this.#batches = [];
    return batches;
  }

  /** What `client` lacks of `batches`; undefined when it has all, or when that cannot be known. */
  async findLost(
    client: StreamClient,
    stream: string,
    batches: readonly ConfirmedBatch[],
  ): Promise<LostRecords | undefined> {
    const newest = batches.at(-1);
    if (newest === undefined) return undefined;
    const first = await firstLost(
      client,
      stream,
      batches.map(({last}) => last),
    );
    if (first === undefined) return this.#keep(batches);
    const lost = batches.slice(first);
    const kept = batches.slice(0, batches.length - lost.length);
    this.#keep(kept);
    const count = lost.reduce((sum, batch) => sum + batch.count, 0);
    return {count, after: kept.at(-1)?.last ?? FIRST_ID, upTo: newest.last};
  }

  /** They may be lost by the next failover. */
  #keep(batches: readonly ConfirmedBatch[]): undefined {
    this.#batches = [...batches, ...this.#batches].slice(-this.#most);
  }
}

/**
 * The place among `ids`, which were confirmed and ascend, of the first that the stream of `client` lacks, and with it all
 * behind it; undefined when it has the last, or when none is known to be lost rather than trimmed or deleted.
 */
export async function firstLost(
  client: StreamClient,
  stream: string,
  ids: readonly string[],
): Promise<number | undefined> {
  const newest = ids.at(-1);
  if (newest === undefined || (await has(client, stream, newest))) return undefined;
  const info = await findInfo(client, stream);
  let low = ids.findIndex((id) => !mayBeRemoved(id, info));
  if (low === -1) return undefined;
  // A replica gets entries in their order: those it has come before those it lacks.
  let high = ids.length - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await has(client, stream, ids[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function has(client: StreamClient, stream: string, id: string): Promise<boolean> {
  for await (const entries of client.range(stream, id, id, 1)) return entries.length > 0;
  return false;
}

/** Whether somebody may have trimmed or deleted an entry that is not there: a server that never had it knows of neither. */
function mayBeRemoved(id: string, info: StreamInfo | undefined): boolean {
  if (info === undefined) return false;
  const {firstEntry, lastGeneratedId, maxDeletedId} = info;
  // An empty stream was trimmed. Before Redis 7.0 there is no max-deleted-entry-id (https://redis.io/docs/latest/commands/xinfo-stream/).
  const trimmed = firstEntry?.id ?? lastGeneratedId;
  const deleted = maxDeletedId ?? lastGeneratedId;
  return compareStreamIds(id, trimmed) <= 0 || compareStreamIds(id, deleted) <= 0;
}
