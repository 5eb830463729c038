/**
 * Taking entries over from other consumers by hand, and saying of each that was
 * not taken why. Invariant: an entry that was claimed comes out with its fields
 * and its count of deliveries; what cannot be claimed is counted, never dropped
 * silently.
 */
import type {Entry, StreamRecord} from '../entry.js';
import type {IdReference} from '../input/ids.js';
import {PageSize} from '../reading/page-size.js';
import {isIdle, type Membership, type PendingEntry, type StreamClient} from '../stream-client.js';
import {compareStreamIds} from '../stream-id.js';
import {type Place, type PlacedIds, splitByPlace} from './places.js';

/** What is to be claimed from one stream and group. */
export interface ClaimBatch extends PlacedIds {
  /** Entries that were delivered more recently than this stay where they are. */
  readonly minIdleMs: number;
  /** What is known of those of `ids` that are pending, where that was asked already. */
  readonly pending?: readonly PendingEntry[];
}

export interface ClaimCounts {
  claimed: number;
  /** Acknowledged, or never delivered. */
  notPending: number;
  /** Pending, but not idle for long enough. */
  notIdle: number;
  /** Trimmed or deleted. */
  gone: number;
}

/** IDs in one XCLAIM at most. */
const MAX_IDS = 100;

/** Batches of what `references` name. */
export async function* namedEntries(
  references: AsyncIterable<IdReference[]>,
  defaults: Place,
  minIdleMs: number,
): AsyncGenerator<ClaimBatch, void, void> {
  for await (const batch of references) {
    for (const placed of splitByPlace(batch, defaults, MAX_IDS)) {
      yield {...placed, ids: [...new Set(placed.ids)], minIdleMs};
    }
  }
}

/** Batches of what `consumer` has pending, oldest ID first, `limit` entries at most. */
export async function* entriesOf(
  client: StreamClient,
  {stream, group, consumer}: Membership,
  minIdleMs: number,
  limit: number,
): AsyncGenerator<ClaimBatch, void, void> {
  let left = limit;
  const filter = {consumer, minIdleMs: minIdleMs === 0 ? undefined : minIdleMs};
  for await (const page of client.pending(stream, group, filter, undefined, undefined, MAX_IDS)) {
    const wanted = page.slice(0, left);
    // Another consumer may take one at this moment; it is then idle for less than any of these.
    const idles = wanted.filter(({givenBack}) => !givenBack).map((entry) => entry.idleMs);
    const idleMs = idles.length === 0 ? minIdleMs : Math.max(minIdleMs, Math.min(...idles));
    yield {stream, group, ids: wanted.map(({id}) => id), minIdleMs: idleMs, pending: wanted};
    left -= wanted.length;
    if (left === 0) return;
  }
}

export class Claimer {
  readonly counts: ClaimCounts = {claimed: 0, notPending: 0, notIdle: 0, gone: 0};
  readonly #client: StreamClient;
  readonly #consumer: string;
  readonly #dryRun: boolean;
  readonly #pageSize = new PageSize(MAX_IDS);

  /** With `dryRun` nothing is claimed, and records say who has the entries now. */
  constructor(client: StreamClient, consumer: string, dryRun: boolean) {
    this.#client = client;
    this.#consumer = consumer;
    this.#dryRun = dryRun;
  }

