/**
 * The newest of the snapshots that are taken again and again. Invariants: none is given once Redis has stopped answering, or the newest is too
 * old; a scrape never causes one to be taken.
 */
import type {Snapshot} from '../observe/snapshot.js';
import {type SnapshotOptions, snapshots} from '../observe/snapshots.js';

/** Readings that may be missed before the newest one is too old. */
const MISSED = 3;
/** What a reading may take beside. */
const SLACK_MS = 10_000;

export class LatestSnapshot {
  readonly #options: SnapshotOptions;
  readonly #waiting = new Set<() => void>();
  #snapshot: Snapshot | undefined;
  #takenAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /** Reads until it is stopped. Throws what trying again does not mend. */
  async run(): Promise<void> {
    const onProblem = (line: string): void => {
      this.#snapshot = undefined;
      this.#settle();
      this.#options.onProblem(line);
    };
    for await (const snapshot of snapshots({...this.#options, onProblem})) {
      this.#snapshot = snapshot;
      this.#takenAtMs = performance.now();
      this.#settle();
    }
  }

  /** Undefined while Redis is away. Waits for the first one, at most for `limitMs`. */
  async get(limitMs: number): Promise<Snapshot | undefined> {
    if (this.#takenAtMs === Number.NEGATIVE_INFINITY) await this.#first(limitMs);
    const isOld = performance.now() - this.#takenAtMs > MISSED * this.#options.everyMs + SLACK_MS;
    return isOld ? undefined : this.#snapshot;
  }

  #first(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#waiting.add(done);
    });
  }

  #settle(): void {
    for (const done of this.#waiting) done();
  }
}
