/**
 * Entries that are handled together, and the attempts that Redis counts for them.
 * Commands are repeated for as long as it takes. Invariant: an entry leaves a task
 * exactly once, as acknowledged, dead, lost (see ownership.ts) or released; and a
 * handler starts only on entries that were checked to be ours.
 */
import {moveToDeadLetters} from '../dead-letters/moving.js';
import type {Connection} from '../reconnecting-client.js';
import {deliveredAgain, type StreamRecord} from '../records/entry.js';
import type {StreamClient} from '../stream-client.js';
import type {Consumer, Delivery} from './consumer.js';
import type {EntryOwnership, Losses} from './ownership.js';

/** An entry that was delivered once may only have waited behind the one that ended the worker. */
const UNCERTAIN_DELIVERIES = 1;
/** Entries that came within this time are not checked before the handler starts: at worst they are handled twice. */
const FRESH_MS = 10;

export interface HandlerPolicy {
  /** An entry that was delivered this often without success is dead. */
  maxDeliveries: number;
  deadLetterOf: (stream: string) => string;
  /** Called with each entry that was moved to the dead letters. */
  onDead: (record: StreamRecord, reason: string) => void;
}

export class HandlerTask {
  /** Ends the handler: its entries are no longer ours, or the time is up. */
  readonly cancel = new AbortController();
  isRunning = false;
  readonly #delivery: Delivery;
  readonly #policy: HandlerPolicy;
  #records: StreamRecord[];
  /** Whether Redis has counted the attempt that comes next. */
  #counted: boolean;
  /** The IDs for which the attempt under way was counted here. */
  #countedHere = new Set<string>();
  /** Whether the handler can be run for other entries, and not for these. */
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
        await this.#deadLetter(record, `delivered ${before} times without success`);
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

  /** The handler has rejected it for good. */
  async reject(reason: string): Promise<void> {
    for (const record of [...this.#records]) await this.#deadLetter(record, reason);
  }

  /** To be tried again: the next attempt will be counted. What has had its last one goes to the dead letters. */
  async failed(reason: string): Promise<void> {
    this.#counted = false;
    for (const record of [...this.#records]) {
      if ((record.deliveries ?? 1) >= this.#policy.maxDeliveries) await this.#deadLetter(record, reason);
    }
  }

  /** No handler could be run: takes the count of this attempt back. */
  async undoAttempt(): Promise<void> {
    for (const {id} of this.#held()) {
      if (!this.#countedHere.has(id)) continue;
      const undone = await this.#persist((control) => control.scripts.undoAttempt(this.#consumer.member, id));
      if (undone === 'gone') await this.#gone(id);
    }
    this.#countedHere.clear();
  }

  /** Leaves the rest pending, for the next consumer. */
  release(): void {
    const ids = this.#records.map(({id}) => id);
    this.#consumer.inFlight.release(ids, this.#delivery.batch);
    this.#records = [];
  }

  /** Some entries are not ours any more: a handler that works on them is stopped. */
  revoke(losses: Losses): void {
    const held = this.#held();
    const lost = this.#records.filter((record) => losses.has(record.id) && !held.includes(record));
    this.#records = this.#records.filter((record) => !lost.includes(record));
    if (this.isRunning && lost.length > 0) this.cancel.abort();
  }

  /** Drops what is not ours any more. Only reads: a Redis that refuses writes for now does not hold handlers up. */
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
      // It was made pending again, or no other consumer can have it: the handler runs, counted or not.
      counted = await begin();
    }
    if (typeof counted === 'number') this.#countedHere.add(record.id);
    // XCLAIM FORCE starts at 1 again, and it may have been tried here before.
    const deliveries = Math.max(typeof counted === 'number' ? counted : 0, (record.deliveries ?? 1) + 1);
    const again = deliveredAgain(record, deliveries);
    this.#records = this.#records.map((other) => (other === record ? again : other));
  }

  /** `id` is no longer in the stream, and Redis has just dropped it from the pending list. */
  async #gone(id: string): Promise<void> {
    await this.#persist((control) => this.#consumer.ownership.gone(control, [id]));
    this.#records = this.#held();
  }

  /** Finds out what became of `ids`, which seem not to be ours; what is lost leaves `records`. */
  async #account(ids: readonly string[]): Promise<void> {
    await this.#persist((control) => this.#consumer.ownership.account(control, ids));
    this.#records = this.#held();
  }

  async #deadLetter(record: StreamRecord, reason: string): Promise<void> {
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

  /** Runs `call`, which may be repeated, until it succeeds. Throws what trying again cannot mend. */
  async #persist<T>(call: (control: StreamClient) => Promise<T>): Promise<T> {
    const {redis} = this.#consumer;
    for (;;) {
      let connection: Connection | undefined;
      try {
        connection = await redis.connection();
        return await call(connection.commands);
      } catch (error) {
        if (this.cancel.signal.aborted) throw error;
        // The consumer cannot do that while it waits for this task.
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