  /** XCLAIM: the records of what was claimed, page by page. Throws `notFound` when there is no such stream or group. */
  async *claim(batches: AsyncIterable<ClaimBatch>): AsyncGenerator<StreamRecord[], void, void> {
    for await (const {ids, ...batch} of batches) {
      for (let start = 0; start < ids.length; ) {
        const page = {...batch, ids: ids.slice(start, start + this.#pageSize.count)};
        start += page.ids.length;
        const records = await this.#claimPage(page);
        this.#pageSize.adapt(records);
        if (records.length > 0) yield records;
      }
    }
  }

  async #claimPage(batch: ClaimBatch): Promise<StreamRecord[]> {
    const {stream, group, ids, minIdleMs} = batch;
    // Asked before: what XCLAIM takes is counted once more, and what it does not take may be gone then.
    const before = await this.#pending(batch);
    const entries = this.#dryRun
      ? await this.#claimable(batch, before)
      : await this.#client.claim({stream, group, consumer: this.#consumer}, minIdleMs, ids);
    const claimed = new Set(entries.map(({id}) => id));
    const missed = ids.filter((id) => !claimed.has(id));
    const present = await this.#entries(stream, missed);
    this.counts.claimed += claimed.size;
    for (const id of missed) this.counts[!present.has(id) ? 'gone' : before.has(id) ? 'notIdle' : 'notPending']++;
    return entries.map(({id, fields}) => {
      const known = before.get(id);
      if (this.#dryRun) return {stream, id, fields, group, consumer: known?.consumer, deliveries: known?.deliveries};
      const deliveries = known === undefined ? undefined : known.deliveries + 1;
      return {stream, id, fields, group, consumer: this.#consumer, deliveries};
    });
  }

  /** What XCLAIM would claim now. */
  async #claimable(batch: ClaimBatch, pending: ReadonlyMap<string, PendingEntry>): Promise<Entry[]> {
    const idle = [...pending.values()].filter((entry) => isIdle(entry, batch.minIdleMs));
    const entries = await this.#entries(
      batch.stream,
      idle.map(({id}) => id),
    );
    return [...entries.values()];
  }

  /** What is pending of the IDs of a batch, as XPENDING has it. */
  async #pending({stream, group, ids, pending}: ClaimBatch): Promise<Map<string, PendingEntry>> {
    const wanted = new Set(ids);
    const found = pending ?? (await pendingAmong(this.#client, {stream, group}, ids));
    return new Map(found.filter(({id}) => wanted.has(id)).map((entry) => [entry.id, entry]));
  }

  #entries(stream: string, ids: readonly string[]): Promise<Map<string, Entry>> {
    return firstOfEach(ids, (id) => this.#client.range(stream, id, id, 1));
  }
}

/**
 * XPENDING of `ids`, and perhaps more: those that lie close together in one
 * question, as IDs do that another command has listed, and each of the others in
 * one of its own.
 */
async function pendingAmong(
  client: StreamClient,
  {stream, group}: Place,
  ids: readonly string[],
): Promise<PendingEntry[]> {
  const sorted = ids.toSorted(compareStreamIds);
  const page = await client.pendingPage(stream, group, {start: sorted[0], end: sorted.at(-1), count: 2 * ids.length});
  const last = page.at(-1)?.id;
  if (last === undefined || page.length < 2 * ids.length) return page;
  const behind = sorted.filter((id) => compareStreamIds(id, last) > 0);
  const others = await Promise.all(
    behind.map((id) => client.pendingPage(stream, group, {start: id, end: id, count: 1})),
  );
  return [...page, ...others.flat()];
}

/** Asks for all at once; what was not found is absent. */
async function firstOfEach<T extends {id: string}>(
  ids: readonly string[],
  find: (id: string) => AsyncIterable<T[]>,
): Promise<Map<string, T>> {
  const found = await Promise.all(
    ids.map(async (id) => {
      for await (const [first] of find(id)) return first;
      return undefined;
    }),
  );
  return new Map(found.filter((one) => one !== undefined).map((one) => [one.id, one]));
}

/** `claimed 3 for "w2", not claimed: 1 not pending`, for people. */
export function describeClaim({claimed, notPending, notIdle, gone}: ClaimCounts, to: string, dryRun: boolean): string {
  const missed = [
    [notPending, 'not pending'],
    [notIdle, 'not idle for long enough'],
    [gone, 'not in the stream any more'],
  ] as const;
  const reasons = missed.filter(([count]) => count > 0).map(([count, reason]) => `${count} ${reason}`);
  const rest = reasons.length === 0 ? '' : `, not claimed: ${reasons.join(', ')}`;
  return `${dryRun ? 'would have claimed' : 'claimed'} ${claimed} for "${to}"${rest}`;
}
