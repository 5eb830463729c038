/**
 * One consumer of a group on one stream: what it has to do, in which order, and
 * how it goes on when the server was away. Its own pending entries first, the
 * backlog of an earlier run; then what silent consumers left behind; then new
 * entries. Knows nothing of what the entries are for, which the caller says are
 * finished, nor of how the group is made. Invariant: an entry that was delivered to this consumer is handed
 * to the caller or stays pending, and only what the caller has finished is
 * acknowledged.
 */
import type {Entry, StreamRecord} from '../entry.js';
import {isFailure} from '../errors.js';
import {PageSize} from '../reading/page-size.js';
import type {Membership, StreamClient} from '../stream-client.js';
import {Acknowledgements} from './acknowledgements.js';
import {InHand} from './in-hand.js';
import {isPassing, type Link} from './link.js';
import {OwnBacklog} from './own-backlog.js';
import type {Pace} from './pace.js';
import {takeAbandoned} from './pending-work.js';
import {PlaceInGroup, type PlaceOptions} from './place-in-group.js';

export interface ConsumerOptions extends PlaceOptions {
  /** Takes over entries that another consumer has had for longer than this; undefined leaves them. */
  claimIdleMs?: number;
  /** Entries a read at most. */
  batch: number;
  /** Reads without making entries pending: at-most-once. */
  noAck: boolean;
  /** Asks for more while what came last is worked on; not where others could do that meanwhile. */
  readsAhead: boolean;
  /** Ends when nothing is left to read. */
  stopWhenEmpty: boolean;
  /**
   * Whether handing out what was delivered before counts as one more delivery;
   * false where the caller counts attempts itself.
   */
  countsBacklog: boolean;
  /** Called each time a read brought nothing. */
  onIdle: () => void;
  /** Told how many entries were pending but no longer in the stream. */
  onGone: (count: number) => void;
}

/** Records of one consumer that came together. */
export interface Delivery {
  consumer: Consumer;
  records: StreamRecord[];
  /** Whether Redis has counted this delivery already. */
  counted: boolean;
}

/** Halves of smaller batches cost more by the number of reads than they save by being asked for ahead. */
const LEAST_TO_HALVE = 50;

export class Consumer {
  readonly inHand = new InHand();
  readonly acknowledgements: Acknowledgements;
  readonly link: Link;
  readonly place: PlaceInGroup;
  readonly #backlog: OwnBacklog;
  readonly #pace: Pace;
  readonly #options: ConsumerOptions;
  /** A first read of one entry reaches a `| head` before much has been taken from the stream. */
  readonly #batch: PageSize;
  readonly #readsAhead: boolean;
  /** The connections that the round under way uses. */
  #generation = -1;
  #nextSweepMs = 0;
  /** A read that answers at once, and by which connections. */
  #ahead: {delivery: Promise<Delivery | undefined>; generation: number} | undefined;

  constructor(link: Link, pace: Pace, options: ConsumerOptions) {
    this.link = link;
    this.acknowledgements = new Acknowledgements(options.member, this.inHand, link);
    this.place = new PlaceInGroup(link, this.inHand, options);
    this.#backlog = new OwnBacklog(this.place, options.countsBacklog);
    this.#pace = pace;
    this.#options = options;
    this.#readsAhead = options.readsAhead && options.batch >= LEAST_TO_HALVE;
    // What is asked for ahead and what is worked on are a batch together: no more is ever pending for a slow reader.
    this.#batch = new PageSize(this.#readsAhead ? Math.floor(options.batch / 2) : options.batch, 1);
  }

  get member(): Membership {
    return this.#options.member;
  }

