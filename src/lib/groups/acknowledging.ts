/**
 * Acknowledging what others name: IDs and records of any streams and groups,
 * counted for each. Invariant: what `acknowledge` was given is acknowledged and
 * counted when it returns, so that a caller that ends then has lost nothing.
 */
import {EntryIds} from '../entry-ids.js';
import {isFailure} from '../errors.js';
import type {IdReference} from '../input/ids.js';
import type {StreamClient} from '../stream-client.js';
import {type Place, type PlacedIds, placeKey, splitByPlace} from './places.js';

export interface AckCount extends Place {
  acknowledged: number;
  /** Acknowledged before, claimed away and acknowledged by another, or never delivered. */
  notPending: number;
}

/** IDs in one XACK at most, so that none holds Redis up. */
const MAX_IDS = 1_000;

export class Acknowledger {
  readonly #client: StreamClient;
  readonly #defaults: Place;
  readonly #counts = new Map<string, AckCount>();

  constructor(client: StreamClient, defaults: Place) {
    this.#client = client;
    this.#defaults = defaults;
  }

  /** XACK of them all. Throws `notFound` when there is no such group, where Redis would only count 0. */
  async acknowledge(references: readonly IdReference[]): Promise<void> {
    const batches = splitByPlace(references, this.#defaults, MAX_IDS);
    const outcomes = await Promise.allSettled(batches.map((batch) => this.#acknowledgeAt(batch)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** For each stream and group; final once `acknowledge` has returned or thrown. */
  get counts(): AckCount[] {
    return [...this.#counts.values()];
  }

  async #acknowledgeAt({stream, group, ids}: PlacedIds): Promise<void> {
    const acknowledged = await this.#client.acknowledge(stream, group, EntryIds.of(ids));
    const missed = ids.length - acknowledged;
    const key = placeKey({stream, group});
    if (missed > 0 && (this.#counts.get(key)?.notPending ?? 0) === 0) await this.#mustExist({stream, group});
    const count = this.#counts.get(key) ?? {stream, group, acknowledged: 0, notPending: 0};
    count.acknowledged += acknowledged;
    count.notPending += missed;
    this.#counts.set(key, count);
  }

  async #mustExist({stream, group}: Place): Promise<void> {
    try {
      await this.#client.pendingSummary(stream, group);
    } catch (error) {
      // Whoever may only acknowledge cannot look, and has done no wrong.
      if (!isFailure(error, 'denied')) throw error;
    }
  }
}
