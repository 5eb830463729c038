/**
 * What is pending with this consumer and not in hand: at the start what an
 * earlier run left, after each new connection what Redis had given us in a reply
 * that was lost, or still gave to the connection that was. Knows when to look,
 * and which deliveries Redis has counted although nobody saw them. Invariant:
 * nothing is handed out that is in hand, and after each new connection nothing
 * new is read before we have looked.
 */
import type {Connection} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {GroupMembership} from './group-membership.js';
import {deliverOwnPending, type RecoveryContext, scanOwnPending} from './pending-recovery.js';
import {MAX_BLOCK_MS} from './read-budget.js';

/**
 * A loss that Redis has not noticed leaves it serving the read that blocks there, for as long as that may block: what
 * comes in that time is pending with us, and nobody has it. Twice that, since the request may be late itself.
 */
const LATE_READS_MS = 2 * MAX_BLOCK_MS;

/** Records that were delivered before, and whether Redis has counted that they are handed out now. */
export interface LeftOver {
  records: StreamRecord[];
  counted: boolean;
}

export class OwnPending {
  readonly #place: GroupMembership;
  /** Whether handing out what was delivered before counts as one more delivery. */
  readonly #counts: boolean;
  /** The connections after which all was looked at. */
  #lookedAt: Connection | undefined;
  /** When to look once more. */
  #lateReadsOverMs = Number.POSITIVE_INFINITY;
  /** How far we had got when these connections were new; undefined until we have looked once. */
  #seenUpTo: string | undefined;

  constructor(place: GroupMembership, counts: boolean) {
    this.#place = place;
    this.#counts = counts;
  }

  /** Whether it is time to look, with connections of `generation`. */
  isDue(connection: Connection): boolean {
    return connection !== this.#lookedAt || performance.now() >= this.#lateReadsOverMs;
  }

  /** What is left over, when it is time to look; `generation` is that of the link that `control` is of. */
  async *take(connection: Connection, context: RecoveryContext): AsyncGenerator<LeftOver, void, void> {
    if (!this.isDue(connection)) return;
    const {commands: control} = connection;
    const isNew = connection !== this.#lookedAt;
    const atStart = this.#seenUpTo === undefined;
    if (isNew) this.#seenUpTo = this.#place.readUpTo;
    if (atStart && this.#counts) {
      for await (const records of deliverOwnPending(control, context)) yield {records, counted: true};
    } else {
      const seenUpTo = atStart ? undefined : this.#seenUpTo;
      for await (const records of scanOwnPending(control, context)) yield* this.#sorted(records, seenUpTo);
    }
    this.#lookedAt = connection;
    const mayComeLate = isNew && !atStart;
    this.#lateReadsOverMs = mayComeLate ? performance.now() + LATE_READS_MS : Number.POSITIVE_INFINITY;
  }

  /** Of what came after `seenUpTo`, in a reply that was lost, the delivery has been counted, although nobody saw it. */
  *#sorted(records: StreamRecord[], seenUpTo: string | undefined): Generator<LeftOver, void, void> {
    const wasLost = ({id}: StreamRecord): boolean => seenUpTo !== undefined && compareStreamIds(id, seenUpTo) > 0;
    const lost = records.filter(wasLost);
    const known = records.filter((record) => !wasLost(record));
    if (known.length > 0) yield {records: known, counted: this.#counts};
    const last = lost.at(-1)?.id;
    if (last !== undefined && compareStreamIds(last, this.#place.readUpTo) > 0) this.#place.advance(lost);
    if (lost.length > 0) yield {records: lost, counted: true};
  }
}
