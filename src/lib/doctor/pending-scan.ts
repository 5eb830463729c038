/**
 * What the pending entries of a group show: those that are delivered again and again, those that are long idle, and those whose entry is gone.
 * Invariants: the first 100 are looked at, or all, in pages within the budget; an entry counts as gone only where it certainly is, and for
 * longer than an entry takes that is trimmed while it is being processed.
 */
import {pauseMsAfter} from '../observe/budget.js';
import {PENDING_PAGE} from '../observe/group-readings.js';
import type {StreamFacts} from '../observe/snapshot.js';
import {presentIds} from '../reading/lookup.js';
import {isIdle, LONG_IDLE_MS, type PendingEntry} from '../records/pending-entry.js';
import {compareStreamIds, FIRST_ID, LAST_ID} from '../records/stream-id.js';
import {LARGE_ENTRY_BYTES} from '../reports/measurable.js';
import type {StreamClient} from '../stream-client.js';
import {LIMITS} from './stream-findings.js';

/** IDs of ghosts that are kept: more do not fit on a screen. */
const MOST_KEPT = 10_000;
/** Pending entries in one XPENDING: a millisecond. */
const DEEP_PAGE = 1_000;
/** Poisonous and stuck entries that are kept. */
const MOST_SHOWN = 3;

export interface PendingGroupKey {
  stream: StreamFacts;
  group: string;
}

export interface ScanOptions {
  isDeep: boolean;
  stopping: AbortSignal;
  /** Waits, so that the share of the server's time is kept. */
  pause(ms: number): Promise<void>;
  onProgress(looked: number): void;
}

export class PendingScan {
  looked = 0;
  /** Delivered so often that they are likely never to be processed. */
  readonly poison = new Tally();
  /** With the same consumer for long. */
  readonly stuck = new Tally();
  readonly ghosts = {count: 0, ids: [] as string[]};
  /** Whether it could be looked for ghosts. */
  looksForGhosts: boolean;
  readonly #key: PendingGroupKey;

  private constructor(key: PendingGroupKey) {
    this.#key = key;
    const {bytesPerEntry, lastGeneratedId} = key.stream;
    this.looksForGhosts = lastGeneratedId !== null && (bytesPerEntry ?? 0) <= LARGE_ENTRY_BYTES;
  }

  static async of(client: StreamClient, key: PendingGroupKey, options: ScanOptions): Promise<PendingScan> {
    const scan = new PendingScan(key);
    const {isDeep, stopping, pause, onProgress} = options;
    const pages = client.pending(
      key.stream.stream,
      key.group,
      {},
      FIRST_ID,
      LAST_ID,
      isDeep ? DEEP_PAGE : PENDING_PAGE,
    );
    for await (const page of pages) {
      const lookups = await scan.#take(client, page);
      onProgress(page.length);
      if (!isDeep || stopping.aborted) break;
      if (page.length === DEEP_PAGE) await pause(pauseMsAfter({pending: page.length, lookups}));
    }
    return scan;
  }

  /** Resolves to how many entries were looked up. */
  async #take(client: StreamClient, page: readonly PendingEntry[]): Promise<number> {
    this.looked += page.length;
    const asked = this.looksForGhosts ? page.filter((entry) => this.#mayBeGone(entry)) : [];
    const unknown = asked.filter(({id}) => !this.#isTrimmed(id)).map(({id}) => id);
    const present = new Set(await presentIds(client, this.#key.stream.stream, unknown));
    const gone = new Set(asked.map(({id}) => id).filter((id) => !present.has(id)));
    for (const entry of page) {
      if (gone.has(entry.id)) this.#takeGhost(entry.id);
      else {
        if (BigInt(entry.exactDeliveries ?? entry.deliveries) >= LIMITS.deliveries) this.poison.add(entry);
        if (!entry.givenBack && entry.idleMs > LIMITS.stuckIdleMs) this.stuck.add(entry);
      }
    }
    return unknown.length;
  }

  #takeGhost(id: string): void {
    const {ghosts} = this;
    ghosts.count++;
    if (ghosts.ids.length < MOST_KEPT) ghosts.ids.push(id);
  }

  #mayBeGone(entry: PendingEntry): boolean {
    const {maxDeletedId} = this.#key.stream;
    if (!isIdle(entry, LONG_IDLE_MS)) return false;
    return this.#isTrimmed(entry.id) || maxDeletedId === null || compareStreamIds(entry.id, maxDeletedId) <= 0;
  }

  /** Whether it lies before the first entry: IDs only grow. */
  #isTrimmed(id: string): boolean {
    const {firstId, length} = this.#key.stream;
    return firstId === null ? length === 0 : compareStreamIds(id, firstId) < 0;
  }
}

/** Entries of one kind: how many, and the first of them. */
class Tally {
  count = 0;
  first: PendingEntry[] = [];
  leastDeliveries: number | bigint = 0;
  mostDeliveries: number | bigint = 0;
  oldestIdleMs = 0;
  readonly consumers = new Set<string>();

  add(entry: PendingEntry): void {
    const deliveries = entry.exactDeliveries ?? entry.deliveries;
    if (this.count === 0 || deliveries < this.leastDeliveries) this.leastDeliveries = deliveries;
    if (deliveries > this.mostDeliveries) this.mostDeliveries = deliveries;
    this.oldestIdleMs = Math.max(this.oldestIdleMs, entry.givenBack ? 0 : entry.idleMs);
    this.count++;
    if (this.first.length < MOST_SHOWN) this.first.push(entry);
    if (this.consumers.size < MOST_SHOWN) this.consumers.add(entry.consumer);
  }
}
