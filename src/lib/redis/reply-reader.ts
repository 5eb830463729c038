/**
 * Bytes from Redis → replies, one after the other, whatever the chunks
 * (RESP2). For replies of which there are hundreds of thousands a second: no
 * promise, no object and no string is made of one. Arrays are not nested here:
 * each of their elements is told like a reply of its own. Invariant: every
 * reply is told once and whole.
 */

/** Who is told of replies. Bytes are valid during the call only. */
export interface ReplyListener {
  /** A string, or a status such as OK: `bytes` from `start` to before `end`. */
  text(bytes: Buffer, start: number, end: number): void;
  integer(value: number): void;
  nil(): void;
  /** An error reply: its text, without the leading minus. */
  error(text: string): void;
}

const CR = 0x0d;
const STRING = 0x24;
const STATUS = 0x2b;
const ERROR = 0x2d;
const INTEGER = 0x3a;
const ARRAY = 0x2a;
const LINE_END = 2;

export class ReplyReader {
  readonly #listener: ReplyListener;
  /** The beginning of a reply whose rest has not come. */
  #rest: Buffer | undefined;

  constructor(listener: ReplyListener) {
    this.#listener = listener;
  }

  /** Tells of every reply that `chunk` completes. Throws where the bytes are no RESP2. */
  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#readOne(bytes, at);
      if (next === undefined) break;
      at = next;
    }
    this.#rest = at < bytes.length ? bytes.subarray(at) : undefined;
  }

  /** Where the reply that begins at `at` ends; undefined when it is not whole yet. */
  #readOne(bytes: Buffer, at: number): number | undefined {
    const lineEnd = bytes.indexOf(CR, at + 1);
    if (lineEnd === -1 || lineEnd + LINE_END > bytes.length) return undefined;
    const next = lineEnd + LINE_END;
    switch (bytes[at]) {
      case STRING:
        return this.#readString(bytes, next, readNumber(bytes, at + 1, lineEnd));
      case INTEGER:
        this.#listener.integer(readNumber(bytes, at + 1, lineEnd));
        return next;
      case STATUS:
        this.#listener.text(bytes, at + 1, lineEnd);
        return next;
      case ERROR:
        this.#listener.error(bytes.toString('utf8', at + 1, lineEnd));
        return next;
      case ARRAY:
        if (readNumber(bytes, at + 1, lineEnd) < 0) this.#listener.nil();
        return next;
      default:
        throw new Error('Protocol error: what answers is not Redis');
    }
  }

  #readString(bytes: Buffer, start: number, length: number): number | undefined {
    if (length < 0) {
      this.#listener.nil();
      return start;
    }
    const end = start + length;
    if (end + LINE_END > bytes.length) return undefined;
    this.#listener.text(bytes, start, end);
    return end + LINE_END;
  }
}

/** Digits, perhaps with a minus. */
function readNumber(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === 0x2d;
  let value = 0;
  for (let at = negative ? start + 1 : start; at < end; at++) value = value * 10 + bytes[at]! - 0x30;
  return negative ? -value : value;
}
