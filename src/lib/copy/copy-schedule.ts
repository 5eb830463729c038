/**
 * When entries are copied that do not go at once: as far apart as their IDs say (--speed), so many a second (--rate), or both.
 * Invariant: what is due is reckoned from the start, so that delays do not add up; and an entry never goes before it is due.
 */
import {setTimeout} from 'node:timers/promises';
import type {StreamRecord} from '../records/entry.js';
import {millisecondsOf} from '../records/stream-id.js';

export interface ScheduleOptions {
  /** Times as fast as they were added. */
  speed: number | undefined;
  /** The longest pause between two entries. */
  maxGapMs: number;
  /** Entries a second. */
  rate: number | undefined;
}

export interface Clock {
  /** Monotonic. */
  nowMs(): number;
  /** Ends early when `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const REAL_CLOCK: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, {signal}).catch(() => {}),
};
/** The longest pause at a time, so that what is to be done each second is done. */
const STEP_MS = 500;

export class CopySchedule {
  readonly #options: ScheduleOptions;
  readonly #clock: Clock;
  #startMs: number | undefined;
  /** Entries that were given out, and how long after the start the last one was due by its ID. */
  #count = 0;
  #offsetMs = 0;
  #lastMs = 0;

  constructor(options: ScheduleOptions, clock: Clock = REAL_CLOCK) {
    this.#options = options;
    this.#clock = clock;
  }

  /**
   * `records` in parts, each once it is due, in their order; empty ones come while it is waited. Ends early when `signal` is
   * aborted.
   */
  async *partsOf(
    records: readonly StreamRecord[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly StreamRecord[], void, void> {
    let at = 0;
    while (at < records.length && !signal.aborted) {
      this.#startMs ??= this.#clock.nowMs();
      const elapsedMs = this.#clock.nowMs() - this.#startMs;
      const from = at;
      while (at < records.length && this.#dueMs(records[at]!.id) <= elapsedMs) this.#take(records[at++]!.id);
      yield records.slice(from, at);
      if (at === records.length) return;
      const waitMs = this.#dueMs(records[at]!.id) - (this.#clock.nowMs() - this.#startMs);
      if (waitMs > 0) await this.#clock.sleep(Math.min(waitMs, STEP_MS), signal);
    }
  }

  /** How long after the start an entry is due that comes next. */
  #dueMs(id: string): number {
    const {rate} = this.#options;
    return Math.max(this.#offsetOf(id), rate === undefined ? 0 : (this.#count * 1_000) / rate);
  }

  #offsetOf(id: string): number {
    const {speed, maxGapMs} = this.#options;
    if (speed === undefined || this.#count === 0) return 0;
    return this.#offsetMs + Math.min(maxGapMs, Math.max(0, millisecondsOf(id) - this.#lastMs) / speed);
  }

  #take(id: string): void {
    this.#offsetMs = this.#offsetOf(id);
    this.#lastMs = millisecondsOf(id);
    this.#count++;
  }
}
