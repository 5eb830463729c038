/**
 * Taking entries over from other consumers by hand, and saying of each that was
 * not taken why. Invariant: an entry that was claimed comes out with its fields
 * and its count of deliveries; what cannot be claimed is counted, never dropped
 * silently.
 */
import type {Entry, StreamRecord} from './entry.js';
import type {IdReference} from './input/ids.js';
import {type Place, type PlacedIds, splitByPlace} from './places.js';
import type {Membership, PendingEntry, StreamClient} from './stream-client.js';

/** What is to be claimed from one stream and group. */
export interface ClaimBatch extends PlacedIds {
  /** Entries that were delivered more recently than this stay where they are. */
  readonly minIdleMs: number;
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

/** IDs in one XCLAIM at most; each costs a question of its own besides. */
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
    const idleMs = Math.max(minIdleMs, Math.min(...wanted.map((entry) => entry.idleMs)));
    yield {stream, group, ids: wanted.map(({id}) => id), minIdleMs: idleMs};
    left -= wanted.length;
    if (left === 0) return;
  }
}

export class Claimer {
  readonly counts: ClaimCounts = {claimed: 0, notPending: 0, notIdle: 0, gone: 0};
  readonly #client: StreamClient;
  readonly #consumer: string;
  readonly #dryRun: boolean;

  /** With `dryRun` nothing is claimed, and records say who has the entries now. */
  constructor(client: StreamClient, consumer: string, dryRun: boolean) {
    this.#client = client;
    this.#consumer = consumer;
    this.#dryRun = dryRun;
  }

  /** XCLAIM: the records of what was claimed. Throws `notFound` when there is no such stream or group. */
  async claim(batch: ClaimBatch): Promise<StreamRecord[]> {
    const {stream, group, ids, minIdleMs} = batch;
    const entries = this.#dryRun
      ? await this.#claimable(batch)
      : await this.#client.claim({stream, group, consumer: this.#consumer}, minIdleMs, ids);
    const claimed = new Set(entries.map(({id}) => id));
    const pending = await this.#lookUp(ids, (id) => this.#pending(batch, id));
    const missed = ids.filter((id) => !claimed.has(id));
    const present = await this.#lookUp(missed, (id) => this.#entry(stream, id));
    this.counts.claimed += claimed.size;
    for (const id of missed) this.counts[!present.has(id) ? 'gone' : pending.has(id) ? 'notIdle' : 'notPending']++;
    return entries.map(({id, fields}) => {
      const {consumer = this.#consumer, deliveries} = pending.get(id) ?? {};
      return {stream, id, fields, group, consumer, deliveries};
    });
  }

  /** What XCLAIM would claim now. */
  async #claimable(batch: ClaimBatch): Promise<Entry[]> {
    const pending = await this.#lookUp(batch.ids, (id) => this.#pending(batch, id));
    // Redis says -1 of an entry that was given back, and lets it be claimed at once.
    const idle = [...pending.values()].filter(({idleMs}) => idleMs < 0 || idleMs >= batch.minIdleMs);
    const entries = await this.#lookUp(
      idle.map(({id}) => id),
      (id) => this.#entry(batch.stream, id),
    );
    return [...entries.values()];
  }

  async #pending({stream, group}: Place, id: string): Promise<PendingEntry | undefined> {
    for await (const [entry] of this.#client.pending(stream, group, {}, id, id, 1)) return entry;
    return undefined;
  }

  async #entry(stream: string, id: string): Promise<Entry | undefined> {
    for await (const [entry] of this.#client.range(stream, id, id, 1)) return entry;
    return undefined;
  }

  /** Asks for all at once, since IDs may lie far apart; what was not found is absent. */
  async #lookUp<T>(ids: readonly string[], find: (id: string) => Promise<T | undefined>): Promise<Map<string, T>> {
    const answers = await Promise.all(ids.map(find));
    const found = new Map<string, T>();
    answers.forEach((answer, index) => {
      if (answer !== undefined) found.set(ids[index]!, answer);
    });
    return found;
  }
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
