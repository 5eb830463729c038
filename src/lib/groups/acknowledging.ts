/**
 * Acknowledging what others name: IDs and records of any streams and groups,
 * counted for each. Invariants: what `acknowledge` was given is acknowledged and
 * counted when it returns, so that a caller that ends then has lost nothing; what
 * a record says is with one consumer is not acknowledged for another that has
 * it now, since that one may be at work on it. (How often it was delivered is not looked at:
 * whoever has done the work of an earlier delivery has done the work.)
 */

import {isFailure} from '../errors.js';
import type {IdReference} from '../input/id-reader.js';
import {EntryIds} from '../records/entry-ids.js';
import type {StreamClient} from '../stream-client.js';
import {type GroupKey, type GroupReferences, groupKeyText, groupReferences} from './group-keys.js';

export interface AckCount extends GroupKey {
  acknowledged: number;
  /** Acknowledged before, claimed away and acknowledged by another, or never delivered. */
  notPending: number;
  /** Not with the consumer any more that the record names. */
  withAnother: number;
}

/** IDs in one XACK or script at most, so that none holds Redis up. */
const MAX_IDS = 250;

export class Acknowledger {
  readonly #client: StreamClient;
  readonly #defaults: GroupKey;
  readonly #counts = new Map<string, AckCount>();

  constructor(client: StreamClient, defaults: GroupKey) {
    this.#client = client;
    this.#defaults = defaults;
  }

  /** XACK of them all. Throws `notFound` when there is no such group, where Redis would only count 0. */
  async acknowledge(references: readonly IdReference[]): Promise<void> {
    const batches = groupReferences(references, this.#defaults, MAX_IDS);
    const results = await Promise.allSettled(batches.map((batch) => this.#acknowledgeAt(batch)));
    for (const outcome of results) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** For each stream and group; final once `acknowledge` has returned or thrown. */
  get counts(): AckCount[] {
    return [...this.#counts.values()];
  }

  async #acknowledgeAt({stream, group, references}: GroupReferences): Promise<void> {
    const bare = references.filter(({consumer}) => consumer === undefined).map(({id}) => id);
    const named = references.filter(({consumer}) => consumer !== undefined);
    const [bareCount, results] = await Promise.all([
      bare.length === 0 ? 0 : this.#client.acknowledge(stream, group, EntryIds.of(bare)),
      named.length === 0 ? [] : this.#client.scripts.acknowledgeNamed({stream, group}, named),
    ]);
    const of = (wanted: string): number => results.filter((outcome) => outcome === wanted).length;
    const missed = bare.length - bareCount + of('not pending');
    const key = groupKeyText({stream, group});
    if (missed > 0 && (this.#counts.get(key)?.notPending ?? 0) === 0) await this.#mustExist({stream, group});
    const count = this.#counts.get(key) ?? {stream, group, acknowledged: 0, notPending: 0, withAnother: 0};
    count.acknowledged += bareCount + of('acknowledged');
    count.notPending += missed;
    count.withAnother += of('with another');
    this.#counts.set(key, count);
  }

  async #mustExist({stream, group}: GroupKey): Promise<void> {
    try {
      await this.#client.pendingPage(stream, group, {count: 1});
    } catch (error) {
      // Whoever may only acknowledge cannot look, and has done no wrong.
      if (!isFailure(error, 'denied')) throw error;
    }
  }
}
