/**
 * Whether our consumer was removed from its group, and what to do then. XGROUP
 * DELCONSUMER drops all that is pending with a consumer (redis#7384, redis#9745),
 * and the next read creates it again, so only XGROUP CREATECONSUMER tells: 1 says
 * that it had been removed. Invariant: what is pending with another consumer is
 * never taken (XCLAIM FORCE claims only what is pending with none).
 */

import {isFailure} from '../errors.js';
import type {EntryIds} from '../records/entry-ids.js';
import {compareStreamIds, successorOf} from '../records/stream-id.js';
import type {Membership, StreamClient} from '../stream-client.js';
import type {DeliveredBatch} from './delivered-batch.js';
import type {InFlightEntries} from './in-flight-entries.js';

export interface RemovalOptions {
  member: Membership;
  /** One line for the user about what did not end the work. */
  onProblem: (line: string) => void;
}

export class ConsumerRemoval {
  readonly #inFlight: InFlightEntries;
  readonly #options: RemovalOptions;
  /** No removal has gone unnoticed since then. */
  #certainSinceMs = 0;
  /** Whether the user may run XGROUP CREATECONSUMER. */
  #mayCheck = true;
  #wasNoticed = false;
  /** The highest ID that had been delivered when a read ended without a reply. */
  #readFailedAfter: string | undefined;

  constructor(inFlight: InFlightEntries, options: RemovalOptions) {
    this.#inFlight = inFlight;
    this.#options = options;
  }

  /** Whether a removal was noticed, and in-flight entries were not made pending again yet. */
  get wasNoticed(): boolean {
    return this.#wasNoticed;
  }

  /** Whether CREATECONSUMER should precede a read: there are entries that would go with our consumer. */
  get needsCheck(): boolean {
    return this.#mayCheck && this.#inFlight.hasUnfinished;
  }

  /** A removal may go unnoticed: by a read without a check before it, or one that blocked and brought something. */
  uncertain(): void {
    this.#certainSinceMs = performance.now();
  }

  /**
   * A read that blocked brought `came`, and would have created our consumer again had it been removed meanwhile. Entries that
   * others take over leave no witness in the end, so where some are released one is asked for at once.
   */
  async afterBlockedRead(control: StreamClient, came: EntryIds): Promise<void> {
    if (this.#inFlight.released.size > 0 && (await this.#hasEarlierThan(control, came.first))) return;
    this.uncertain();
  }

  /** A read ended without a reply: if it brought something, our consumer may have been removed and created again by it. */
  readFailed(): void {
    this.#readFailedAfter = this.#inFlight.highest;
  }

  /** Whether something is pending with us that such a read may have brought. */
  async hasUnseen(control: StreamClient): Promise<boolean> {
    if (this.#readFailedAfter === undefined) return false;
    const {stream, group, consumer} = this.#options.member;
    const start = successorOf(this.#readFailedAfter);
    if (start === undefined) return true;
    return (await control.pendingPage(stream, group, {consumer, start, count: 1})).length > 0;
  }

  /** Whether any removal since `batch` was delivered would have been noticed. */
  isCertainSince({deliveredAtMs}: DeliveredBatch): boolean {
    return deliveredAtMs >= this.#certainSinceMs;
  }

  /**
   * With the reply of CREATECONSUMER: true when a removal was noticed, by it or before. Throws `notFound` when group or
   * stream are gone.
   */
  async check(created: Promise<boolean>): Promise<boolean> {
    try {
      if (await created) this.#notice();
      return this.#wasNoticed;
    } catch (error) {
      if (isFailure(error, 'notFound')) throw error;
      // Any other refusal meets the read behind it too, which reports it.
      if (isFailure(error, 'denied')) this.#mayCheck = false;
      this.uncertain();
      return false;
    }
  }

  /** XGROUP CREATECONSUMER: whether our consumer had been removed; undefined where that cannot be found out. */
  async ask(control: StreamClient): Promise<boolean | undefined> {
    if (!this.#mayCheck) return undefined;
    try {
      const wasRemoved = await control.createConsumer(this.#options.member);
      if (wasRemoved) this.#notice();
      return wasRemoved;
    } catch (error) {
      if (isFailure(error, 'denied')) this.#mayCheck = false;
      if (isFailure(error, 'unreachable') || isFailure(error, 'notFound')) throw error;
      return undefined;
    }
  }

  /** XCLAIM FORCE: makes all in-flight entries that are pending with no consumer pending with us again. */
  async restore(control: StreamClient): Promise<void> {
    const {member, onProblem} = this.#options;
    const {unfinished} = this.#inFlight;
    if (unfinished.length === 0) {
      this.#wasNoticed = false;
      return;
    }
    const cause = this.#wasNoticed ? 'was removed' : 'seems to have been removed';
    let outcome = 'made pending with it again';
    try {
      await control.makePending(member, unfinished);
    } catch (error) {
      if (!isFailure(error, 'denied')) throw error;
      outcome = 'which the Redis user may not make pending again (XCLAIM): they are lost if this process is killed';
    }
    this.#wasNoticed = false;
    this.uncertain();
    onProblem(
      `consumer "${member.consumer}" of group "${member.group}" on stream "${member.stream}" ${cause}; ` +
        `it had ${unfinished.length} entries in flight, ${outcome}`,
    );
  }

  #notice(): void {
    this.#wasNoticed = true;
    this.uncertain();
  }

  /** Whether something is pending with us that came before `id`. Whatever fails, that is not known. */
  async #hasEarlierThan(control: StreamClient, id: string): Promise<boolean> {
    const {stream, group, consumer} = this.#options.member;
    const first = await control.pendingPage(stream, group, {consumer, count: 1}).catch(() => []);
    return first.some((entry) => compareStreamIds(entry.id, id) < 0);
  }
}
