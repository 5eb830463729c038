/** Collects the lines of new IDs as bytes: hundreds of thousands a second go to standard output. */

const LONGEST_ID = 41;

export class IdLines {
  readonly #before: Buffer;
  readonly #after: Buffer;
  #bytes = Buffer.allocUnsafe(0);
  #length = 0;

  /** `before` and `after` stand around each ID. */
  constructor(before: string, after: string) {
    this.#before = Buffer.from(before);
    this.#after = Buffer.from(after);
  }

  /** An ID that is in `bytes` from `start` to before `end`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve();
    this.#put(this.#before, 0, this.#before.length);
    this.#put(bytes, start, end);
    this.#put(this.#after, 0, this.#after.length);
  }

  addText(id: string): void {
    const bytes = Buffer.from(id, 'latin1');
    this.add(bytes, 0, bytes.length);
  }

  /** The lines so far, as memory of their own. */
  take(): Buffer {
    const lines = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafe(0);
    this.#length = 0;
    return lines;
  }

  #put(from: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) this.#bytes[this.#length++] = from[at]!;
  }

  #reserve(): void {
    const needed = this.#length + this.#before.length + LONGEST_ID + this.#after.length;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(4_096, needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
