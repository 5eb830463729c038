/**
 * Entries that are handled together, and what Redis knows of their attempts.
 * Talks to Redis for as long as it takes: what a handler has done must not be
 * forgotten because a link was lost. Invariant: an entry leaves a job exactly
 * once, as acknowledged, dead, lost (see ownership.ts) or let go; and no handler
 * begins on what was not ours a moment before.
 */
import {moveToDeadLetters} from '../dead-letters/moving.js';
import type {Connection} from '../reconnecting-client.js';
import {deliveredAgain, type StreamRecord} from '../records/entry.js';
import type {StreamClient} from '../stream-client.js';
import type {Consumer, Delivery} from './consumer.js';
import type {EntryOwnership, Losses} from './ownership.js';

/** What was delivered once may only have waited behind what ended the worker. */
const UNCERTAIN_DELIVERIES = 1;
/** What came so recently is not asked about before its handler starts: were it not ours any more, it would be handled twice at worst. */
const FRESH_MS = 10;

export interface HandlerPolicy {
  /** An entry that was delivered this often without success is dead. */
  maxDeliveries: number;
  deadLetterOf: (stream: string) => string;
  /** Told of each entry that was moved, with the reason. */
  onDead: (record: StreamRecord, reason: string) => void;
}

export class HandlerTask {
  /** Ends the handler's run: what it works on is no longer ours, or there is no time left. */
  readonly cancel = new AbortController();
  isRunning = false;
  readonly #delivery: Delivery;
  readonly #policy: HandlerPolicy;
  #records: StreamRecord[];
  /** Whether Redis has counted the attempt that comes next. */
  #counted: boolean;
  /** The IDs for which the attempt under way was counted here. */
  #countedHere = new Set<string>();
  /** Whether it was seen that the handler can be run for others, and cannot for this. */
  isToBlame = false;

  /** Of `records`, which are among those of `delivery`. */
  constructor(delivery: Delivery, records: StreamRecord[], policy: HandlerPolicy) {
    this.#delivery = delivery;
    this.#records = records;
    this.#counted = delivery.counted;
    this.#policy = policy;
  }

