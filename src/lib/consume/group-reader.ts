/**
 * Reads new entries by XREADGROUP, together with what is to be acknowledged or
 * checked, and ahead of the caller while it works on what came last. Invariant:
 * reads are taken in the order in which they were sent, and what one of them
 * has brought is in flight and never forgotten, whatever becomes of the others.
 */
import {isFailure} from '../errors.js';
import {PAGE_BYTES, PageSize} from '../reading/page-size.js';
import type {Connection} from '../reconnecting-client.js';
import {ConfirmedIds} from '../records/confirmed-ids.js';
import type {StreamRecord} from '../records/entry.js';
import type {EntryIds} from '../records/entry-ids.js';
import type {Delivered, Membership, ReadLimits} from '../stream-client.js';
import type {Acknowledgements} from './acknowledgements.js';
import type {InFlightEntries} from './in-flight-entries.js';
import type {EntryOwnership} from './ownership.js';
import type {ReadBudget} from './read-budget.js';

export interface GroupReaderOptions {
  member: Membership;
  /** Entries per read, at most. */
  batch: number;
  /** Reads without making entries pending: at-most-once. */
  noAck: boolean;
  /** The caller finishes each delivery before it asks for the next one, so that more can be read meanwhile. */
  inTurn: boolean;
  /** Which entries count for the read budget; undefined: all. */
  filter?: {isWanted(record: StreamRecord): boolean} | undefined;
  /** One line for the user about what did not end the work. */
  onProblem: (line: string) => void;
}

/** What reads go together with. */
interface ConsumerState {
  readonly inFlight: InFlightEntries;
  readonly acknowledgements: Acknowledgements;
  readonly ownership: EntryOwnership;
}

interface PendingRead<T> {
  /** Undefined when there was nothing. */
  readonly result: Promise<T | undefined>;
  readonly connection: Connection;
}

/** A batch is read ahead in so many parts. */
const PARTS = 4;
/** Smaller parts cost more by their number than prefetching them saves. */
const SMALLEST_PART = 50;
/** One ID stands for what came within 20 ms: five seconds in all. */
const DELIVERED_IDS = {most: 256, grainMs: 20};

/** `T` is what becomes of new entries as soon as they are there. */
export class GroupReader<T> {
  readonly #options: GroupReaderOptions;
  readonly #inFlight: InFlightEntries;
  readonly #acknowledgements: Acknowledgements;
  readonly #ownership: EntryOwnership;
  readonly #budget: ReadBudget;
  readonly #deliver: (entries: Delivered) => T;
  /** The first read asks for one entry: `| head` then takes little from the stream. */
  readonly #size: PageSize;
  /** How many reads may be under way while the caller works. */
  readonly #maxAhead: number;
  #ahead: PendingRead<T>[] = [];
  readonly #deliveredIds = new ConfirmedIds(DELIVERED_IDS);
  /** The connection on which entries that a failover lost were looked for. */
  #checkedOn: Connection | undefined;

  constructor(
    {inFlight, acknowledgements, ownership}: ConsumerState,
    budget: ReadBudget,
    options: GroupReaderOptions,
    deliver: (entries: Delivered) => T,
  ) {
    this.#inFlight = inFlight;
    this.#acknowledgements = acknowledgements;
    this.#ownership = ownership;
    this.#budget = budget;
    this.#options = options;
    this.#deliver = deliver;
    const {batch, inTurn} = options;
    const parts = inTurn ? Math.max(1, Math.min(PARTS, Math.floor(batch / SMALLEST_PART))) : 1;
    // What is prefetched and what the caller works on make one batch: no more is ever pending for a slow caller.
    this.#maxAhead = parts - 1;
    this.#size = new PageSize(Math.floor(batch / parts), 1, PAGE_BYTES / parts);
  }

  /** Whether something was prefetched that has not been taken. */
  get hasPrefetched(): boolean {
    return this.#ahead.length > 0;
  }

  /** Lets the next read ask for more entries. */
  widen(): void {
    this.#size.widen();
  }

