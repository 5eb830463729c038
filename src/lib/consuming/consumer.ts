/**
 * One consumer of a group on one stream: what it has to do, in which order, and
 * how it goes on when the server was away. Its own pending entries first, the
 * backlog of an earlier run; then what silent consumers left behind; then new
 * entries. Knows nothing of what the entries are for: the caller says when one
 * is finished. Invariant: an entry that was delivered to this consumer is handed
 * to the caller or stays pending, and only what the caller has finished is
 * acknowledged.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Entry, StreamRecord} from '../entry.js';
import {isFailure, StreamlogError} from '../errors.js';
import type {Position} from '../position.js';
import {PageSize} from '../reading/page-size.js';
import type {Membership, StreamClient} from '../stream-client.js';
import {compareStreamIds, FIRST_ID, predecessorOf} from '../stream-id.js';
import {Acknowledgements} from './acknowledgements.js';
import {InHand} from './in-hand.js';
import {isPassing, type Link} from './link.js';
import type {Pace} from './pace.js';
import {deliverBacklog, lookAtBacklog, takeAbandoned} from './pending-work.js';

export interface ConsumerOptions {
  member: Membership;
  /** Where a new group begins. */
  from: Position;
  /** Makes the group, and the stream, when they are missing, also when they go missing later. */
  create: boolean;
  /** Takes over entries that another consumer has had for longer than this; undefined leaves them. */
  claimIdleMs?: number;
  /** Entries a read at most. */
  batch: number;
  /** Reads without making entries pending: at-most-once. */
  noAck: boolean;
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
  /** One line about something that the user should know and that did not end the work. */
  onTrouble: (line: string) => void;
}

/** Records of one consumer that came together. */
export interface Delivery {
  consumer: Consumer;
  records: StreamRecord[];
  /** Whether Redis has counted this delivery already. */
  counted: boolean;
}

/** For one more attempt to acknowledge, when there is no time left. */
const LAST_ATTEMPT_MS = 500;

export class Consumer {
  readonly inHand = new InHand();
  readonly acknowledgements: Acknowledgements;
  readonly link: Link;
  readonly #pace: Pace;
  readonly #options: ConsumerOptions;
  /** A first read of one entry reaches a `| head` before much has been taken from the stream. */
  readonly #batch: PageSize;
  /** How far this consumer has got: where a group that vanishes is made again. */
  #readUpTo: string | undefined;

  constructor(link: Link, pace: Pace, options: ConsumerOptions) {
    this.link = link;
    this.acknowledgements = new Acknowledgements(options.member, this.inHand);
    this.#pace = pace;
    this.#options = options;
    this.#batch = new PageSize(options.batch, 1);
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
    const progress = {lookedAt: -1, generation: -1, begun: false, nextSweepMs: 0};
    while (!this.#pace.over) {
      try {
        if ((yield* this.#round(progress)) === 'empty' && this.#options.stopWhenEmpty) return;
      } catch (error) {
        this.#pace.restartSilence();
        if (this.#pace.over && isPassing(error)) return;
        if (!this.link.hasConnected && isFailure(error, 'unreachable')) throw error;
        if (!(await this.healed(error))) await this.link.restore(error, progress.generation);
        this.#pace.restartSilence();
      }
    }
  }

  /** Acknowledges `ids`, now or, where the server is away, as soon as it is back. Throws what trying again cannot mend. */
  async finish(ids: readonly string[]): Promise<void> {
    this.inHand.finish(ids);
    const {generation} = this.link;
    try {
      await this.acknowledgements.send(await this.link.control());
    } catch (error) {
      // Sent again before anything new is read, and when closing.
      if (!isPassing(error)) throw error;
      this.link.lost(error, generation);
    }
  }

  /**
   * Confirms what is still to be acknowledged. Throws `temporary` when that was
   * not possible for `limitMs`: those entries will be delivered again.
   */
  async confirm(limitMs: number): Promise<void> {
    let reason = 'Redis does not answer';
    const late = new AbortController();
    const limit = sleep(Math.max(limitMs, LAST_ATTEMPT_MS), undefined, {signal: late.signal}).then(() => {
      throw unacknowledged(this.inHand.finishedCount, reason);
    });
    const confirmed = this.#confirmAll(late.signal, (failure) => {
      reason = failure;
    });
    // An attempt may take longer than there is time: a server can be silent, too.
    await Promise.race([confirmed, limit]).finally(() => late.abort());
  }

  async #confirmAll(late: AbortSignal, onFailure: (reason: string) => void): Promise<void> {
    while (this.inHand.finishedCount > 0 && !late.aborted) {
      const {generation} = this.link;
      try {
        await this.acknowledgements.send(await this.link.control());
      } catch (error) {
        if (isPassing(error)) onFailure(error.message);
        await this.link.restore(error, generation);
      }
    }
  }

