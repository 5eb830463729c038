/**
 * Writes commands as the bytes that Redis reads (RESP,
 * redis.io/docs/latest/develop/reference/protocol-spec), into memory that grows.
 * Invariant: memory that was taken is never written to again.
 */
import {ByteBuilder} from '../byte-builder.js';
import type {Bytes} from '../records/bytes.js';
import {encodeName} from '../records/names.js';
import {ARRAY, STRING} from './resp-bytes.js';

const FIRST_CAPACITY = 64 * 1024;
/** Room for the longest `$…\r\n`, and the end of a string. */
const FRAME_BYTES = 32;
const ZERO = 0x30;
const CR = 0x0d;
const LF = 0x0a;

export class RespWriter extends ByteBuilder {
  /** `capacity` bytes are there from the first write; more come as they are needed. */
  constructor(capacity = FIRST_CAPACITY) {
    super(capacity);
  }

  /** `*3`: so many strings follow. */
  array(count: number): void {
    this.reserve(FRAME_BYTES);
    this.#frame(ARRAY, count);
  }

  /** A string of `bytes` from `start` to before `end`. */
  part(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length + FRAME_BYTES);
    this.#frame(STRING, length);
    this.copy(bytes, start, end);
    this.#endOfLine();
  }

  string(value: Bytes): void {
    if (typeof value !== 'string') {
      this.part(value, 0, value.length);
      return;
    }
    const length = Buffer.byteLength(value);
    this.reserve(length + FRAME_BYTES);
    this.#frame(STRING, length);
    this.bytes.write(value, this.length, 'utf8');
    this.length += length;
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
    this.reserve(bytes.length);
    this.copy(bytes, 0, bytes.length);
  }

  #frame(type: number, count: number): void {
    const bytes = this.bytes;
    let at = this.length;
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
    this.length = at;
  }

  #endOfLine(): void {
    this.bytes[this.length++] = CR;
    this.bytes[this.length++] = LF;
  }
}
