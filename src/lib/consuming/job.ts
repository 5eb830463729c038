/**
 * Entries that are handled together, and what Redis knows of their attempts.
 * Talks to Redis for as long as it takes: what a handler has done must not be
 * forgotten because a link was lost. Invariant: an entry leaves a job exactly
 * once, as acknowledged, dead, lost to another consumer or let go.
 */
import {deliveredAgain, type StreamRecord} from '../entry.js';
import type {StreamClient} from '../stream-client.js';
import type {Consumer, Delivery} from './consumer.js';

/** What was delivered once may only have waited behind what ended the worker. */
const UNCERTAIN_DELIVERIES = 1;

export interface JobPolicy {
  /** An entry that was delivered this often without success is dead. */
  maxDeliveries: number;
  deadLetterOf: (stream: string) => string;
  /** Told of each entry that was moved, with the reason. */
  onDead: (record: StreamRecord, reason: string) => void;
  onGone: (count: number) => void;
  /** Told of each entry that another consumer took over while it was ours. */
  onLost: (record: StreamRecord) => void;
}

export class Job {
  /** Ends the handler's run: what it works on is no longer ours, or there is no time left. */
  readonly giveUp = new AbortController();
  readonly #delivery: Delivery;
  readonly #policy: JobPolicy;
  #records: StreamRecord[];
  /** Whether Redis has counted the attempt that comes next. */
  #counted: boolean;
  /** The IDs for which the attempt under way was counted here. */
  #countedHere = new Set<string>();
  /** Whether it was seen that the handler can be run for others, and cannot for this. */
  isToBlame = false;

  /** Of `records`, which are among those of `delivery`. */
  constructor(delivery: Delivery, records: StreamRecord[], policy: JobPolicy) {
    this.#delivery = delivery;
    this.#records = records;
    this.#counted = delivery.counted;
    this.#policy = policy;
  }

  get #consumer(): Consumer {
    return this.#delivery.consumer;
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
      if (this.#countedHere.has(id)) await this.#persist((control) => control.undoAttempt(this.#consumer.member, id));
    }
    this.#countedHere.clear();
  }

  /** Leaves the rest pending, for whoever comes next. */
  letGo(): void {
    this.#leave(this.#records);
  }

  /** Another consumer has taken some of it over, and we let go of that; what was begun on it is stopped. */
  lose(ids: ReadonlySet<string>): void {
    const held = this.#held();
    const lost = this.#records.filter((record) => ids.has(record.id) && !held.includes(record));
    if (lost.length === 0) return;
    this.#leave(lost);
    for (const record of lost) this.#policy.onLost(record);
    this.giveUp.abort();
  }

  async #count(record: StreamRecord): Promise<void> {
    const deliveries = await this.#persist((control) => control.beginAttempt(this.#consumer.member, record.id));
    if (deliveries === undefined) {
      this.#leave([record]);
      return;
    }
    this.#countedHere.add(record.id);
    this.#records = this.#records.map((other) => (other === record ? deliveredAgain(record, deliveries) : other));
  }

  async #bury(record: StreamRecord, reason: string): Promise<void> {
    const {member} = this.#consumer;
    const deadLetter = this.#policy.deadLetterOf(member.stream);
    const outcome = await this.#persist((control) =>
      control.moveToDeadLetters(member, record.id, {deadLetter, reason, nowMs: Date.now()}),
    );
    this.#leave([record]);
    if (outcome === 'moved') this.#policy.onDead(record, reason);
    if (outcome === 'gone') this.#policy.onGone(1);
  }

  /** A call that may be repeated, until it is answered. Throws what trying again cannot mend. */
  async #persist<T>(call: (control: StreamClient) => Promise<T>): Promise<T> {
    const {link} = this.#consumer;
    for (;;) {
      const {generation} = link;
      try {
        return await call(await link.control());
      } catch (error) {
        if (this.giveUp.signal.aborted) throw error;
        // While we hold our consumer up, it cannot do that itself.
        if (await this.#consumer.place.healed(error)) continue;
        await link.restore(error, generation);
      }
    }
  }

  #held(): StreamRecord[] {
    return this.#records.filter(({id}) => this.#delivery.handout.holds(id));
  }

  #leave(records: readonly StreamRecord[]): void {
    const ids = new Set(records.map(({id}) => id));
    this.#consumer.inHand.letGo(ids, this.#delivery.handout);
    this.#records = this.#records.filter((record) => !records.includes(record));
  }
}
