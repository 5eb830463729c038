/**
 * The time that a check may take. Invariant: it has an outcome before that time is up, whatever Redis, the network or a file that is
 * waited for does; how long connecting and a reply may take is within it.
 */

import {formatDuration} from '../duration.js';
import {StreamlogError} from '../errors.js';

/** Of the time, for connecting and for each reply, so that what failed can still be said. */
const SHARE = 0.8;

export class Deadline {
  readonly #limitMs: number;
  #isConnected = false;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** `ms`, or less where the deadline comes first. */
  within(ms: number): number {
    return Math.min(ms, Math.ceil(this.#limitMs * SHARE));
  }

  /** Something answered, so that what takes too long from here on is not that Redis cannot be reached. */
  connected(): void {
    this.#isConnected = true;
  }

  /** What `work` comes to, or a failure when the time is up. */
  async of<T>(work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#failure()), this.#limitMs);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      work.catch(() => {});
    }
  }

  #failure(): StreamlogError {
    const limit = formatDuration(this.#limitMs);
    return this.#isConnected
      ? new StreamlogError('incomplete', `not finished within ${limit}`, {hint: '--timeout gives it more time'})
      : new StreamlogError('unreachable', `not connected to Redis within ${limit}`);
  }
}
