/**
 * Reads replies (RESP2) from chunks of bytes, hundreds of thousands a second: no
 * promise, object or string is made of one. Each element of an array is reported
 * like a reply of its own. Invariants: every reply is reported once and whole;
 * bytes that are not RESP2, and lengths beyond any reply to adding, are refused;
 * each byte is copied a bounded number of times, however small the chunks are.
 */
import {ARRAY, CR, ERROR, INTEGER, LF, LINE_END, MINUS, STATUS, STRING, ZERO} from './resp-bytes.js';

/** Called with replies. Bytes are valid during the call only. */
export interface RespHandler {
  /** A string, or a status such as OK: `bytes` from `start` to before `end`. */
  text(bytes: Buffer, start: number, end: number): void;
  integer(value: number): void;
  nil(): void;
  /** So many replies follow, which are those of an array. */
  array?(count: number): void;
  /** An error reply: its text, without the leading minus. */
  error(text: string): void;
}

/** The longest answer to adding has the IDs of 100,000 records. */
const MAX_STRING_BYTES = 16 * 1024 ** 2;
const MAX_LINE_BYTES = 64 * 1024;
const MAX_ELEMENTS = 1_000_000;
/** The digits of a 64-bit number. */
const MAX_DIGITS = 19;

export class RespReader {
  readonly #listener: RespHandler;
  /** The beginning of a reply whose rest has not come: the first `#length` bytes. */
  #rest: Buffer = Buffer.alloc(0);
  #length = 0;
  /** How many bytes there have to be before it is worth looking again. */
  #needed = 0;

  constructor(listener: RespHandler) {
    this.#listener = listener;
  }

  /** Reports every reply that `chunk` completes. Throws where the bytes are not RESP2. */
  read(chunk: Buffer): void {
    const bytes = this.#length === 0 ? chunk : this.#append(chunk);
    if (bytes.length < this.#needed) return;
    this.#needed = 0;
    let at = 0;
    while (at < bytes.length) {
      const next = this.#readOne(bytes, at);
      if (next === undefined) break;
      at = next;
    }
    this.#needed = Math.max(0, this.#needed - at);
    this.#keep(bytes, at);
  }

  #append(chunk: Buffer): Buffer {
    const length = this.#length + chunk.length;
    if (length > this.#rest.length) {
      // Twice as much as there is, and not what a length promises: it may be a lie.
      const grown = Buffer.allocUnsafe(2 * length);
      this.#rest.copy(grown, 0, 0, this.#length);
      this.#rest = grown;
    }
    chunk.copy(this.#rest, this.#length);
    this.#length = length;
    return this.#rest.subarray(0, length);
  }

  /** What is left from `at` on, until the next chunk. */
  #keep(bytes: Buffer, at: number): void {
    const left = bytes.subarray(at);
    if (left.length === this.#length && this.#length > 0) return;
    this.#length = left.length;
    this.#rest = left.length === 0 ? left : Buffer.from(left);
  }

  /** Where the reply that begins at `at` ends; undefined when it is not whole yet. */
  #readOne(bytes: Buffer, at: number): number | undefined {
    const quick = bytes[at] === STRING ? this.#readShortString(bytes, at) : undefined;
    if (quick !== undefined) return quick;
    const lineEnd = bytes.indexOf(CR, at + 1);
    if (lineEnd === -1 || lineEnd + LINE_END > bytes.length) {
      if (bytes.length - at > MAX_LINE_BYTES) throw protocolError();
      requireType(bytes[at]!);
      return undefined;
    }
    requireLineEnd(bytes, lineEnd);
    const next = lineEnd + LINE_END;
    switch (bytes[at]) {
      case STRING:
        return this.#readString(bytes, next, readLength(bytes, at + 1, lineEnd, MAX_STRING_BYTES));
      case INTEGER:
        this.#listener.integer(readNumber(bytes, at + 1, lineEnd));
        return next;
      case STATUS:
        this.#listener.text(bytes, at + 1, lineEnd);
        return next;
      case ERROR:
        this.#listener.error(bytes.toString('utf8', at + 1, lineEnd));
        return next;
      case ARRAY: {
        const count = readLength(bytes, at + 1, lineEnd, MAX_ELEMENTS);
        if (count < 0) this.#listener.nil();
        else this.#listener.array?.(count);
        return next;
      }
      default:
        throw protocolError();
    }
  }

  /**
   * Nearly all replies are IDs: a whole string of less than 100 bytes, read in one pass, without a
   * search for the end of its head. Undefined for all else, which is not refused here.
   */
  #readShortString(bytes: Buffer, at: number): number | undefined {
    let length = bytes[at + 1]! - ZERO;
    if (!(length >= 0 && length <= 9)) return undefined;
    let start = at + 2;
    const digit = bytes[start]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      length = length * 10 + digit;
      start++;
    }
    start += LINE_END;
    const end = start + length;
    // Beyond the chunk there is nothing that is equal.
    if (bytes[start - 2] !== CR || bytes[start - 1] !== LF || bytes[end] !== CR || bytes[end + 1] !== LF)
      return undefined;
    this.#listener.text(bytes, start, end);
    return end + LINE_END;
  }

  #readString(bytes: Buffer, start: number, length: number): number | undefined {
    if (length < 0) {
      this.#listener.nil();
      return start;
    }
    const end = start + length;
    if (end + LINE_END > bytes.length) {
      this.#needed = end + LINE_END;
      return undefined;
    }
    requireLineEnd(bytes, end);
    this.#listener.text(bytes, start, end);
    return end + LINE_END;
  }
}

const protocolError = (): Error => new Error('Protocol error: what answers is not Redis');

function requireType(type: number): void {
  if (![STRING, INTEGER, STATUS, ERROR, ARRAY].includes(type)) throw protocolError();
}

function requireLineEnd(bytes: Buffer, at: number): void {
  if (bytes[at] !== CR || bytes[at + 1] !== LF) throw protocolError();
}

/** From -1, for nil, to `max`. */
function readLength(bytes: Buffer, start: number, end: number, max: number): number {
  const length = readNumber(bytes, start, end);
  if (length < -1 || length > max) throw protocolError();
  return length;
}

/** Digits, perhaps with a minus. */
function readNumber(bytes: Buffer, start: number, end: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start;
  if (end === first || end - first > MAX_DIGITS) throw protocolError();
  let value = 0;
  for (let at = first; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) throw protocolError();
    value = value * 10 + digit;
  }
  return first === start ? value : -value;
}
