/**
 * One consumer of a group on one stream: what it does in which order, and how it
 * goes on after Redis was away. First its own pending entries, then what silent
 * consumers left behind, then new entries. Invariant: an entry that was delivered
 * to it reaches the caller or stays pending, and only what the caller has
 * finished is acknowledged.
 */

import {isRetryable} from '../errors.js';
import type {Connection, ReconnectingClient} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {EntryIds} from '../records/entry-ids.js';
import type {Delivered, Membership} from '../stream-client.js';
import {type AcknowledgementOptions, Acknowledgements} from './acknowledgements.js';
import {ClaimSweep} from './claim-sweep.js';
import {DeliveredBatch} from './delivered-batch.js';
import type {EntryFilter} from './entry-filter.js';
import {GroupMembership, type MembershipOptions} from './group-membership.js';
import {GroupReader, type GroupReaderOptions} from './group-reader.js';
import {InFlightEntries} from './in-flight-entries.js';
import {checkName, isNameInUse, type SharedName} from './name-in-use.js';
import {EntryOwnership, type Loss} from './ownership.js';
import type {RecoveryContext} from './pending-entries.js';
import {PendingRecovery} from './pending-recovery.js';
import type {ReadBudget} from './read-budget.js';

export interface ConsumerOptions extends MembershipOptions, GroupReaderOptions, AcknowledgementOptions {
  /** Takes over entries that another consumer has had for longer than this; undefined takes none over. */
  claimIdleMs?: number;
  sharedName: SharedName;
  /** False where others acknowledge what is processed: `finish` does nothing. */
  acknowledges: boolean;
  /** Which entries are processed; undefined: all. */
  filter?: EntryFilter | undefined;
  /** Ends when nothing is left to read. */
  stopWhenEmpty: boolean;
  /** Whether delivering again what is pending counts as one more delivery; false where the caller counts attempts. */
  countsBacklog: boolean;
  /** Called each time a read brought nothing. */
  onIdle: () => void;
  /** Called with each entry that was delivered and will not be processed here. */
  onLost: (stream: string, id: string, loss: Loss) => void;
}

/** Records that came together. */
export interface Delivery {
  consumer: Consumer;
  records: StreamRecord[];
  /** What is in flight of it. */
  batch: DeliveredBatch;
  /** Whether Redis has counted this delivery already. */
  counted: boolean;
}

/** Delivered IDs that are kept where somebody else acknowledges. */
const REMEMBERED = 10_000;

/**
 * Redis looks this often for a BLOCK that is over (hz in redis.conf): one for less takes as long on a server that is idle, and
 * counts for less silence.
 */
const LEAST_BLOCK_MS = 100;

export class Consumer {
  readonly member: Membership;
  readonly inFlight: InFlightEntries;
  readonly acknowledgements: Acknowledgements;
  readonly redis: ReconnectingClient;
  readonly membership: GroupMembership;
  readonly ownership: EntryOwnership;
  readonly #reader: GroupReader<Delivery>;
  readonly #recovery: PendingRecovery;
  /** Undefined where nothing is taken over. */
  readonly #sweep: ClaimSweep | undefined;
  readonly #context: RecoveryContext;
  readonly #budget: ReadBudget;
  readonly #options: ConsumerOptions;
  /** What the current round uses. */
  #connection: Connection | undefined;
  /** What was handed to the caller last is new, and once it is finished, more is read. */
  #readFollows = false;
  #isEmpty = false;

