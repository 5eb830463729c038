/**
 * When a checkpoint is kept: not for each batch, since a disk that has to be asked takes as long as many of them, but also
 * after the last one, since an input may pause at any time. What cannot be kept is tried again, and reported once.
 */
const KEEP_EVERY_MS = 200;

export class CheckpointTimer {
  readonly #keep: () => Promise<void>;
  readonly #onProblem: (line: string) => void;
  #keptMs = Number.NEGATIVE_INFINITY;
  #keeping: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Something has changed since it was kept. */
  #isDue = false;
  #isFailing = false;

  constructor(keep: () => Promise<void>, onProblem: (line: string) => void) {
    this.#keep = keep;
    this.#onProblem = onProblem;
  }

  /** There is something to be kept. */
  start(): void {
    this.#isDue = true;
    if (this.#keeping !== undefined || this.#timer !== undefined) return;
    const waitMs = this.#keptMs + KEEP_EVERY_MS - performance.now();
    if (waitMs <= 0) this.#run();
    else this.#timer = setTimeout(() => this.#run(), waitMs).unref();
  }

  /** Resolves when nothing is being kept, nor will be before the next `start`. */
  async stop(): Promise<void> {
    await this.#keeping;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #run(): void {
    this.#timer = undefined;
    this.#isDue = false;
    this.#keeping = this.#keep()
      .then(() => {
        this.#isFailing = false;
      })
      .catch((error: unknown) => {
        const {message} = error as Error;
        if (!this.#isFailing) this.#onProblem(`${message}; trying again`);
        this.#isFailing = true;
        this.#isDue = true;
      })
      .finally(() => {
        this.#keeping = undefined;
        this.#keptMs = performance.now();
        if (this.#isDue) this.start();
      });
  }
}