  /**
   * Once around: what is finished, what is left over, what is new. `generation`
   * is that of the connections in use, `lookedAt` the last one after which we
   * looked for what a lost reply may have left.
   */
  async *#round(progress: {
    lookedAt: number;
    generation: number;
    begun: boolean;
    nextSweepMs: number;
  }): AsyncGenerator<Delivery, 'some' | 'empty', void> {
    const {claimIdleMs, noAck, countsBacklog, onIdle} = this.#options;
    const {generation} = this.link;
    progress.generation = generation;
    const control = await this.link.control();
    if (this.#readUpTo === undefined) await this.#join(control);
    // Nothing new is read while what is finished cannot be acknowledged.
    await this.acknowledgements.send(control);
    if (progress.lookedAt !== generation && !noAck) {
      const atStart = !progress.begun;
      progress.begun = true;
      if (atStart && countsBacklog) {
        for await (const records of deliverBacklog(control, this.#context)) yield this.#delivery(records, true);
      } else {
        // Of what came in a lost reply the delivery has been counted, although nobody saw it.
        const seenUpTo = this.#readUpTo!;
        const wasLost = ({id}: StreamRecord): boolean => !atStart && compareStreamIds(id, seenUpTo) > 0;
        for await (const records of lookAtBacklog(control, this.#context)) {
          const lost = records.filter(wasLost);
          const known = records.filter((record) => !wasLost(record));
          if (known.length > 0) yield this.#delivery(known, countsBacklog);
          this.#readUpTo = lost.at(-1)?.id ?? this.#readUpTo;
          if (lost.length > 0) yield this.#delivery(lost, true);
        }
      }
    }
    progress.lookedAt = generation;
    if (claimIdleMs !== undefined && !noAck && performance.now() >= progress.nextSweepMs) {
      const how = {idleMs: claimIdleMs, counts: countsBacklog};
      for await (const records of takeAbandoned(control, this.#context, how))
        yield this.#delivery(records, countsBacklog);
      progress.nextSweepMs = performance.now() + claimIdleMs / 2;
    }
    progress.generation = this.link.generation;
    const entries = await this.#readNew(
      claimIdleMs === undefined ? undefined : progress.nextSweepMs - performance.now(),
    );
    this.link.settled();
    if (entries.length === 0) {
      if (!this.#pace.over) onIdle();
      return 'empty';
    }
    yield this.#delivery(
      entries.map((entry) => ({...entry, ...this.member, deliveries: 1})),
      true,
    );
    return 'some';
  }

  async #join(control: StreamClient): Promise<void> {
    const {member, from, create} = this.#options;
    if (!create) {
      this.#readUpTo = (await control.group(member.stream, member.group)).lastDeliveredId;
      return;
    }
    // Looked for first: without memory Redis makes no group, and says so even where there is one.
    this.#readUpTo = await this.#whereGroupIs(control);
    if (this.#readUpTo !== undefined) return;
    const lastDelivered = predecessorOf(await control.locate(member.stream, from)) ?? FIRST_ID;
    const isNew = await control.createGroup(member.stream, member.group, lastDelivered, true);
    this.#readUpTo = isNew ? lastDelivered : ((await this.#whereGroupIs(control)) ?? FIRST_ID);
  }

  /** How far the group has got; undefined where there is none, or where we may not know. */
  async #whereGroupIs(control: StreamClient): Promise<string | undefined> {
    const {stream, group} = this.member;
    try {
      return (await control.group(stream, group)).lastDeliveredId;
    } catch (error) {
      if (isFailure(error, 'notFound') || isFailure(error, 'denied')) return undefined;
      throw error;
    }
  }

  /** After FLUSHALL, a failover or eviction the group may be gone; true when it was made again where we had got to. */
  async healed(error: unknown): Promise<boolean> {
    const {member, create, onTrouble} = this.#options;
    if (!create || this.#readUpTo === undefined || !isFailure(error, 'notFound')) return false;
    const {generation} = this.link;
    try {
      const control = await this.link.control();
      const last = await control.lastGeneratedId(member.stream);
      // A stream that began anew may give lower IDs than the old one did; all of it is new to us.
      const resumeAt = compareStreamIds(last, this.#readUpTo) >= 0 ? this.#readUpTo : FIRST_ID;
      // Another consumer may have been first to make it again. Sent together: whoever looked between the two would
      // find that what is in hand is not ours.
      const [isNew] = await Promise.all([
        control.createGroup(member.stream, member.group, resumeAt, true),
        control.makePending(member, this.inHand.given),
      ]);
      this.#readUpTo = resumeAt;
      if (isNew)
        onTrouble(
          `group "${member.group}" on stream "${member.stream}" had vanished; it was made again, to go on after ${resumeAt}`,
        );
    } catch (failure) {
      // It may vanish again at once.
      if (!isFailure(failure, 'notFound')) await this.link.restore(failure, generation);
    }
    return true;
  }

  async #readNew(sweepInMs = Number.POSITIVE_INFINITY): Promise<Entry[]> {
    const {member, noAck, stopWhenEmpty} = this.#options;
    const blockMs = stopWhenEmpty ? undefined : Math.max(1, Math.min(this.#pace.blockMs, sweepInMs));
    const reader = await this.link.reader();
    const entries = await this.#permitted((count) => reader.readNew(member, {count, blockMs, noAck}));
    this.#readUpTo = entries.at(-1)?.id ?? this.#readUpTo;
    return entries;
  }

  readonly #permitted = async (read: (count: number) => Promise<Entry[]>): Promise<Entry[]> => {
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

const unacknowledged = (count: number, reason: string): StreamlogError =>
  new StreamlogError('temporary', `${count} entries were finished but could not be acknowledged: ${reason}`, {
    hint: 'nothing is lost; they will be delivered again',
  });
