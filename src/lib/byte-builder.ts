/**
 * Bytes that are written one after the other into memory that grows. What the
 * writing class reserved it may write by index: a call for each byte would cost
 * too much. Invariant: memory that was taken is never written to again.
 */
const NOTHING = Buffer.alloc(0);
/** Shorter pieces are copied faster by a loop than by a call. */
const LOOP_BYTES = 32;

export class ByteBuilder {
  /** How many bytes were written. */
  length = 0;
  protected bytes: Buffer;
  /** What the last large batch needed. */
  #usual: number;

  /** `capacity` bytes are there from the start, or with the first write; more come as they are needed. */
  constructor(capacity: number) {
    this.bytes = NOTHING;
    this.#usual = capacity;
  }

  /** Forgets what was written behind the first `length` bytes. */
  cut(length: number): void {
    this.length = Math.min(length, this.length);
  }

  /** The bytes so far, as memory of their own; the builder is empty again. */
  take(): Buffer {
    // A large batch would leave a large builder behind for all the small ones that follow.
    const whole = this.length > this.bytes.length / 2;
    const taken = whole ? this.bytes.subarray(0, this.length) : Buffer.from(this.bytes.subarray(0, this.length));
    // Made when it is needed: many a builder writes one batch only.
    if (whole) {
      this.#usual = this.bytes.length;
      this.bytes = NOTHING;
    }
    this.length = 0;
    return taken;
  }

  /** Makes room for `more` bytes. */
  protected reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2, this.#usual));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Writes `from` from `start` to before `end`, for which there is room. */
  protected copy(from: Uint8Array, start: number, end: number): void {
    const {bytes} = this;
    let to = this.length;
    if (end - start > LOOP_BYTES) {
      bytes.set(from.subarray(start, end), to);
      to += end - start;
    } else {
      for (let at = start; at < end; at++) bytes[to++] = from[at]!;
    }
    this.length = to;
  }
}
