/**
 * Runs handlers, up to `parallel` at a time, repeats them when they fail, and
 * renews the leases of their entries. Invariant: an entry is acknowledged only
 * after its handler has succeeded, and never while another consumer may have it.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {isRetryable} from '../errors.js';
import {type CannotRun, type HandlerOutcome, handlerCannotRun} from '../handler/run-handler.js';
import {SetupVerdicts} from '../handler/setup-verdict.js';
import type {Connection} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {aborted, Condition} from '../waiting.js';
import {type HandlerPolicy, HandlerTask} from './handler-task.js';
import type {MultiStreamConsumer} from './multi-stream-consumer.js';

export interface HandlerPoolOptions extends HandlerPolicy {
  /** Handlers that run at the same time, at most. */
  parallel: number;
  /** Whether one run gets a whole batch. */
  wholeBatches: boolean;
  handle: (records: readonly StreamRecord[], giveUp: AbortSignal) => Promise<HandlerOutcome>;
  /** Pause before the second attempt; doubled from attempt to attempt. */
  retryBackoffMs: number;
  /** After this time idle, others may take an entry over; renewed every third of it. */
  leaseMs: number;
  /** How long handlers may go on once the work is to end. */
  drainMs: number;
  /** One line about an attempt that failed. */
  onFailed: (record: StreamRecord, reason: string, retryInMs: number | undefined) => void;
}

const LONGEST_BACKOFF_MS = 5 * 60_000;
/** Tasks that run or wait for another attempt: enough that a few that fail do not hold up the rest. */
const TASKS_PER_HANDLER = 25;

export class HandlerPool {
  readonly #options: HandlerPoolOptions;
  readonly #consumer: MultiStreamConsumer;
  readonly #tasks = new Map<HandlerTask, Promise<void>>();
  readonly #ended = new AbortController();
  readonly #verdicts: SetupVerdicts;
  #running = 0;
  /** `begun`: all that was read has been started. */
  #reading: 'begun' | 'beginning' | 'ended' = 'begun';
  readonly #condition = new Condition();
  #failure: unknown;

