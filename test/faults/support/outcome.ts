/**
 * A promise that something will happen, settled from outside. Invariant: it may
 * fail with nobody listening; only who waits for it is told.
 */
export class Outcome {
  readonly promise: Promise<void>;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.promise.catch(() => {});
  }

  /** It has happened. */
  happened(): void {
    this.#resolve();
  }

  /** It can no longer happen. */
  failed(why: string): void {
    this.#reject(new Error(why));
  }
}