  constructor(redis: ReconnectingClient, budget: ReadBudget, options: ConsumerOptions) {
    const {member, claimIdleMs, noAck, acknowledges, countsBacklog, stopWhenEmpty, filter, onLost, onProblem} = options;
    this.member = member;
    this.redis = redis;
    this.#budget = budget;
    this.#options = options;
    const inFlight = new InFlightEntries(acknowledges ? undefined : REMEMBERED);
    const ownership = new EntryOwnership(inFlight, options);
    this.inFlight = inFlight;
    this.ownership = ownership;
    this.acknowledgements = new Acknowledgements(inFlight, redis, ownership, options);
    this.membership = new GroupMembership(redis, inFlight, options);
    this.#reader = new GroupReader(this, budget, options, (entries) => this.#received(entries));
    this.#context = {
      member,
      inFlight,
      permitted: this.#reader.permitted,
      widen: () => this.#reader.widen(),
      over: () => budget.isDone,
      left: filter?.leaves ? filter : undefined,
      onGone: (ids) => {
        for (const id of ids) onLost(member.stream, id, {kind: 'deleted', reference: 'kept'});
      },
      // Where others acknowledge, they have finished what is not pending any more.
      onMissing: async (ids) => acknowledges && ownership.account((await redis.connection()).commands, ids),
    };
    this.#recovery = new PendingRecovery(this.membership, this.#context, countsBacklog);
    if (claimIdleMs !== undefined && !noAck)
      this.#sweep = new ClaimSweep({idleMs: claimIdleMs, counts: countsBacklog, wholeFirst: stopWhenEmpty, onProblem});
  }

  /**
   * Records as they come, until the read budget is done. Asking for the next delivery says that the caller has room, not
   * that it has finished the last one. Throws what trying again cannot mend: `notFound` where the group is missing and
   * may not be created, `denied`, `data`.
   */
  async *deliveries(): AsyncGenerator<Delivery, void, void> {
    const {inTurn, noAck, stopWhenEmpty} = this.#options;
    // What was prefetched is pending with us: it is delivered even when nothing more is wanted.
    while (!this.#budget.isDone || this.#reader.hasPrefetched) {
      try {
        for await (const delivery of this.#round()) {
          const {batch, records} = delivery;
          const isWhole = noAck || batch.count === records.length;
          // Some may have been lost while they waited.
          yield isWhole ? delivery : {...delivery, records: records.filter(({id}) => batch.holds(id))};
          batch.isProcessed = inTurn;
          this.#readFollows = false;
        }
        if (this.#isEmpty && stopWhenEmpty) return;
      } catch (error) {
        this.#budget.restartSilence();
        if (this.#budget.isDone && isRetryable(error)) return;
        if (this.redis.isHopeless(error) || isNameInUse(error)) throw error;
        if (!(await this.membership.recreated(error))) await this.redis.retryAfter(error, this.#connection);
        this.#budget.restartSilence();
      }
    }
  }

  /** Acknowledges what is in flight of a delivery, or those of `ids`, unless others do: see `Acknowledgements.finish`. */
  async finish(delivery: Delivery, ids?: readonly string[]): Promise<void> {
    if (this.#options.acknowledges) await this.finishAll(delivery, ids);
  }

  /** The same, also where others acknowledge what is processed. */
  finishAll({batch}: Delivery, ids?: readonly string[]): Promise<void> {
    return this.acknowledgements.finish(batch, ids, this.#readFollows);
  }

  /**
   * Before the end, for up to `limitMs`: makes sure that what is left is pending for the next consumer, whatever was
   * removed just before, or reports it. Returns when Redis is away: it keeps what it has.
   */
  async settle(limitMs: number): Promise<void> {
    const deadlineMs = performance.now() + limitMs;
    this.ownership.reportOrphans();
    while (this.inFlight.hasUnfinished) {
      try {
        await this.ownership.settle((await this.redis.connection()).commands);
        return;
      } catch (error) {
        const recreated = await this.membership.recreated(error).catch(() => false);
        if (!recreated || performance.now() > deadlineMs) return;
        this.ownership.reportOrphans();
      }
    }
  }

  /** Makes in-flight entries pending again when our consumer or the group was removed. Failures are left to later calls. */
  async lookAfter(): Promise<void> {
    if (!this.ownership.removal.needsCheck) return;
    try {
      // While the last handlers run, nothing else reconnects.
      const connection = this.#budget.isDone ? await this.redis.connection() : this.redis.current;
      if (connection !== undefined) await this.ownership.checkConsumer(connection.commands);
    } catch (error) {
      await this.membership.recreated(error).catch(() => {});
    }
  }

  /** Ends a blocked read at once. Prefetched reads do not block and are waited for: what they bring would stay pending. */
  async free(): Promise<void> {
    await this.#reader.prefetched();
    this.redis.unblock();
  }

  /** Once around: what is finished, what was prefetched, what is left over, what is new. Sets `#isEmpty`. */
  async *#round(): AsyncGenerator<Delivery, void, void> {
    const {noAck, countsBacklog, sharedName, onProblem, onIdle} = this.#options;
    this.#isEmpty = false;
    this.#connection = undefined;
    const connection = await this.redis.connection();
    this.#connection = connection;
    const {commands} = connection;
    if (!this.membership.isJoined) {
      await checkName(commands, this.member, sharedName, onProblem);
      await this.membership.join(commands);
    }
    await this.#reader.reportLost(connection);
    await this.ownership.heal(commands);
    // Nothing new is read while finished entries cannot be acknowledged.
    if (!this.acknowledgements.goWithReads) await this.acknowledgements.send(connection);
    // Drain prefetched reads first; otherwise the pending scan would see them as lost.
    const prefetched = await this.#reader.takePrefetched((used) => {
      this.#connection = used;
    });
    this.#connection = connection;
    if (prefetched !== undefined) {
      yield this.#new(prefetched, connection);
      return;
    }
    if (!noAck && (this.#sweep?.isDue || this.#recovery.isDue(connection))) {
      await this.acknowledgements.send(connection);
      for await (const {records, counted} of this.#recovery.take(connection)) yield this.#delivery(records, counted);
      if (this.#sweep?.isDue) {
        // Claiming creates our consumer again, where it was removed.
        if (this.ownership.removal.needsCheck) await this.ownership.checkConsumer(commands);
        if (this.#context.left !== undefined) await this.ownership.forgetTaken(commands);
        for await (const {records, isNew} of this.#sweep.step(commands, this.#context)) {
          if (isNew) this.membership.advance(records);
          yield this.#delivery(records, isNew || countsBacklog);
        }
      }
    }
    // Replaced while the caller was at work: the next round scans what is pending first.
    if (connection !== this.redis.current) return;
    const delivery = await this.#reader.read(connection, this.#blockMs);
    this.redis.resetBackoff();
    if (delivery !== undefined) {
      yield this.#new(delivery, connection);
      return;
    }
    if (!this.#budget.isDone) onIdle();
    this.#isEmpty = this.#sweep?.isDone !== false;
  }

  /** New entries on their way to the caller. Sends the next read or, where none is sent yet, the acknowledgements that are due. */
  #new(delivery: Delivery, connection: Connection): Delivery {
    const isFree =
      connection === this.redis.current &&
      !this.#budget.isDone &&
      !this.#sweep?.isDue &&
      !this.#recovery.isDue(connection);
    const isSent = isFree && this.#reader.prefetch(delivery.records.length, connection);
    // The next round meets the same failure.
    if (!isSent && this.inFlight.finishedCount > 0) this.acknowledgements.send(connection).catch(() => {});
    this.#readFollows = true;
    return delivery;
  }

  #received({records, ids}: Delivered): Delivery {
    this.membership.advance(records);
    return this.#delivery(records, true, ids);
  }

  #delivery(records: StreamRecord[], counted: boolean, ids = EntryIds.of(records.map(({id}) => id))): Delivery {
    const batch = this.#options.noAck ? new DeliveredBatch(ids) : this.inFlight.deliver(ids);
    return {consumer: this, records, batch, counted};
  }

  /** How long the next read waits for new entries, in milliseconds; undefined where it answers at once. */
  get #blockMs(): number | undefined {
    if (this.#options.stopWhenEmpty) return undefined;
    const sweepInMs = Math.max(LEAST_BLOCK_MS, this.#sweep?.dueInMs ?? Number.POSITIVE_INFINITY);
    return Math.max(1, Math.min(this.#budget.blockMs, sweepInMs));
  }
}