  constructor(consumer: MultiStreamConsumer, options: HandlerPoolOptions) {
    this.#consumer = consumer;
    this.#options = options;
    this.#verdicts = new SetupVerdicts({
      isBusy: () => this.#running > 0 || this.#reading === 'beginning',
      mayComeMore: () => this.#reading !== 'ended',
    });
    consumer.ending.addEventListener('abort', () => this.#changed(), {once: true});
    for (const {ownership} of consumer.consumers) {
      const tasks = () => [...this.#tasks.keys()].filter((task) => task.isOf(ownership));
      ownership.handleBy({
        isAtWork: (id) => tasks().some((task) => task.isRunning && task.records.some((record) => record.id === id)),
        onLosses: (losses) => {
          for (const task of tasks()) task.revoke(losses);
        },
      });
    }
  }

  /** Entries whose handlers run. */
  get atWork(): number {
    return [...this.#tasks.keys()].reduce((sum, task) => sum + (task.isRunning ? task.records.length : 0), 0);
  }

  /** Handles all that comes, and returns when the last task has ended. Throws the first failure that ends the work. */
  async work(): Promise<void> {
    void this.#renewLeases();
    const giveUpLate = this.#giveUpAfterDrain();
    try {
      for await (const delivery of this.#consumer.deliveries()) {
        this.#reading = 'beginning';
        const {records} = delivery;
        const batches = this.#options.wholeBatches ? [records] : records.map((record) => [record]);
        for (const batch of batches) await this.#begin(new HandlerTask(delivery, batch, this.#options));
        this.#reading = 'begun';
        this.#changed();
      }
      this.#reading = 'ended';
      this.#changed();
      await Promise.all(this.#tasks.values());
    } finally {
      for (const task of this.#tasks.keys()) task.cancel.abort();
      await Promise.allSettled(this.#tasks.values());
      this.#ended.abort();
      await giveUpLate;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Starts a task as soon as there is room. Until then nothing more is read. */
  async #begin(task: HandlerTask): Promise<void> {
    const mayEnter = await this.#enter(() => this.#tasks.size < this.#options.parallel * TASKS_PER_HANDLER);
    if (!mayEnter) return task.release();
    const rest = this.#consumer.work();
    const ended = this.#attempts(task)
      .catch((error) => {
        // When the time is up, entries stay pending, and Redis may be away.
        if (!(task.cancel.signal.aborted && isRetryable(error))) this.#fail(error);
      })
      .finally(() => {
        task.release();
        rest();
        this.#tasks.delete(task);
        this.#changed();
      });
    this.#tasks.set(task, ended);
  }

  /** One attempt after the other. The first has been admitted already. */
  async #attempts(task: HandlerTask): Promise<void> {
    const {onFailed} = this.#options;
    const {ending} = this.#consumer;
    do {
      const outcome = await this.#attempt(task);
      const reason = typeof outcome === 'object' ? await this.#blame(task, outcome) : outcome;
      const [record] = task.records;
      if (reason === undefined || record === undefined) return;
      const retryInMs = this.#backoffMs(task.deliveries);
      onFailed(record, reason, ending.aborted ? undefined : retryInMs);
      await sleep(retryInMs, undefined, {signal: ending}).catch(() => {});
    } while (await this.#enter());
  }

  /** One run of the handler and what follows from it. Returns why it is to be repeated, if it is. */
  async #attempt(task: HandlerTask): Promise<string | CannotRun | undefined> {
    try {
      await task.prepare();
      if (task.records.length === 0 || task.cancel.signal.aborted) return undefined;
      const start = this.#verdicts.start();
      task.isRunning = true;
      const outcome = await this.#options.handle(task.records, task.cancel.signal);
      task.isRunning = false;
      if (outcome.kind === 'cannotRun') return outcome;
      this.#verdicts.ran(start);
      if (outcome.kind === 'done') await task.done();
      if (outcome.kind === 'done' || task.cancel.signal.aborted) return undefined;
      if (outcome.kind === 'rejected') await task.reject(outcome.reason);
      else await task.failed(outcome.reason);
      return outcome.reason;
    } finally {
      task.isRunning = false;
      this.#running--;
      this.#changed();
    }
  }

  /**
   * For entries that the handler could not be run for. Returns why they are to be tried again, where only they are to
   * blame; else takes the attempt back and, where the set-up is to blame, throws `configuration`.
   */
  async #blame(task: HandlerTask, outcome: CannotRun): Promise<string | undefined> {
    const {ending} = this.#consumer;
    task.isToBlame ||= !outcome.isSetup && (await this.#verdicts.couldNotRun(outcome.isTooLarge, ending)) === 'entry';
    if (task.isToBlame) {
      await task.failed(outcome.reason);
      return outcome.reason;
    }
    await task.undoAttempt();
    if (ending.aborted) return undefined;
    throw handlerCannotRun(outcome);
  }

  /** Keeps others from claiming in-flight entries, and stops work on those that they have claimed all the same. */
  async #renewLeases(): Promise<void> {
    const everyMs = Math.max(10, this.#options.leaseMs / 3);
    for (;;) {
      await sleep(everyMs, undefined, {signal: this.#ended.signal}).catch(() => {});
      if (this.#ended.signal.aborted) return;
      for (const consumer of this.#consumer.consumers) {
        let connection: Connection | undefined;
        try {
          connection = await consumer.redis.connection();
          const {commands: control} = connection;
          const {missing, gone} = await control.scripts.renewLeases(consumer.member, consumer.inFlight.delivered);
          await consumer.ownership.gone(control, gone);
          if (missing.length > 0) await consumer.ownership.account(control, missing);
        } catch (error) {
          // Not sent again later: by then the entries may be another consumer's.
          if (isRetryable(error)) consumer.redis.invalidate(error, connection);
          else
            await consumer.membership.recreated(error).then((recreated) => recreated || this.#fail(error), this.#fail);
        }
      }
    }
  }

  async #giveUpAfterDrain(): Promise<void> {
    const {ending} = this.#consumer;
    const ended = this.#ended.signal;
    await Promise.race([aborted(ending), aborted(ended)]);
    await sleep(this.#options.drainMs, undefined, {signal: ended}).catch(() => {});
    for (const task of this.#tasks.keys()) task.cancel.abort();
  }

  /** Ends the work; handlers that run have as long as after a signal. */
  readonly #fail = (error: unknown): void => {
    this.#failure ??= error;
    this.#consumer.end();
  };

  #backoffMs(deliveries: number): number {
    return Math.min(LONGEST_BACKOFF_MS, this.#options.retryBackoffMs * 2 ** Math.min(20, Math.max(0, deliveries - 1)));
  }

  /** Waits until another handler may run and `room` agrees; false when the work is over. */
  async #enter(room: () => boolean = () => true): Promise<boolean> {
    while (!this.#consumer.ending.aborted) {
      if (this.#running < this.#options.parallel && room()) {
        this.#running++;
        return true;
      }
      await this.#condition.wait();
    }
    return false;
  }

  #changed(): void {
    this.#condition.notify();
    this.#verdicts.review();
  }
}