  /** Prefetches what follows a read of `count` entries; false where that was no full read or prefetching is not possible. */
  prefetch(count: number, connection: Connection): boolean {
    if (2 * count <= this.#size.count || this.#acknowledgements.areOwed || this.#maxAhead === 0) return false;
    while (this.#ahead.length < this.#maxAhead) {
      const result = this.read(connection, undefined);
      result.catch(() => {});
      this.#ahead.push({result, connection});
    }
    return true;
  }

  /**
   * The first prefetched read that brought something, undefined when none did. Calls `using` with the connection of each
   * that is waited for. Throws what a read has thrown; others that failed too are dropped: a lost connection is one failure.
   */
  async takePrefetched(using: (connection: Connection) => void): Promise<T | undefined> {
    let delivery: T | undefined;
    while (delivery === undefined && this.#ahead.length > 0) {
      const {result, connection} = this.#ahead.shift()!;
      using(connection);
      try {
        delivery = await result;
      } catch (error) {
        const ends = await Promise.allSettled(this.#ahead.map((read) => read.result));
        this.#ahead = this.#ahead.filter((_, index) => ends[index]!.status === 'fulfilled');
        throw error;
      }
    }
    return delivery;
  }

  /** Resolves when all prefetched reads have come, or failed. */
  async prefetched(): Promise<void> {
    await Promise.allSettled(this.#ahead.map(({result}) => result));
  }

  /** XREADGROUP `>`; undefined when there was nothing for `blockMs`. */
  async read(connection: Connection, blockMs: number | undefined): Promise<T | undefined> {
    const {member, noAck} = this.#options;
    let ids: EntryIds | undefined;
    const records = await this.permitted(async (count) => {
      const limits = {count, blockMs, noAck};
      const read = this.#acknowledgements.goWithReads
        ? this.#readAndAcknowledge(connection, limits)
        : this.#readAndCheck(connection, limits);
      const sinceMs = performance.now();
      const delivered = await read;
      ids = delivered.ids;
      if (ids.count === 0 && blockMs !== undefined) this.#budget.heardNothing(member.stream, blockMs, sinceMs);
      return delivered.records;
    });
    if (ids === undefined || ids.count === 0) return undefined;
    this.#deliveredIds.push(ids.last, ids.count);
    return this.#deliver({records, ids});
  }

  /** On a new connection: reports entries that were delivered here and are in no stream any more, as after a failover. */
  async reportLost(connection: Connection): Promise<void> {
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
      // A user who may only read by group cannot know.
      if (isFailure(error, 'unreachable')) throw error;
    }
  }

  /** Runs `read` with how many entries are wanted now; returns none without a call when no more are wanted. */
  readonly permitted = async (read: (count: number) => Promise<StreamRecord[]>): Promise<StreamRecord[]> => {
    const count = await this.#budget.take(this.#size.count);
    if (count === 0) return [];
    let records: StreamRecord[] = [];
    try {
      records = await read(count);
      this.#size.adapt(records);
      return records;
    } finally {
      this.#budget.settle(count, this.#wantedOf(records), records.length);
    }
  };

  /** How many of `records` the budget counts. */
  #wantedOf(records: readonly StreamRecord[]): number {
    const {filter} = this.#options;
    if (filter === undefined || !this.#budget.isLimited) return records.length;
    return records.reduce((count, record) => count + (filter.isWanted(record) ? 1 : 0), 0);
  }

  #readAndAcknowledge(connection: Connection, limits: ReadLimits): Promise<Delivered> {
    if (this.#inFlight.deliveredCount > 0) this.#ownership.removal.uncertain();
    return this.#acknowledgements.sendAndRead(connection, limits);
  }

  /** A read may take long, and creates our consumer again: finds out in one piece with it whether that had been removed. */
  async #readAndCheck({commands, reader}: Connection, limits: ReadLimits): Promise<Delivered> {
    const {member} = this.#options;
    if (!this.#ownership.removal.needsCheck) return reader.readNew(member, limits);
    const {created, delivered} = reader.createConsumerAndReadNew(member, limits);
    delivered.catch(() => {});
    // At once, while the read may still block: until then, in-flight entries are pending with no consumer. What fails
    // here is repeated by the next round.
    await this.#ownership.removal
      .check(created)
      .then((removed) => (removed ? this.#ownership.heal(commands) : undefined))
      .catch(() => {});
    try {
      const came = await delivered;
      if (limits.blockMs !== undefined && came.ids.count > 0)
        await this.#ownership.removal.afterBlockedRead(commands, came.ids);
      return came;
    } catch (error) {
      this.#ownership.removal.readFailed();
      throw error;
    }
  }
}
