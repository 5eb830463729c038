/**
 * One consumer of a group on one stream: what it has to do, in which order. Its
 * own pending entries first, the backlog of an earlier run; then what consumers
 * that went silent left behind; then new entries. Acknowledges nothing itself
 * but entries that are gone: the caller knows what was written. Invariant: an
 * entry that was delivered to this consumer is handed to the caller, or stays
 * pending; none is skipped.
 */
import type {Entry, StreamRecord} from './entry.js';
import {isFailure} from './errors.js';
import type {Pace} from './pace.js';
import type {Position} from './position.js';
import type {Membership, StreamClient} from './stream-client.js';
import {FIRST_ID, predecessorOf} from './stream-id.js';

export interface ConsumerOptions {
  member: Membership;
  /** Where a new group begins. */
  from: Position;
  /** Makes the group, and the stream, when they are missing. */
  create: boolean;
  /** Takes over entries that another consumer has had for longer than this; undefined leaves them. */
  claimIdleMs?: number;
  /** Entries a read at most. */
  batch: number;
  /** Reads without making entries pending: at-most-once. */
  noAck: boolean;
  /** Ends when nothing is left to read. */
  stopWhenEmpty: boolean;
  /** Called each time a read brought nothing. */
  onIdle: () => void;
  /** Told how many entries were pending but no longer in the stream. */
  onGone: (count: number) => void;
}

export class Consumer {
  readonly #client: StreamClient;
  readonly #reader: StreamClient;
  readonly #pace: Pace;
  readonly #options: ConsumerOptions;
  /** A first read of few entries reaches a `| head` before much has been taken from the stream. */
  #batch = 1;

  /** `client` carries everything but the blocking reads, which need the connection of `reader` for themselves. */
  constructor(client: StreamClient, reader: StreamClient, pace: Pace, options: ConsumerOptions) {
    this.#client = client;
    this.#reader = reader;
    this.#pace = pace;
    this.#options = options;
  }

  /** Batches of records until the pace is over. Throws `notFound` when the group is missing and may not be made. */
  async *deliveries(): AsyncGenerator<StreamRecord[], void, void> {
    await this.#join();
    const {claimIdleMs, noAck, stopWhenEmpty, onIdle} = this.#options;
    if (!noAck) yield* this.#backlog();
    let nextSweepMs = 0;
    while (!this.#pace.over) {
      if (claimIdleMs !== undefined && !noAck && performance.now() >= nextSweepMs) {
        yield* this.#abandoned(claimIdleMs);
        nextSweepMs = performance.now() + claimIdleMs / 2;
      }
      const waitMs = stopWhenEmpty
        ? undefined
        : Math.max(1, Math.min(this.#pace.blockMs, nextSweepIn(claimIdleMs, nextSweepMs)));
      const entries = await this.#permitted((count) => this.#readNew(count, waitMs));
      if (entries.length > 0) yield entries.map((entry) => this.#record(entry, 1));
      else if (stopWhenEmpty) return;
      else onIdle();
    }
  }

  async #join(): Promise<void> {
    const {member, from, create} = this.#options;
    if (!create) {
      await this.#client.group(member.stream, member.group);
      return;
    }
    const first = await this.#client.locate(member.stream, from);
    await this.#client.createGroup(member.stream, member.group, predecessorOf(first) ?? FIRST_ID, true);
  }

  /** Own pending entries, by XREADGROUP with an ID; those that were trimmed meanwhile are acknowledged, as nobody can have them. */
  async *#backlog(): AsyncGenerator<StreamRecord[], void, void> {
    const {member} = this.#options;
    let after = FIRST_ID;
    for (;;) {
      let gone: string[] = [];
      const entries = await this.#permitted(async (count) => {
        const history = await this.#client.readPending(member, after, count);
        after = history.at(-1)?.id ?? after;
        gone = history.filter(({fields}) => fields === undefined).map(({id}) => id);
        return history.filter((entry): entry is Entry => entry.fields !== undefined);
      });
      if (gone.length > 0) {
        await this.#client.acknowledge(member.stream, member.group, gone);
        this.#options.onGone(gone.length);
      }
      if (entries.length > 0) yield await this.#withDeliveries(entries);
      else if (gone.length === 0) return;
    }
  }

  /** Entries of consumers that have gone silent, by XAUTOCLAIM, from the lowest ID to the highest. */
  async *#abandoned(idleMs: number): AsyncGenerator<StreamRecord[], void, void> {
    let cursor = FIRST_ID;
    do {
      const entries = await this.#permitted(async (count) => {
        const sweep = await this.#client.autoClaim(this.#options.member, idleMs, cursor, count);
        cursor = sweep.cursor;
        if (sweep.deletedIds.length > 0) this.#options.onGone(sweep.deletedIds.length);
        return sweep.entries;
      });
      if (entries.length > 0) yield await this.#withDeliveries(entries);
    } while (cursor !== FIRST_ID && !this.#pace.over);
  }

  async #readNew(count: number, blockMs: number | undefined): Promise<Entry[]> {
    const {member, noAck} = this.#options;
    try {
      return await this.#reader.readNew(member, {count, blockMs, noAck});
    } catch (error) {
      // A signal frees the blocking read by closing its connection: see consume-streams.ts.
      if (this.#pace.over && isFailure(error, 'unreachable')) return [];
      throw error;
    }
  }

  /** Reads as many as the pace still wants; none when it is over. */
  async #permitted(read: (count: number) => Promise<Entry[]>): Promise<Entry[]> {
    const permits = await this.#pace.take(Math.min(this.#batch, this.#options.batch));
    if (permits === 0) return [];
    const entries = await read(permits);
    this.#pace.settle(permits, entries.length);
    if (entries.length === permits) this.#batch = Math.min(this.#batch * 2, this.#options.batch);
    return entries;
  }

  /** Records of entries that were delivered before, with how often, as XPENDING counts it. */
  async #withDeliveries(entries: readonly Entry[]): Promise<StreamRecord[]> {
    const {stream, group, consumer} = this.#options.member;
    const counts = new Map<string, number>();
    const pages = this.#client.pending(stream, group, {consumer}, entries[0]!.id, entries.at(-1)!.id);
    for await (const page of pages) for (const {id, deliveries} of page) counts.set(id, deliveries);
    return entries.map((entry) => this.#record(entry, counts.get(entry.id)));
  }

  #record({id, fields}: Entry, deliveries: number | undefined): StreamRecord {
    const {stream, group, consumer} = this.#options.member;
    return {stream, id, fields, group, consumer, deliveries};
  }
}

const nextSweepIn = (claimIdleMs: number | undefined, nextSweepMs: number): number =>
  claimIdleMs === undefined ? Number.POSITIVE_INFINITY : nextSweepMs - performance.now();
