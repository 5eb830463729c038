/**
 * How long to go on trying, how long to wait before the next try, and what to
 * say meanwhile. Knows nothing of what is tried. Invariant: trying ends within
 * the time that was given for it, counted from when nothing was added any more,
 * and soon after a signal.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {formatDuration} from '../duration.js';
import type {StreamlogError} from '../errors.js';
import {pauseMs} from '../retry-policy.js';

export interface RetryOptions {
  /** How long trying goes on without anything being added. */
  retryForMs: number;
  stopping: AbortSignal;
  /** One line about what is wrong and what happens now; not for each attempt. */
  onProblem: (line: string) => void;
}

const BACKOFF = {firstMs: 50, longestMs: 2_000};
/** After a signal, how long a server that is away is still waited for. */
const LAST_WAIT_MS = 5_000;
/** A pause that a signal cannot cut short any more. */
const STOPPING_PAUSE_MS = 100;
/** What lasts is told again after so many attempts. */
const REMIND_AFTER = 16;

export class ProducerRetries {
  readonly #options: RetryOptions;
  /** Aborted when there is nothing to wait for any more. */
  readonly #over: AbortSignal;
  #attempt = 0;
  /** What has been told since something was added. */
  readonly #reported = new Set<string>();
  #stuckSinceMs: number | undefined;

  constructor(options: RetryOptions, over: AbortSignal) {
    this.#options = options;
    this.#over = over;
  }

  /** Something was added: the next pause is a short one again. */
  succeeded(): void {
    this.#attempt = 0;
    this.#reported.clear();
    this.#stuckSinceMs = undefined;
  }

  /** Whether to give up; the time runs from the first time that this is asked since something was added. */
  get areOver(): boolean {
    const nowMs = performance.now();
    this.#stuckSinceMs ??= nowMs;
    const {retryForMs, stopping} = this.#options;
    return nowMs - this.#stuckSinceMs >= (stopping.aborted ? Math.min(LAST_WAIT_MS, retryForMs) : retryForMs);
  }

  /** Says what is wrong, once until something is added; `what` tells it from other things that are. */
  say(line: string, what = line): void {
    if (!this.#reported.has(what)) this.#options.onProblem(line);
    this.#reported.add(what);
  }

  /** Resolves when the next attempt is due. */
  async pause({message}: StreamlogError): Promise<void> {
    const {stopping} = this.#options;
    const ms = pauseMs(this.#attempt++, BACKOFF);
    if (this.#attempt % REMIND_AFTER === 0) this.#reported.delete(message);
    this.say(`${message}; trying again in ${formatDuration(ms)}`, message);
    const signal = stopping.aborted ? this.#over : AbortSignal.any([stopping, this.#over]);
    await sleep(stopping.aborted ? Math.min(ms, STOPPING_PAUSE_MS) : ms, undefined, {signal}).catch(() => {});
  }
}
