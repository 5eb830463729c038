/**
 * How many entries to process in one command, by the time that the last one took. Invariant: a step is at most twice the last
 * one, and smaller after a slow one, so that no command blocks the server for more than a few milliseconds.
 */
const FIRST = 128;
const MOST = 20_000;
/** More than the quickest step took: the rest is the way there and back, which is no work of the server. */
const LONG_MS = 2.5;
const SHORT_MS = 1;

export class StepSize {
  #count = FIRST;
  #quickestMs = Number.POSITIVE_INFINITY;

  get count(): number {
    return this.#count;
  }

  get isLargest(): boolean {
    return this.#count === MOST;
  }

  /** For when a step was too small to do anything. */
  enlarge(): void {
    this.#count = Math.min(MOST, this.#count * 2);
  }

  /** Learns from a step of this size that took `ms`. */
  took(ms: number): void {
    this.#quickestMs = Math.min(this.#quickestMs, ms);
    const workMs = ms - this.#quickestMs;
    if (workMs > LONG_MS) this.#count = Math.max(FIRST, Math.floor(this.#count / 2));
    else if (workMs < SHORT_MS) this.enlarge();
  }
}
