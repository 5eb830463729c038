/** When a file of an archive is finished and another one begins: by the time of IDs, by its size, or by how long it is open. */
import {millisecondsOf} from '../records/stream-id.js';

export interface RotationOptions {
  /** Such as each hour of UTC; undefined for never. */
  readonly everyMs: number | undefined;
  /** On disk; undefined for any. */
  readonly maxBytes: number | undefined;
}

export class Rotation {
  readonly #options: RotationOptions;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** Whether an entry belongs into another file than the one that begins with `firstId`: clocks do not matter. */
  isBetween(firstId: string, id: string): boolean {
    const {everyMs} = this.#options;
    return everyMs !== undefined && periodOf(firstId, everyMs) !== periodOf(id, everyMs);
  }

  /** Whether a file of this size gets no more. */
  isFull(sizeBytes: number): boolean {
    const {maxBytes} = this.#options;
    return maxBytes !== undefined && sizeBytes >= maxBytes;
  }

  /** Whether a file that is open for so long is finished, though no entry of the next period has come. */
  isOver(openMs: number): boolean {
    const {everyMs} = this.#options;
    return everyMs !== undefined && openMs >= everyMs;
  }
}

const periodOf = (id: string, everyMs: number): number => Math.floor(millisecondsOf(id) / everyMs);
