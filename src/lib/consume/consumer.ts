/**
 * One consumer of a group on one stream: what it has to do, in which order, and
 * how it goes on when the server was away. Its own pending entries first, the
 * backlog of an earlier run; then what silent consumers left behind; then new
 * entries. Knows nothing of what the entries are for, which the caller says are
 * finished, nor of how the group is made. Invariant: an entry that was delivered to this consumer is handed
 * to the caller or stays pending, and only what the caller has finished is
 * acknowledged.
 */

import {isFailure, isRetryable, StreamlogError} from '../errors.js';
import {PAGE_BYTES, PageSize} from '../reading/page-size.js';
import type {Connection, ReconnectingClient} from '../reconnecting-client.js';
import {ConfirmedIds} from '../records/confirmed-ids.js';
import type {Entry, StreamRecord} from '../records/entry.js';
import {EntryIds} from '../records/entry-ids.js';
import type {Delivered, Membership, ReadLimits, StreamClient} from '../stream-client.js';
import {Acknowledgements} from './acknowledgements.js';
import {ClaimSweep} from './claim-sweep.js';
import {GroupMembership, type MembershipOptions} from './group-membership.js';
import {DeliveredBatch, InFlightEntries} from './in-flight-entries.js';
import {NAME_IN_USE, nameInUse, nameIsShared, otherProcess} from './name-in-use.js';
import {type LeftOver, OwnPending} from './own-pending.js';
import {EntryOwnership, type Loss} from './ownership.js';
import {Prefetch} from './prefetch.js';
import type {ReadBudget} from './read-budget.js';

export interface ConsumerOptions extends MembershipOptions {
  /** Takes over entries that another consumer has had for longer than this; undefined leaves them. */
  claimIdleMs?: number;
  /** Entries a read at most. */
  batch: number;
  /** Reads without making entries pending: at-most-once. */
  noAck: boolean;
  /**
   * The caller finishes each delivery before it asks for the next one. Then acknowledgements go with the next read,
   * and more is asked for while what came last is worked on; not where others could do that meanwhile.
   */
  inTurn: boolean;
  /** Whether another live process of the same name is warned of, is an end, or is not looked for. */
  sharedName: 'warn' | 'refuse' | 'ignore';
  /** False where the caller never finishes a delivery, since somebody else acknowledges it. */
  acknowledges: boolean;
  /** Ends when nothing is left to read. */
  stopWhenEmpty: boolean;
  /**
   * Whether handing out what was delivered before counts as one more delivery;
   * false where the caller counts attempts itself.
   */
  countsBacklog: boolean;
  /** Called each time a read brought nothing. */
  onIdle: () => void;
  /** Told of each entry that was delivered and will not be processed here, with the cause. */
  onLost: (stream: string, id: string, loss: Loss) => void;
}

/** Records of one consumer that came together. */
export interface Delivery {
  consumer: Consumer;
  records: StreamRecord[];
  /** What is in hand of it. */
  batch: DeliveredBatch;
  /** Whether Redis has counted this delivery already. */
  counted: boolean;
}

/** IDs that are kept of what others acknowledge: what a removed group or consumer gets again, and what is not handed out twice. */
const REMEMBERED = 10_000;
/** One ID for what came within some milliseconds: five seconds in all. */
const DELIVERED_IDS = {most: 256, grainMs: 20};
/** Into so many parts a batch is divided that is read ahead. */
const PARTS = 4;
/** Smaller parts cost more by their number than they save by being asked for ahead. */
const LEAST_PART = 50;

export class Consumer {
  readonly inFlight: InFlightEntries;
  readonly acknowledgements: Acknowledgements;
  readonly redis: ReconnectingClient;
  readonly place: GroupMembership;
  readonly ownership: EntryOwnership;
  readonly #backlog: OwnPending;
  /** Undefined where nothing is taken over. */
  #sweep: ClaimSweep | undefined;
  #hasSwept = false;
  readonly #budget: ReadBudget;
  readonly #options: ConsumerOptions;
  /** A first read of one entry reaches a `| head` before much has been taken from the stream. */
  readonly #batch: PageSize;
  /** How many reads may be under way while what came last is worked on. */
  readonly #mostAhead: number;
  readonly #deliveredIds = new ConfirmedIds(DELIVERED_IDS);
  /** Where it was last looked what a failover has taken back. */
  #checkedOn: Connection | undefined;
  /** What the round under way uses. */
  #connection: Connection | undefined;
  #nameIsChecked = false;
  /** Reads that answer at once. */
  readonly #ahead = new Prefetch<Delivery>();
  /** What was handed out last came as new, and once it is finished, more is read. */
  #readFollows = false;

