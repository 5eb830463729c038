/**
 * Lines of new IDs on their way to standard output. Invariant: they go out in
 * the order in which they come, one write at a time, and memory is bounded as
 * long as the caller looks at `isFull`.
 */

const MAX_WAITING_BYTES = 1024 * 1024;

export class IdOutput {
  readonly #write: (lines: Buffer) => Promise<void>;
  readonly #onChange: () => void;
  readonly #onFailure: (error: unknown) => void;
  #waitingBytes = 0;
  #taken: Promise<void> = Promise.resolve();

  /** `onChange` is called after each write, `onFailure` when one failed. */
  constructor(
    write: (lines: Buffer) => Promise<void>,
    {onChange, onFailure}: {onChange: () => void; onFailure: (error: unknown) => void},
  ) {
    this.#write = write;
    this.#onChange = onChange;
    this.#onFailure = onFailure;
  }

  /** More waits than is being read: records have to wait too. */
  get isFull(): boolean {
    return this.#waitingBytes >= MAX_WAITING_BYTES;
  }

  /** Resolves when all lines so far were taken, or could not be. */
  get taken(): Promise<void> {
    return this.#taken;
  }

  push(lines: Buffer): void {
    if (lines.length === 0) return;
    this.#waitingBytes += lines.length;
    this.#taken = this.#taken
      .then(() => this.#write(lines))
      .catch(this.#onFailure)
      .then(() => {
        this.#waitingBytes -= lines.length;
        this.#onChange();
      });
  }
}
