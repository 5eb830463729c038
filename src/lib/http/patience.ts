/**
 * How long requests wait for Redis: all of them equally long, so that one timer
 * does for them all, and the one that waits longest is always the first.
 * Invariant: who is given up is told once, a twentieth of the time late at most.
 */
import {StreamlogError} from '../errors.js';

interface Waiter {
  readonly untilMs: number;
  readonly giveUp: () => void;
  settled: boolean;
}

export class Patience {
  readonly #limitMs: number;
  readonly #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** What `work` comes to. Throws `unreachable` when it takes longer; it goes on all the same. */
  with<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        untilMs: performance.now() + this.#limitMs,
        giveUp: () => reject(new StreamlogError('unreachable', 'Redis did not answer in time', {code: 'TIMEOUT'})),
        settled: false,
      };
      const settle = (): void => {
        waiter.settled = true;
      };
      work.then(
        (value) => {
          settle();
          resolve(value);
        },
        (error) => {
          settle();
          reject(error);
        },
      );
      this.#waiters.push(waiter);
      this.#timer ??= setInterval(() => this.#look(), this.#limitMs / 20);
    });
  }

  #look(): void {
    const nowMs = performance.now();
    const waiting = this.#waiters.findIndex(({untilMs, settled}) => !settled && untilMs > nowMs);
    for (const {settled, giveUp} of this.#waiters.splice(0, waiting === -1 ? this.#waiters.length : waiting)) {
      if (!settled) giveUp();
    }
    if (this.#waiters.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