  /**
   * Records as they come, until the pace is over. Asking for more says that the
   * caller has room, not that it has finished. Throws what trying again cannot
   * mend: `notFound` where the group is missing and may not be made, `denied`, `data`.
   */
  async *deliveries(): AsyncGenerator<Delivery, void, void> {
    // What has been asked for is ours when it comes, so it is handed out even when nothing more is wanted.
    while (!this.#pace.over || this.#ahead !== undefined) {
      try {
        if ((yield* this.#round()) === 'empty' && this.#options.stopWhenEmpty) return;
      } catch (error) {
        this.#pace.restartSilence();
        if (this.#pace.over && isPassing(error)) return;
        if (!this.link.hasConnected && isFailure(error, 'unreachable')) throw error;
        if (!(await this.place.healed(error))) await this.link.restore(error, this.#generation);
        this.#pace.restartSilence();
      }
    }
  }

  /** Acknowledges `ids`: see `Acknowledgements.finish`. */
  async finish(ids: readonly string[]): Promise<void> {
    await this.acknowledgements.finish(ids);
  }

  /** Frees a blocked read at once. One that answers at once is let come, or else what it brings would stay pending. */
  async free(): Promise<void> {
    await this.#ahead?.delivery.catch(() => {});
    this.link.free();
  }

  /** Once around: what is finished, what was asked for before, what is left over, what is new. */
  async *#round(): AsyncGenerator<Delivery, 'some' | 'empty', void> {
    const {generation} = this.link;
    this.#generation = generation;
    const control = await this.link.control();
    if (!this.place.isJoined) await this.place.join(control);
    // Nothing new is read while what is finished cannot be acknowledged.
    await this.acknowledgements.send(control);
    // Before looking what is pending with us: that would be, and not be in hand yet.
    const ahead = await this.#takeAhead();
    this.#generation = generation;
    if (ahead !== undefined) {
      yield this.#andAhead(ahead);
      return 'some';
    }
    if (!this.#options.noAck) {
      for await (const {records, counted} of this.#backlog.take(control, generation, this.#context))
        yield this.#delivery(records, counted);
      yield* this.#sweep(control);
    }
    this.#generation = this.link.generation;
    const delivery = await this.#readNew(this.#blockMs);
    this.link.settled();
    if (delivery === undefined) {
      if (!this.#pace.over) this.#options.onIdle();
      return 'empty';
    }
    yield this.#andAhead(delivery);
    return 'some';
  }

  async #takeAhead(): Promise<Delivery | undefined> {
    const ahead = this.#ahead;
    if (ahead === undefined) return undefined;
    this.#generation = ahead.generation;
    try {
      return await ahead.delivery;
    } finally {
      this.#ahead = undefined;
    }
  }

  /** Asks for what follows `delivery`, where that came as full as reads come by now, and nothing else is to be done first. */
  #andAhead(delivery: Delivery): Delivery {
    const {generation} = this.link;
    const isFull = 2 * delivery.records.length > this.#batch.count;
    const isFree = !this.#pace.over && !this.#sweepIsDue && !this.#backlog.isDue(generation);
    if (this.#readsAhead && isFull && isFree) {
      this.#ahead = {delivery: this.#readNew(undefined), generation};
      this.#ahead.delivery.catch(() => {});
    }
    return delivery;
  }

  /** Twice in the time after which an entry counts as abandoned, what others have abandoned. */
  async *#sweep(control: StreamClient): AsyncGenerator<Delivery, void, void> {
    const {claimIdleMs, countsBacklog} = this.#options;
    if (claimIdleMs === undefined || !this.#sweepIsDue) return;
    const how = {idleMs: claimIdleMs, counts: countsBacklog};
    for await (const records of takeAbandoned(control, this.#context, how))
      yield this.#delivery(records, countsBacklog);
    this.#nextSweepMs = performance.now() + claimIdleMs / 2;
  }

  get #sweepIsDue(): boolean {
    const {claimIdleMs, noAck} = this.#options;
    return claimIdleMs !== undefined && !noAck && performance.now() >= this.#nextSweepMs;
  }

  /** How long to wait for what is new; undefined where that is not wanted. */
  get #blockMs(): number | undefined {
    const {noAck, stopWhenEmpty, claimIdleMs} = this.#options;
    if (stopWhenEmpty) return undefined;
    const sweeps = claimIdleMs !== undefined && !noAck;
    const sweepInMs = sweeps ? this.#nextSweepMs - performance.now() : Number.POSITIVE_INFINITY;
    return Math.max(1, Math.min(this.#pace.blockMs, sweepInMs));
  }

  async #readNew(blockMs: number | undefined): Promise<Delivery | undefined> {
    const {member, noAck} = this.#options;
    const reader = await this.link.reader();
    const records = await this.#permitted((count) => reader.readNew(member, {count, blockMs, noAck}));
    this.place.advance(records.at(-1)?.id);
    return records.length === 0 ? undefined : this.#delivery(records, true);
  }

  readonly #permitted = async <T extends Entry>(read: (count: number) => Promise<T[]>): Promise<T[]> => {
    const permits = await this.#pace.take(this.#batch.count);
    if (permits === 0) return [];
    let used = 0;
    try {
      const entries = await read(permits);
      used = entries.length;
      this.#batch.adapt(entries);
      return entries;
    } finally {
      this.#pace.settle(permits, used);
    }
  };

  get #context() {
    const {member, onGone} = this.#options;
    return {
      member,
      inHand: this.inHand,
      onGone,
      permitted: this.#permitted,
      widen: () => this.#batch.widen(),
      over: () => this.#pace.over,
    };
  }

  #delivery(records: StreamRecord[], counted: boolean): Delivery {
    const delivery = {consumer: this, records, counted};
    const ids = records.map(({id}) => id);
    if (!this.#options.noAck) this.inHand.give(ids, delivery);
    return delivery;
  }
}
