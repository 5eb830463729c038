/**
 * Acknowledges what the caller has finished, for as long as it takes, and decides
 * when: at once, or together with the next read. Invariant: an ID leaves only
 * when Redis has confirmed its XACK, and gets in only by `InFlightEntries.finish`.
 */
import {isRetryable, StreamlogError} from '../errors.js';
import type {Connection, ReconnectingClient} from '../reconnecting-client.js';
import {EntryIds} from '../records/entry-ids.js';
import type {Delivered, Membership, ReadLimits} from '../stream-client.js';
import {unlessAborted} from '../waiting.js';
import type {DeliveredBatch} from './delivered-batch.js';
import type {InFlightEntries} from './in-flight-entries.js';
import type {EntryOwnership} from './ownership.js';

/** IDs in one XACK. */
const PAGE = 1_000;
/** For one last attempt, when there is no time left. */
const LAST_ATTEMPT_MS = 500;
/** What a timer of Node takes (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface AcknowledgementOptions {
  member: Membership;
  /** Nothing ever becomes pending. */
  noAck: boolean;
  /** The caller finishes each delivery before it asks for the next one, so that its XACK can go with the next read. */
  inTurn: boolean;
}

export class Acknowledgements {
  readonly #options: AcknowledgementOptions;
  readonly #inFlight: InFlightEntries;
  readonly #redis: ReconnectingClient;
  readonly #ownership: EntryOwnership;
  #confirmed = 0;
  /** Where Redis has confirmed the last acknowledgement; undefined where it has not. */
  #confirmedOn: Connection | undefined;
  #sending: Promise<void> | undefined;
  /** Sent with a read, and not confirmed yet. */
  readonly #underWay = new Set<EntryIds>();

  constructor(
    inFlight: InFlightEntries,
    redis: ReconnectingClient,
    ownership: EntryOwnership,
    options: AcknowledgementOptions,
  ) {
    this.#options = options;
    this.#inFlight = inFlight;
    this.#redis = redis;
    this.#ownership = ownership;
  }

  /** Entries whose acknowledgement Redis has confirmed. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /**
   * Whether the next XACK goes with a read: only after Redis has confirmed one on this connection. Where entries are left
   * pending, each read finds out whether our consumer was removed with them.
   */
  get goWithReads(): boolean {
    return (
      this.#options.inTurn &&
      this.#inFlight.released.size === 0 &&
      this.#confirmedOn !== undefined &&
      this.#confirmedOn === this.#redis.current
    );
  }

  /** Whether something is finished that does not go with a read. */
  get areOwed(): boolean {
    return !this.goWithReads && this.#inFlight.finishedCount > 0;
  }

  /**
   * Acknowledges what is held of `batch`, or those of `ids`: with the next read where one `follows` at once, else now or,
   * while Redis is away, as soon as it is back. Throws what trying again cannot mend.
   */
  async finish(batch: DeliveredBatch, ids: readonly string[] | undefined, follows: boolean): Promise<void> {
    if (this.#options.noAck) return;
    this.#inFlight.finish(batch, ids);
    if (follows && this.goWithReads) return;
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
   * XACK of all that is finished, one command at a time: what is finished meanwhile goes with the next. What Redis does
   * not confirm is kept, and the failure thrown.
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
   * XACK of what is finished and XREADGROUP, sent in one piece. An XACK that Redis does not confirm is kept, and what
   * was read is returned all the same.
   */
  async sendAndRead(connection: Connection, limits: ReadLimits): Promise<Delivered> {
    const {reader} = connection;
    const finished = this.#inFlight.finished(Number.POSITIVE_INFINITY).filter((ids) => !this.#underWay.has(ids));
    if (finished.length === 0) return reader.readNew(this.#options.member, limits);
    const {acknowledged, delivered} = reader.acknowledgeAndReadNew(
      this.#options.member,
      EntryIds.join(finished),
      limits,
    );
    for (const ids of finished) this.#underWay.add(ids);
    const confirmed = this.#settle(finished, acknowledged, connection).catch(() => {});
    try {
      return await delivered;
    } finally {
      await confirmed;
    }
  }

  /**
   * Sends what is still to be acknowledged. Throws `temporary` when Redis has not confirmed it for `limitMs`: those
   * entries will be delivered again.
   */
  async confirm(limitMs: number): Promise<void> {
    let reason = 'Redis does not answer';
    const late = AbortSignal.timeout(Math.ceil(Math.min(Math.max(limitMs, LAST_ATTEMPT_MS), LONGEST_TIMER_MS)));
    // An attempt may take longer than there is time: a server can be silent, too.
    const sent = this.#confirmAll(late, (failure) => {
      reason = failure;
    });
    await unlessAborted(sent, late);
    if (late.aborted && this.#inFlight.finishedCount > 0) throw unacknowledged(this.#inFlight.finishedCount, reason);
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
    const {stream, group} = this.#options.member;
    const acknowledged = connection.commands.acknowledge(stream, group, EntryIds.join(finished));
    await this.#settle(finished, acknowledged, connection);
  }

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
