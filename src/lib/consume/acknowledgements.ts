/**
 * Acknowledging what the caller has finished, for as long as it takes. Invariant:
 * an ID leaves only when Redis has confirmed its XACK, and gets in only by
 * `InHand.finish`, so nothing is acknowledged that was not finished.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {isRetryable, StreamlogError} from '../errors.js';
import type {Connection, ReconnectingClient} from '../reconnecting-client.js';
import {EntryIds} from '../records/entry-ids.js';
import type {Delivered, Membership, ReadLimits} from '../stream-client.js';
import type {DeliveredBatch, InFlightEntries} from './in-flight-entries.js';
import type {EntryOwnership} from './ownership.js';

/** IDs in one XACK. */
const PAGE = 1_000;
/** For one more attempt to acknowledge, when there is no time left. */
const LAST_ATTEMPT_MS = 500;

export class Acknowledgements {
  readonly #member: Membership;
  readonly #inFlight: InFlightEntries;
  readonly #redis: ReconnectingClient;
  readonly #ownership: EntryOwnership;
  #confirmed = 0;
  /** Where Redis has confirmed the last acknowledgement; undefined where it has not. */
  #confirmedOn: Connection | undefined;
  #sending: Promise<void> | undefined;
  /** Sent with a read, and not confirmed yet. */
  readonly #underWay = new Set<EntryIds>();

  constructor(member: Membership, inFlight: InFlightEntries, redis: ReconnectingClient, ownership: EntryOwnership) {
    this.#member = member;
    this.#inFlight = inFlight;
    this.#redis = redis;
    this.#ownership = ownership;
  }

  /** Entries whose acknowledgement Redis has confirmed. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Whether Redis has confirmed the last acknowledgement, by the connections of now: the next one may go with a read. */
  get areTaken(): boolean {
    return this.#confirmedOn !== undefined && this.#confirmedOn === this.#redis.current;
  }

  /** Whether something is finished that may not go with a read. */
  get areOwed(): boolean {
    return !this.areTaken && this.#inFlight.finishedCount > 0;
  }

  /**
   * Acknowledges what is held of `batch`, or those of `ids`, now or, where the server
   * is away, as soon as it is back. Throws what trying again cannot mend.
   */
  async finish(batch: DeliveredBatch, ids?: readonly string[]): Promise<void> {
    this.#inFlight.finish(batch, ids);
    let connection: Connection | undefined;
    try {
      connection = await this.#redis.connection();
      await this.send(connection);
    } catch (error) {
      // Sent again before anything new is read, and when closing.
      if (!isRetryable(error)) throw error;
      this.#redis.invalidate(error, connection);
    }
  }

  /**
   * XACK for all that is finished, one at a time: what finishes meanwhile goes
   * with the next. Throws when Redis does not confirm it, and keeps it.
   */
  async send(connection: Connection): Promise<void> {
    while (this.#inFlight.finishedCount > 0) {
      this.#sending ??= this.#sendPage(connection).finally(() => {
        this.#sending = undefined;
      });
      await this.#sending;
    }
  }

  /**
   * XREADGROUP, and before it, in one piece with it, XACK for what is finished. When Redis does
   * not confirm that, it is kept, and what was read comes all the same.
   */
  async sendAndRead(connection: Connection, limits: ReadLimits): Promise<Delivered> {
    const {reader} = connection;
    const finished = this.#inFlight.finished(Number.POSITIVE_INFINITY).filter((ids) => !this.#underWay.has(ids));
    if (finished.length === 0) return reader.readNew(this.#member, limits);
    const {acknowledged, delivered} = reader.acknowledgeAndReadNew(this.#member, EntryIds.join(finished), limits);
    for (const ids of finished) this.#underWay.add(ids);
    const confirmed = this.#settle(finished, acknowledged, connection).catch(() => {});
    try {
      return await delivered;
    } finally {
      await confirmed;
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
      throw unacknowledged(this.#inFlight.finishedCount, reason);
    });
    const confirmed = this.#confirmAll(late.signal, (failure) => {
      reason = failure;
    });
    // An attempt may take longer than there is time: a server can be silent, too.
    await Promise.race([confirmed, limit]).finally(() => late.abort());
  }

  async #confirmAll(late: AbortSignal, onFailure: (reason: string) => void): Promise<void> {
    while (this.#inFlight.finishedCount > 0 && !late.aborted) {
      let connection: Connection | undefined;
      try {
        connection = await this.#redis.connection();
        await this.send(connection);
      } catch (error) {
        if (isRetryable(error)) onFailure(error.message);
        await this.#redis.retryAfter(error, connection);
      }
    }
  }

  async #sendPage(connection: Connection): Promise<void> {
    const finished = this.#inFlight.finished(PAGE);
    const {stream, group} = this.#member;
    const acknowledged = connection.commands.acknowledge(stream, group, EntryIds.join(finished));
    await this.#settle(finished, acknowledged, connection);
  }

  /** Throws what `acknowledged` throws, and then they are kept. */
  async #settle(finished: readonly EntryIds[], acknowledged: Promise<number>, connection: Connection): Promise<void> {
    try {
      const count = await acknowledged;
      this.#confirmed += count;
      if (count < finished.reduce((sum, ids) => sum + ids.count, 0)) this.#ownership.suspect();
      this.#confirmedOn = connection;
      this.#inFlight.confirm(finished);
    } catch (error) {
      this.#confirmedOn = undefined;
      throw error;
    } finally {
      for (const ids of finished) this.#underWay.delete(ids);
    }
  }
}

const unacknowledged = (count: number, reason: string): StreamlogError =>
  new StreamlogError('temporary', `${count} entries were finished but could not be acknowledged: ${reason}`, {
    hint: 'nothing is lost; they will be delivered again',
  });
