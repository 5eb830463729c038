/** Waiting for what has no promise of its own: a change of state, and an abort. */
import {once} from 'node:events';

/** A condition variable: callers check their condition again after each `notify`. */
export class Condition {
  #waiters: (() => void)[] = [];

  /** Resolves at the next `notify`. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  notify(): void {
    if (this.#waiters.length === 0) return;
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

/** Resolves when `signal` is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/**
 * What `next` resolves to, or undefined once `signal` is aborted. Not Promise.race with one long-lived promise, which
 * would keep every value in memory until the signal comes (nodejs/node#17469).
 */
export function unlessAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, {once: true});
    next.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
