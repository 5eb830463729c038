/**
 * What slows traffic down or holds it back: latency, slices, the blackhole.
 * Knows no request. Invariant: nothing is dropped here, and nothing overtakes.
 */
export type Direction = 'requests' | 'replies';

export class Delays {
  #latencyMs = 0;
  #sliceBytes = Number.POSITIVE_INFINITY;
  #holds = false;
  readonly #waiting = new Set<() => void>();

  /** From now on each reply arrives `ms` later. Requests arrive as before. */
  latency(ms: number): void {
    this.#latencyMs = ms;
    this.wake();
  }

  /** From now on replies arrive in pieces of at most `bytes`, each sent on its own. */
  slice(bytes: number): void {
    this.#sliceBytes = bytes;
  }

  /**
   * From now on connections are accepted, and nothing passes either way: no
   * byte, no end of a connection. It is held back, as by a network that
   * repeats it later.
   */
  blackhole(): void {
    this.#holds = true;
  }

  /** Ends `blackhole`, `latency` and `slice`: what was held back arrives now. */
  heal(): void {
    this.#holds = false;
    this.#sliceBytes = Number.POSITIVE_INFINITY;
    this.latency(0);
  }

  /** How long something that came `ageMs` ago has still to wait; infinitely in a blackhole. */
  waitMs(direction: Direction, ageMs: number): number {
    if (this.#holds) return Number.POSITIVE_INFINITY;
    return direction === 'replies' ? Math.max(this.#latencyMs - ageMs, 0) : 0;
  }

  /** In how large pieces to send. */
  pieceBytes(direction: Direction): number {
    return direction === 'replies' ? this.#sliceBytes : Number.POSITIVE_INFINITY;
  }

  /** Resolves after `ms`, or earlier when there may be less to wait for. */
  change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(() => done(), ms) : undefined;
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      this.#waiting.add(done);
    });
  }

  /** Lets everything that waits look again. */
  wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