  constructor(redis: ReconnectingClient, budget: ReadBudget, options: ConsumerOptions) {
    this.redis = redis;
    this.inFlight = new InFlightEntries(options.acknowledges ? undefined : REMEMBERED);
    this.ownership = new EntryOwnership(this.inFlight, options);
    this.acknowledgements = new Acknowledgements(options.member, this.inFlight, redis, this.ownership);
    this.place = new GroupMembership(redis, this.inFlight, options);
    this.#backlog = new OwnPending(this.place, options.countsBacklog);
    const {claimIdleMs, noAck, countsBacklog, stopWhenEmpty} = options;
    if (claimIdleMs !== undefined && !noAck)
      this.#sweep = new ClaimSweep({idleMs: claimIdleMs, counts: countsBacklog, wholeFirst: stopWhenEmpty});
    this.#budget = budget;
    this.#options = options;
    const parts = options.inTurn ? Math.max(1, Math.min(PARTS, Math.floor(options.batch / LEAST_PART))) : 1;
    // What is asked for ahead and what is worked on are a batch together: no more is ever pending for a slow reader.
    this.#mostAhead = parts - 1;
    this.#batch = new PageSize(Math.floor(options.batch / parts), 1, PAGE_BYTES / parts);
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
    while (!this.#budget.isDone || this.#ahead.count > 0) {
      try {
        if ((yield* this.#round()) === 'empty' && this.#options.stopWhenEmpty) return;
      } catch (error) {
        this.#budget.restartSilence();
        if (this.#budget.isDone && isRetryable(error)) return;
        if (this.redis.isHopeless(error)) throw error;
        if (error instanceof StreamlogError && error.code === NAME_IN_USE) throw error;
        if (!(await this.place.healed(error))) await this.redis.retryAfter(error, this.#connection);
        this.#budget.restartSilence();
      }
    }
  }

  /** Acknowledges what is held of a delivery, or those of `ids`: see `Acknowledgements.finish`. */
  async finish({batch}: Delivery, ids?: readonly string[]): Promise<void> {
    if (this.#readFollows && this.#acknowledgesByReading) this.inFlight.finish(batch, ids);
    else await this.acknowledgements.finish(batch, ids);
  }

  /** Before anything is read; later, connections of ours that Redis has not missed yet would be in the way. */
  async #checkName(control: StreamClient): Promise<void> {
    const {member, sharedName, onProblem} = this.#options;
    if (sharedName !== 'ignore') {
      const other = await otherProcess(control, member);
      if (other !== undefined && sharedName === 'refuse') throw nameInUse(member, other);
      if (other !== undefined && other !== 'unknown') onProblem(nameIsShared(member, other));
    }
    this.#nameIsChecked = true;
  }

  /**
   * Before the end, for up to `limitMs`: what is left to whoever comes next is pending, whatever was removed just before, or
   * it is reported. A server that is away keeps what it has.
   */
  async settle(limitMs: number): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    this.ownership.reportOrphans();
    while (this.inFlight.hasUnfinished) {
      try {
        await this.ownership.settle((await this.redis.connection()).commands);
        return;
      } catch (error) {
        const healed = await this.place.healed(error).catch(() => false);
        if (!healed || performance.now() > deadlineMs) return;
        this.ownership.reportOrphans();
      }
    }
  }

  /** Heals a consumer or a group that was removed, when something is in hand. What fails now is tried again by whoever comes next. */
  async lookAfter(): Promise<void> {
    if (!this.ownership.needsCheck) return;
    try {
      // While the last handlers run, nobody else connects again.
      const connection = this.#budget.isDone ? await this.redis.connection() : this.redis.current;
      if (connection === undefined) return;
      const {commands: control} = connection;
      if (await this.ownership.check(control.createConsumer(this.member))) await this.ownership.heal(control);
    } catch (error) {
      await this.place.healed(error).catch(() => {});
    }
  }

  /** Frees a blocked read at once. One that answers at once is let come, or else what it brings would stay pending. */
  async free(): Promise<void> {
    await this.#ahead.settled();
    this.redis.unblock();
  }

  /** Once around: what is finished, what was asked for before, what is left over, what is new. */
  async *#round(): AsyncGenerator<Delivery, 'some' | 'empty', void> {
    this.#connection = undefined;
    const connection = await this.redis.connection();
    this.#connection = connection;
    const {commands: control} = connection;
    if (!this.#nameIsChecked) await this.#checkName(control);
    if (!this.place.isJoined) await this.place.join(control);
    await this.#tellLost(connection);
    await this.ownership.heal(control);
    // Nothing new is read while what is finished cannot be acknowledged.
    if (!this.#acknowledgesByReading) await this.acknowledgements.send(connection);
    // Before looking what is pending with us: that would be, and not be in hand yet.
    const ahead = await this.#ahead.take((used) => {
      this.#connection = used;
    });
    this.#connection = connection;
    if (ahead !== undefined) {
      yield* this.#handOut(ahead, connection);
      return 'some';
    }
    if (!this.#options.noAck && (this.#sweepIsDue || this.#backlog.isDue(connection))) {
      await this.acknowledgements.send(connection);
      for await (const left of this.#backlog.take(connection, this.#context))
        yield* this.#yielded(this.#delivery(left));
      yield* this.#sweepOnce(control);
    }
    // Replaced while the caller was at work: what is pending is looked at first.
    if (connection !== this.redis.current) return 'some';
    const delivery = await this.#readNew(connection, this.#blockMs);
    this.redis.resetBackoff();
    if (delivery === undefined) {
      if (!this.#budget.isDone) this.#options.onIdle();
      return this.#sweep?.isDone === false ? 'some' : 'empty';
    }
    yield* this.#handOut(delivery, connection);
    return 'some';
  }

  /** What a failover has taken back of what this consumer has had: it was delivered, and is in no stream any more. */
  async #tellLost(connection: Connection): Promise<void> {
    if (this.#checkedOn === connection) return;
    this.#checkedOn = connection;
    const {member, onProblem} = this.#options;
    try {
      const lost = await this.#deliveredIds.findLost(connection.commands, member.stream, this.#deliveredIds.take());
      if (lost === undefined) return;
      onProblem(
        `up to ${lost.count} entries that were delivered here are lost from stream "${member.stream}", as by a failover: it has ` +
          `none of the IDs after ${lost.after} up to ${lost.upTo}`,
      );
    } catch (error) {
      // Who may only read by group cannot know.
      if (isFailure(error, 'unreachable')) throw error;
    }
  }

  /** What is new, and with it the next read or, where that is not wanted yet, what is still to be acknowledged. */
  async *#handOut(delivery: Delivery, connection: Connection): AsyncGenerator<Delivery, void, void> {
    // Whatever becomes of them, the next round sees: the delivery must be handed out now.
    if (!this.#askAhead(delivery, connection) && this.inFlight.finishedCount > 0)
      this.acknowledgements.send(connection).catch(() => {});
    this.#readFollows = true;
    yield* this.#yielded(delivery);
    this.#readFollows = false;
  }

  /** One delivery, without what was found not to be ours while it waited. */
  *#yielded(delivery: Delivery): Generator<Delivery, void, void> {
    const {batch, records} = delivery;
    const isWhole = this.#options.noAck || batch.count === records.length;
    yield isWhole ? delivery : {...delivery, records: records.filter(({id}) => batch.holds(id))};
    batch.isProcessed = this.#options.inTurn;
  }

  /** Asks for what follows `delivery`, where that came as full as reads come by now, and nothing else is to be done first. */
  #askAhead({records}: Delivery, connection: Connection): boolean {
    const isFull = 2 * records.length > this.#batch.count;
    const isFree =
      connection === this.redis.current &&
      !this.#budget.isDone &&
      !this.#sweepIsDue &&
      !this.#backlog.isDue(connection);
    if (!isFull || !isFree || this.acknowledgements.areOwed || this.#mostAhead === 0) return false;
    while (this.#ahead.count < this.#mostAhead) this.#ahead.add(this.#readNew(connection, undefined), connection);
    return true;
  }

  /** What others have abandoned, as far as it is found now. */
  async *#sweepOnce(control: StreamClient): AsyncGenerator<Delivery, void, void> {
    if (this.#sweep === undefined || !this.#sweepIsDue) return;
    // Claiming makes our consumer again, where it was removed.
    const {needsCheck} = this.ownership;
    if (needsCheck && (await this.ownership.check(control.createConsumer(this.member))))
      await this.ownership.heal(control);
    try {
      for await (const {records, isNew} of this.#sweep.step(control, this.#context)) {
        if (isNew) this.place.advance(records);
        yield* this.#yielded(this.#delivery({records, counted: isNew || this.#options.countsBacklog}));
      }
      this.#hasSwept = true;
    } catch (error) {
      // A right that is lost on the way is a failure.
      if (this.#hasSwept || !isFailure(error, 'denied')) throw error;
      // Who may read and acknowledge can work; the rest is for those who may look at the pending list (docs/permissions.md).
      this.#sweep = undefined;
      this.#options.onProblem(`what other consumers have abandoned is left to them: ${error.message}`);
    }
  }

  get #sweepIsDue(): boolean {
    return this.#sweep !== undefined && this.#sweep.dueInMs <= 0;
  }

  /** How long to wait for what is new; undefined where that is not wanted. */
  get #blockMs(): number | undefined {
    if (this.#options.stopWhenEmpty) return undefined;
    return Math.max(1, Math.min(this.#budget.blockMs, this.#sweep?.dueInMs ?? Number.POSITIVE_INFINITY));
  }

  /** Whether what is finished is acknowledged by the next read. */
  get #acknowledgesByReading(): boolean {
    return this.#options.inTurn && this.acknowledgements.areTaken;
  }

  async #readNew(connection: Connection, blockMs: number | undefined): Promise<Delivery | undefined> {
    const {noAck} = this.#options;
    let ids: EntryIds | undefined;
    const records = await this.#permitted(async (count) => {
      const limits = {count, blockMs, noAck};
      const byReading = this.#acknowledgesByReading;
      if (byReading && this.inFlight.deliveredCount > 0) this.ownership.uncertain();
      const read = byReading
        ? this.acknowledgements.sendAndRead(connection, limits)
        : this.#readAsMember(connection, limits);
      const sinceMs = performance.now();
      const delivered = await read;
      ids = delivered.ids;
      if (ids.count === 0 && blockMs !== undefined) this.#budget.heardNothing(this.member.stream, blockMs, sinceMs);
      return delivered.records;
    });
    if (ids === undefined || ids.count === 0) return undefined;
    this.place.advance(records);
    if (ids.last !== undefined) this.#deliveredIds.push(ids.last, ids.count);
    return this.#delivery({records, counted: true}, ids);
  }

  /** Reads, and where that may take long or make our consumer anew, finds out whether it had been removed before. */
  async #readAsMember({commands, reader}: Connection, limits: ReadLimits): Promise<Delivered> {
    const {member} = this.#options;
    if (!this.ownership.needsCheck) return reader.readNew(member, limits);
    const {created, delivered} = reader.createConsumerAndReadNew(member, limits);
    // At once: a read that waits is no reason to leave what is in hand with no owner.
    delivered.catch(() => {});
    const checked = this.ownership.check(created).then(async (removed) => {
      if (removed) await this.ownership.heal(commands);
    });
    // What could not be healed now is healed by the next round, which meets the same failure.
    await checked.catch(() => {});
    try {
      const came = await delivered;
      if (limits.blockMs !== undefined && came.ids.count > 0) this.ownership.uncertain();
      return came;
    } catch (error) {
      this.ownership.uncertain();
      throw error;
    }
  }

  readonly #permitted = async <T extends Entry>(read: (count: number) => Promise<T[]>): Promise<T[]> => {
    const permits = await this.#budget.take(this.#batch.count);
    if (permits === 0) return [];
    let used = 0;
    try {
      const entries = await read(permits);
      used = entries.length;
      this.#batch.adapt(entries);
      return entries;
    } finally {
      this.#budget.settle(permits, used);
    }
  };

  get #context() {
    const {member, onLost} = this.#options;
    return {
      member,
      inFlight: this.inFlight,
      onGone: (ids: readonly string[]) => {
        for (const id of ids) onLost(member.stream, id, {kind: 'deleted', reference: 'kept'});
      },
      // Where others acknowledge, what is not pending any more is what they have done with.
      onMissing: async (ids: readonly string[]) =>
        this.#options.acknowledges ? this.ownership.account((await this.redis.connection()).commands, ids) : undefined,
      permitted: this.#permitted,
      widen: () => this.#batch.widen(),
      over: () => this.#budget.isDone,
    };
  }

  #delivery({records, counted}: LeftOver, ids = EntryIds.of(records.map(({id}) => id))): Delivery {
    const batch = this.#options.noAck ? new DeliveredBatch(ids) : this.inFlight.deliver(ids);
    return {consumer: this, records, batch, counted};
  }
}
