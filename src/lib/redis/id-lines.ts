/** Collects the lines of new IDs as bytes: hundreds of thousands a second go to standard output. */
import {ByteBuilder} from '../byte-builder.js';

const LONGEST_ID = 41;
const FIRST_CAPACITY = 4_096;

export class IdLines extends ByteBuilder {
  readonly #before: Buffer;
  readonly #after: Buffer;

  /** `before` and `after` stand around each ID. */
  constructor(before: string, after: string) {
    super(FIRST_CAPACITY);
    this.#before = Buffer.from(before);
    this.#after = Buffer.from(after);
  }

  /** An ID that is in `bytes` from `start` to before `end`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.reserve(this.#before.length + LONGEST_ID + this.#after.length);
    this.copy(this.#before, 0, this.#before.length);
    this.copy(bytes, start, end);
    this.copy(this.#after, 0, this.#after.length);
  }

  addText(id: string): void {
    const bytes = Buffer.from(id, 'latin1');
    this.add(bytes, 0, bytes.length);
  }
}
