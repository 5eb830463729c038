/**
 * Writes commands as the bytes that Redis reads (RESP,
 * redis.io/docs/latest/develop/reference/protocol-spec), into memory that grows.
 * Invariant: memory that was taken is never written to again.
 */
import type {Bytes} from '../records/bytes.js';
import {encodeName} from '../records/names.js';
import {ARRAY, STRING} from './resp-bytes.js';

const FIRST_CAPACITY = 64 * 1024;
/** Room for the longest `$…\r\n`, and the end of a string. */
const FRAME_BYTES = 32;
/** Shorter pieces are copied faster by a loop than by a call. */
const LOOP_BYTES = 32;
const NOTHING = Buffer.alloc(0);
const ZERO = 0x30;
const CR = 0x0d;
const LF = 0x0a;

export class RespWriter {
  #bytes: Buffer;
  #length = 0;
  /** What the last batch needed. */
  #usual: number;

  /** `capacity` bytes are there from the start; more come as they are needed. */
  constructor(capacity = FIRST_CAPACITY) {
    this.#bytes = Buffer.allocUnsafe(capacity);
    this.#usual = capacity;
  }

  get length(): number {
    return this.#length;
  }

  /** `*3`: so many strings follow. */
  array(count: number): void {
    this.#reserve(FRAME_BYTES);
    this.#frame(ARRAY, count);
  }

  /** A string of `bytes` from `start` to before `end`. */
  part(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#reserve(length + FRAME_BYTES);
    this.#frame(STRING, length);
    this.#copy(bytes, start, end);
    this.#endOfLine();
  }

  string(value: Bytes): void {
    if (typeof value !== 'string') {
      this.part(value, 0, value.length);
      return;
    }
    const length = Buffer.byteLength(value);
    this.#reserve(length + FRAME_BYTES);
    this.#frame(STRING, length);
    this.#bytes.write(value, this.#length, 'utf8');
    this.#length += length;
    this.#endOfLine();
  }

  /** A string that is a whole number. */
  number(value: number): void {
    this.string(String(value));
  }

  /** A whole command of strings; those that are no text are names. */
  command(parts: readonly string[]): void {
    this.array(parts.length);
    for (const part of parts) this.string(encodeName(part));
  }

  /** What another writer has written. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#copy(bytes, 0, bytes.length);
  }

  /** Forgets what was written behind the first `length` bytes. */
  cut(length: number): void {
    this.#length = Math.min(length, this.#length);
  }

  /** The bytes so far, as memory of their own; the writer is empty again. */
  take(): Buffer {
    // A large batch would leave a large writer behind for all the small ones that follow.
    const whole = this.#length > this.#bytes.length / 2;
    const taken = whole ? this.#bytes.subarray(0, this.#length) : Buffer.from(this.#bytes.subarray(0, this.#length));
    // Made when it is needed: many a writer writes one batch only.
    if (whole) {
      this.#usual = this.#bytes.length;
      this.#bytes = NOTHING;
    }
    this.#length = 0;
    return taken;
  }

  #frame(type: number, count: number): void {
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = type;
    if (count < 10) {
      bytes[at++] = ZERO + count;
    } else if (count < 100) {
      const tens = (count / 10) | 0;
      bytes[at++] = ZERO + tens;
      bytes[at++] = ZERO + count - tens * 10;
    } else {
      at += bytes.write(String(count), at, 'latin1');
    }
    bytes[at++] = CR;
    bytes[at++] = LF;
    this.#length = at;
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    const bytes = this.#bytes;
    let to = this.#length;
    if (end - start > LOOP_BYTES) {
      bytes.set(from.subarray(start, end), to);
      to += end - start;
    } else {
      for (let at = start; at < end; at++) bytes[to++] = from[at]!;
    }
    this.#length = to;
  }

  #endOfLine(): void {
    this.#bytes[this.#length++] = CR;
    this.#bytes[this.#length++] = LF;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2, this.#usual));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
