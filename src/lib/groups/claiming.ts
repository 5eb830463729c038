/**
 * Claims entries for another consumer, and says why others were not claimed. Invariants: an entry is claimed only while it
 * is as its record says, which one script looks at and claims in one step; what is claimed comes with its fields and its
 * count of deliveries, and what is not claimed is counted.
 */
import type {IdReference} from '../input/id-reader.js';
import {entriesById} from '../reading/entries-by-id.js';
import {PageSize} from '../reading/page-size.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {ClaimOutcome, Membership, NamedEntry, PendingEntry, StreamClient} from '../stream-client.js';
import {type GroupKey, groupReferences} from './named-entries.js';

/** What is to be claimed from one stream and group, at most `MAX_IDS` entries, each once. */
export interface ClaimBatch extends GroupKey {
  readonly named: readonly NamedEntry[];
  /** Entries that were delivered more recently than this stay where they are. */
  readonly minIdleMs: number;
}

export interface ClaimCounts {
  claimed: number;
  /** Acknowledged, or never delivered. */
  notPending: number;
  /** Pending with another consumer than the record names. */
  withAnother: number;
  /** Delivered more often, or idle for less, than the record says. */
  deliveredAgain: number;
  /** Pending, but not idle for long enough. */
  notIdle: number;
  /** Trimmed or deleted. */
  gone: number;
}

/** An entry that is not as its record says. */
export interface ClaimRefusal {
  stream: string;
  id: string;
  reason: string;
}

/** Entries in one script at most: some milliseconds. */
const MAX_IDS = 100;

/** Batches of what `references` name. */
export async function* namedEntries(
  references: AsyncIterable<IdReference[]>,
  defaults: GroupKey,
  minIdleMs: number,
): AsyncGenerator<ClaimBatch, void, void> {
  for await (const batch of references) {
    for (const {stream, group, references: found} of groupReferences(batch, defaults, MAX_IDS)) {
      // The last record of an entry is the newest one.
      const named = [...new Map(found.map((reference) => [reference.id, reference])).values()];
      yield {stream, group, named, minIdleMs};
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
    yield {stream, group, named: wanted.map(asFound), minIdleMs};
    left -= wanted.length;
    if (left === 0) return;
  }
}

/** It may change hands, or be delivered again, at any moment. */
const asFound = ({id, consumer, deliveries, idleMs}: PendingEntry): NamedEntry => ({
  id,
  consumer,
  deliveries,
  idleMs: Math.max(0, idleMs),
});

export interface ClaimerOptions {
  /** Claims nothing; records say who has the entries now. */
  dryRun: boolean;
  /** Once aborted, nothing more is claimed. */
  stopping: AbortSignal;
  /** Told of what a record no longer fits, and of what is no longer in the stream. */
  onRefused: (refusal: ClaimRefusal) => void;
}

export class Claimer {
  readonly counts: ClaimCounts = {
    claimed: 0,
    notPending: 0,
    withAnother: 0,
    deliveredAgain: 0,
    notIdle: 0,
    gone: 0,
  };
  readonly #client: StreamClient;
  readonly #consumer: string;
  readonly #options: ClaimerOptions;
  readonly #pageSize = new PageSize(MAX_IDS);

  constructor(client: StreamClient, consumer: string, options: ClaimerOptions) {
    this.#client = client;
    this.#consumer = consumer;
    this.#options = options;
  }

  /** Whether an entry was claimed, or not claimed for a reason. */
  get hasCounted(): boolean {
    return Object.values(this.counts).some((count) => count > 0);
  }

  /** XCLAIM: the records of all that was claimed, page by page, until `stopping`. Throws `notFound` when there is no such stream or group. */
  async *claim(batches: AsyncIterable<ClaimBatch>): AsyncGenerator<StreamRecord[], void, void> {
    for await (const {stream, group, named, minIdleMs} of batches) {
      const {dryRun, stopping} = this.#options;
      if (stopping.aborted) return;
      const member = {stream, group, consumer: this.#consumer};
      const results = await this.#client.scripts.claimNamed(member, named, {minIdleMs, dryRun});
      const claimed = new Map<string, ClaimOutcome>();
      for (const [at, outcome] of results.entries()) {
        if (outcome.state === 'claimed') claimed.set(named[at]!.id, outcome);
        else this.#refuse(stream, named[at]!, outcome);
      }
      yield* this.#records({stream, group}, claimed);
    }
  }

  async *#records(
    {stream, group}: GroupKey,
    claimed: ReadonlyMap<string, ClaimOutcome>,
  ): AsyncGenerator<StreamRecord[], void, void> {
    const ids = [...claimed.keys()].sort(compareStreamIds);
    const missing = new Set(ids);
    for await (const entries of entriesById(this.#client, stream, ids, this.#pageSize)) {
      for (const {id} of entries) missing.delete(id);
      this.counts.claimed += entries.length;
      yield entries.map(({id, fields}) => {
        const {consumer, deliveries} = claimed.get(id)!;
        return {stream, id, fields, group, consumer: this.#options.dryRun ? consumer : this.#consumer, deliveries};
      });
    }
    // Before Redis 7.0, XCLAIM also claims entries that were deleted (https://redis.io/docs/latest/commands/xclaim/).
    for (const id of missing) this.#refuse(stream, {id}, GONE);
  }

  #refuse(stream: string, {id, consumer: named}: NamedEntry, {state, consumer}: ClaimOutcome): void {
    if (state === 'claimed') return;
    this.counts[COUNTED[state]]++;
    if (state === 'with another') {
      this.#options.onRefused({stream, id, reason: `it is with "${consumer}" now, not with "${named}"`});
    } else if (state === 'delivered again') {
      this.#options.onRefused({
        stream,
        id,
        reason: `"${consumer}" has got it again, or works on it, since the record was made`,
      });
    } else if (state === 'gone') {
      this.#options.onRefused({stream, id, reason: 'it is no longer in the stream'});
    }
  }
}

const GONE: ClaimOutcome = {state: 'gone', consumer: '', deliveries: 0};

const COUNTED = {
  'not pending': 'notPending',
  'with another': 'withAnother',
  'delivered again': 'deliveredAgain',
  'not idle': 'notIdle',
  gone: 'gone',
} as const;

/** `claimed 3 for "w2", not claimed: 1 not pending`, for people. */
export function describeClaim(counts: ClaimCounts, to: string, dryRun: boolean): string {
  const missed = [
    [counts.notPending, 'not pending'],
    [counts.withAnother, 'with another consumer'],
    [counts.deliveredAgain, 'delivered again since'],
    [counts.notIdle, 'not idle for long enough'],
    [counts.gone, 'no longer in the stream'],
  ] as const;
  const reasons = missed.filter(([count]) => count > 0).map(([count, reason]) => `${count} ${reason}`);
  const rest = reasons.length === 0 ? '' : `, not claimed: ${reasons.join(', ')}`;
  return `${dryRun ? 'would have claimed' : 'claimed'} ${counts.claimed} for "${to}"${rest}`;
}
