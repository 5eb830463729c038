/**
 * A file that was left for the next one, for some minutes more. A program that still has it open, as an old worker of a server
 * does, may write to it: that is not added, since the next one has begun. Invariant: it is reported, once for each file.
 */
import type {GrowingFile} from '../input/growing-file.js';
import {rotatedFiles} from '../input/rotated-files.js';

/** A worker that was asked to end has ended by then. */
const KEPT_MS = 300_000;

export class LeftFile {
  readonly #file: GrowingFile;
  readonly #warn: (text: string) => void;
  readonly #untilMs = performance.now() + KEPT_MS;
  #isClosed = false;

  constructor(file: GrowingFile, warn: (text: string) => void) {
    this.#file = file;
    this.#warn = warn;
  }

  /** Warns of what was written to it since it was left. */
  async check(): Promise<void> {
    if (this.#isClosed) return;
    const {name, id, offset} = this.#file;
    const bytes = await this.#file.unreadBytes();
    if (bytes === 0 && performance.now() < this.#untilMs) return;
    this.close();
    if (bytes === 0) return;
    const path = (await rotatedFiles(name)).find((file) => file.id === id)?.path;
    const which = path ?? `a file that was ${name}`;
    const how = path === undefined ? '' : `; tail -c +${offset + 1} prints it`;
    this.#warn(
      `${which} was still written to after the next file had begun: what is behind its first ${offset} bytes is not added${how}`,
    );
  }

  close(): void {
    if (!this.#isClosed) this.#file.close();
    this.#isClosed = true;
  }
}
