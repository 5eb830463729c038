/**
 * When the entries that are pending with this consumer and not in flight are looked for, and what is delivered of them: our own
 * backlog at the start, and what a lost reply left in our name. Invariant: after each new connection nothing new is read before the
 * own pending list was scanned.
 */
import type {Connection} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {GroupMembership} from './group-membership.js';
import {claimOwnPending, deliverOwnPending, type RecoveryContext, scanOwnPending} from './pending-entries.js';
import {MAX_BLOCK_MS} from './read-budget.js';

/** Records that were delivered before, and whether Redis has counted that they are delivered now. */
export interface RecoveredBatch {
  records: StreamRecord[];
  counted: boolean;
}

/**
 * Redis may not notice a dropped connection at once. Until BLOCK expires it can still deliver entries to the dead
 * reader; they become pending under our name without reaching us. Twice that, since the request may arrive late.
 */
const LATE_READS_MS = 2 * MAX_BLOCK_MS;

/** The entries that are pending with this consumer and not in flight: when to scan for them, and what the scan finds. */
export class PendingRecovery {
  readonly #membership: GroupMembership;
  readonly #context: RecoveryContext;
  /** Whether delivering again what was delivered before counts as one more delivery. */
  readonly #counts: boolean;
  /** The connection after which the list was scanned. */
  #scannedOn: Connection | undefined;
  /** When to scan once more. */
  #lateReadsOverMs = Number.POSITIVE_INFINITY;
  /** How far this consumer had read when the connection was new; undefined before the first scan. */
  #readUpTo: string | undefined;

  constructor(membership: GroupMembership, context: RecoveryContext, counts: boolean) {
    this.#membership = membership;
    this.#context = context;
    this.#counts = counts;
  }

  isDue(connection: Connection): boolean {
    return connection !== this.#scannedOn || performance.now() >= this.#lateReadsOverMs;
  }

  /** What is left over; nothing when no scan is due. */
  async *take(connection: Connection): AsyncGenerator<RecoveredBatch, void, void> {
    if (!this.isDue(connection)) return;
    const isNew = connection !== this.#scannedOn;
    const atStart = this.#readUpTo === undefined;
    if (isNew) this.#readUpTo = this.#membership.readUpTo;
    if (atStart && this.#counts) {
      const {left} = this.#context;
      const {commands} = connection;
      const all =
        left === undefined
          ? deliverOwnPending(commands, this.#context)
          : claimOwnPending(commands, this.#context, left);
      for await (const records of all) yield {records, counted: true};
    } else {
      const readUpTo = atStart ? undefined : this.#readUpTo;
      for await (const records of scanOwnPending(connection.commands, this.#context))
        yield* this.#split(records, readUpTo);
    }
    this.#scannedOn = connection;
    this.#lateReadsOverMs = isNew && !atStart ? performance.now() + LATE_READS_MS : Number.POSITIVE_INFINITY;
  }

  /** What came after `readUpTo`, in a reply that was lost, Redis has counted as delivered, although we never saw it. */
  *#split(records: StreamRecord[], readUpTo: string | undefined): Generator<RecoveredBatch, void, void> {
    const wasLost = ({id}: StreamRecord): boolean => readUpTo !== undefined && compareStreamIds(id, readUpTo) > 0;
    const lost = records.filter(wasLost);
    const known = records.filter((record) => !wasLost(record));
    if (known.length > 0) yield {records: known, counted: this.#counts};
    const last = lost.at(-1)?.id;
    if (last !== undefined && compareStreamIds(last, this.#membership.readUpTo) > 0) this.#membership.advance(lost);
    if (lost.length > 0) yield {records: lost, counted: true};
  }
}