  get #consumer(): Consumer {
    return this.#delivery.consumer;
  }

  /** Whether its entries are of the stream that `ownership` is about. */
  isOf(ownership: EntryOwnership): boolean {
    return this.#consumer.ownership === ownership;
  }

  /** What is to be handled. */
  get records(): readonly StreamRecord[] {
    return this.#records;
  }

  /** How often the entry with the most deliveries has been delivered. */
  get deliveries(): number {
    return Math.max(0, ...this.#records.map(({deliveries}) => deliveries ?? 1));
  }

  /**
   * Counts the attempt that comes next, where that was not done, and moves to
   * the dead letters what has had its last one: looked at before the handler
   * runs, so that an entry that crashes everything is counted too.
   */
  async prepare(): Promise<void> {
    this.#countedHere.clear();
    // While it waited for its turn, somebody may have taken it over, or it has come again.
    this.#records = this.#held();
    if (this.#counted && performance.now() - this.#delivery.batch.deliveredAtMs > FRESH_MS) await this.#keepOurs();
    for (const record of [...this.#records]) {
      const before = (record.deliveries ?? 1) - (this.#counted ? 1 : 0);
      if (before >= Math.max(UNCERTAIN_DELIVERIES + 1, this.#policy.maxDeliveries))
        await this.#bury(record, `delivered ${before} times without success`);
      else if (!this.#counted) await this.#count(record);
    }
    this.#counted = true;
  }

  /** The handler has done its work. */
  async done(): Promise<void> {
    const ids = this.#held().map(({id}) => id);
    this.#records = [];
    await this.#consumer.finish(this.#delivery, ids);
  }

  /** The handler says that it never will. */
  async reject(reason: string): Promise<void> {
    for (const record of [...this.#records]) await this.#bury(record, reason);
  }

  /** To be tried again: the next attempt will be counted, and what has had its last one is dead now. */
  async failed(reason: string): Promise<void> {
    this.#counted = false;
    for (const record of [...this.#records]) {
      if ((record.deliveries ?? 1) >= this.#policy.maxDeliveries) await this.#bury(record, reason);
    }
  }

  /** The attempt was none, since no handler could be run: what Redis counts is as before it. */
  async undoAttempt(): Promise<void> {
    for (const {id} of this.#held()) {
      if (!this.#countedHere.has(id)) continue;
      const undone = await this.#persist((control) => control.scripts.undoAttempt(this.#consumer.member, id));
      if (undone === 'gone') await this.#gone(id);
    }
    this.#countedHere.clear();
  }

  /** Leaves the rest pending, for whoever comes next. */
  letGo(): void {
    const ids = this.#records.map(({id}) => id);
    this.#consumer.inFlight.release(ids, this.#delivery.batch);
    this.#records = [];
  }

  /** Some of it is not ours any more; what was begun on that is stopped. */
  revoke(losses: Losses): void {
    const held = this.#held();
    const lost = this.#records.filter((record) => losses.has(record.id) && !held.includes(record));
    this.#records = this.#records.filter((record) => !lost.includes(record));
    if (this.isRunning && lost.length > 0) this.cancel.abort();
  }

  /** Lets go of what is not ours any more. Only reads: a Redis that refuses writes for now holds no handler up. */
  async #keepOurs(): Promise<void> {
    const ids = this.#records.map(({id}) => id);
    const missing = await this.#persist((control) => this.#consumer.ownership.missing(control, ids));
    if (missing.length > 0) await this.#account(missing);
  }

  async #count(record: StreamRecord): Promise<void> {
    const begin = () => this.#persist((control) => control.scripts.beginAttempt(this.#consumer.member, record.id));
    let counted = await begin();
    if (typeof counted !== 'number') {
      await (counted === 'gone' ? this.#gone(record.id) : this.#account([record.id]));
      if (!this.#records.includes(record)) return;
      // It was made pending again, or else nobody can have it but us: its handler runs, counted or not.
      counted = await begin();
    }
    if (typeof counted === 'number') this.#countedHere.add(record.id);
    // What is made pending again begins at 1 with Redis, and may have been tried here before.
    const deliveries = Math.max(typeof counted === 'number' ? counted : 0, (record.deliveries ?? 1) + 1);
    const again = deliveredAgain(record, deliveries);
    this.#records = this.#records.map((other) => (other === record ? again : other));
  }

  /** `id` is no longer in the stream, and Redis has just dropped it from the pending list. */
  async #gone(id: string): Promise<void> {
    await this.#persist((control) => this.#consumer.ownership.gone(control, [id]));
    this.#records = this.#held();
  }

  /** Finds out what became of `ids`, which are ours no more or are no longer in the stream; what is lost leaves `records`. */
  async #account(ids: readonly string[]): Promise<void> {
    await this.#persist((control) => this.#consumer.ownership.account(control, ids));
    this.#records = this.#held();
  }

  async #bury(record: StreamRecord, reason: string): Promise<void> {
    const {member} = this.#consumer;
    const deadLetter = this.#policy.deadLetterOf(member.stream);
    const move = () =>
      this.#persist((control) => moveToDeadLetters(control, member, record, {deadLetter, reason, nowMs: Date.now()}));
    let outcome = await move();
    if (outcome === 'lost') {
      await this.#account([record.id]);
      if (!this.#records.includes(record)) return;
      // It was made pending with us again. If not, its stream is gone, and it cannot be moved.
      outcome = await move();
    }
    if (outcome !== 'moved') this.#consumer.ownership.deleted(record.id);
    this.#leave([record]);
    if (outcome === 'moved') this.#policy.onDead(record, reason);
  }

  /** A call that may be repeated, until it is answered. Throws what trying again cannot mend. */
  async #persist<T>(call: (control: StreamClient) => Promise<T>): Promise<T> {
    const {redis} = this.#consumer;
    for (;;) {
      let connection: Connection | undefined;
      try {
        connection = await redis.connection();
        return await call(connection.commands);
      } catch (error) {
        if (this.cancel.signal.aborted) throw error;
        // While we hold our consumer up, it cannot do that itself.
        if (await this.#consumer.membership.recreated(error)) continue;
        await redis.retryAfter(error, connection);
      }
    }
  }

  #held(): StreamRecord[] {
    return this.#records.filter(({id}) => this.#delivery.batch.holds(id));
  }

  #leave(records: readonly StreamRecord[]): void {
    const ids = new Set(records.map(({id}) => id));
    this.#consumer.inFlight.drop(ids, this.#delivery.batch);
    this.#records = this.#records.filter((record) => !records.includes(record));
  }
}
