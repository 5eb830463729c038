/**
 * Trying again what may succeed later: how long to wait, for how long in all,
 * and what to say meanwhile. Every loop that waits for Redis uses this.
 * Invariant: while it lasts, one cause is reported once, and again every 10 s.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {formatDuration} from './duration.js';
import type {StreamlogError} from './errors.js';

export interface Backoff {
  /** The bound of the first pause, which doubles from attempt to attempt. */
  readonly firstMs: number;
  readonly longestMs: number;
}

export interface RetryOptions {
  backoff?: Backoff | undefined;
  /** How long to try without a success; undefined: for ever. */
  retryForMs?: number | undefined;
  /** The first abort ends the pause under way. Later pauses are short, and `retryForMs` is at most 5 s. */
  stopping?: AbortSignal;
  /** Ends every pause. */
  ended?: AbortSignal;
  /** What happens next, as the second half of the line about a failure. */
  next?: (pauseMs: number) => string;
  /** One line about what is wrong and what happens now. */
  onProblem: (line: string) => void;
  /** Called by the first success after a problem was reported. */
  onRecovered?: () => void;
}

const BACKOFF = {firstMs: 50, longestMs: 2_000};
const REMIND_MS = 10_000;
const STOPPING_PAUSE_MS = 100;
const STOPPING_LIMIT_MS = 5_000;
const NEVER = new AbortController().signal;

/** Half of the bound, and a random part of the other half, so that many clients do not return at the same moment. */
export function pauseMs(attempt: number, {firstMs, longestMs}: Backoff): number {
  const bound = Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 20));
  return bound / 2 + (Math.random() * bound) / 2;
}

export class Retries {
  readonly #options: RetryOptions;
  readonly #stopping: AbortSignal;
  readonly #ended: AbortSignal;
  #attempt = 0;
  #failingSinceMs: number | undefined;
  /** When each cause was reported last. */
  readonly #reportedAtMs = new Map<string, number>();

  constructor(options: RetryOptions) {
    this.#options = options;
    this.#stopping = options.stopping ?? NEVER;
    this.#ended = options.ended ?? NEVER;
  }

  /** Resets the backoff, the time limit and what was reported. */
  succeeded(): void {
    if (this.#reportedAtMs.size > 0) {
      this.#reportedAtMs.clear();
      this.#options.onRecovered?.();
    }
    this.#attempt = 0;
    this.#failingSinceMs = undefined;
  }

  /** Whether the time is up. It runs from the first call, or the first pause, since the last success. */
  get areOver(): boolean {
    return this.#leftMs <= 0;
  }

  /** Reports a problem once per `cause`, until a success or for 10 s. */
  say(line: string, cause = line): void {
    const nowMs = performance.now();
    if (nowMs - (this.#reportedAtMs.get(cause) ?? Number.NEGATIVE_INFINITY) < REMIND_MS) return;
    this.#reportedAtMs.set(cause, nowMs);
    this.#options.onProblem(line);
  }

  /** Reports `failure`, if there is one, and resolves when the next attempt is due. */
  async pause(failure?: StreamlogError): Promise<void> {
    const {backoff = BACKOFF, next = (ms) => `trying again in ${formatDuration(ms)}`} = this.#options;
    const ms = Math.min(pauseMs(this.#attempt++, backoff), Math.max(0, this.#leftMs));
    if (failure !== undefined) this.say(`${failure.message}; ${next(ms)}`, failure.message);
    const isStopping = this.#stopping.aborted;
    const signal = isStopping ? this.#ended : AbortSignal.any([this.#stopping, this.#ended]);
    await sleep(isStopping ? Math.min(ms, STOPPING_PAUSE_MS) : ms, undefined, {signal}).catch(() => {});
  }

  get #leftMs(): number {
    const nowMs = performance.now();
    this.#failingSinceMs ??= nowMs;
    const {retryForMs = Number.POSITIVE_INFINITY} = this.#options;
    const isLimited = this.#stopping.aborted && retryForMs !== Number.POSITIVE_INFINITY;
    return this.#failingSinceMs + (isLimited ? Math.min(STOPPING_LIMIT_MS, retryForMs) : retryForMs) - nowMs;
  }
}
