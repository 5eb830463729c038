/**
 * Decodes one reply of XREADGROUP, XREAD or XRANGE (RESP2), in any chunks, into offsets: no object or string is made of a
 * field. Invariant: each byte is read once, however small the chunks, and the result holds only IDs and pairs of strings.
 */
import {ENTRY_OFFSETS, FIELD_OFFSETS, RawRecordBatch} from '../records/raw-record.js';
import {isIdIn} from '../records/stream-id.js';
import {
  ARRAY,
  CR,
  LF,
  LINE_END,
  MAX_ELEMENTS,
  MAX_REPLY_BYTES,
  MAX_STRING_BYTES,
  MINUS,
  STRING,
  ZERO,
} from './resp-bytes.js';

const NOTHING = Buffer.alloc(0);
const FIRST_OFFSETS = 512;
const MAX_LINE_BYTES = 32;

/** What comes next, in this order: one stream with its name and entries, each an ID and its fields. */
const STREAMS = 0;
const PAIR = 1;
const NAME = 2;
const ENTRIES = 3;
const ENTRY = 4;
const ID = 5;
const FIELDS = 6;
const PART = 7;
const END = 8;

export class XreadDecoder {
  #bytes: Buffer = NOTHING;
  #length = 0;
  /** Up to where it was read. */
  #at = 0;
  #next = STREAMS;
  #entriesLeft = 0;
  #partsLeft = 0;
  #offsets = new Int32Array(FIRST_OFFSETS);
  #offsetCount = 0;
  /** How many were read, and where in `#offsets` the newest begins. */
  #entries = 0;
  #lastAt = 0;
  /** What earlier replies needed. */
  #usualBytes = 0;

  /** The next reply is one of XRANGE: entries without the name of their stream. */
  beginRange(): void {
    this.#next = ENTRIES;
  }

  /**
   * Goes on with the reply: how many bytes of `chunk` belong to it when that
   * completes it, undefined when there is more to come. Throws where the bytes are no such reply.
   */
  read(chunk: Buffer): number | undefined {
    const before = this.#length;
    this.#append(chunk);
    return this.#parse() ? this.#at - before : undefined;
  }

  /** The entries of the reply that is complete; the next call of `read` begins another one. */
  take(): RawRecordBatch {
    const where = {count: this.#entries, lastAt: this.#lastAt};
    const page = new RawRecordBatch(
      this.#bytes.subarray(0, this.#at),
      this.#offsets.subarray(0, this.#offsetCount),
      where,
    );
    this.#usualBytes = this.#at;
    this.#offsets = new Int32Array(Math.max(FIRST_OFFSETS, this.#offsetCount));
    this.#entries = 0;
    this.#bytes = NOTHING;
    this.#length = 0;
    this.#at = 0;
    this.#offsetCount = 0;
    this.#next = STREAMS;
    return page;
  }

  /** A reply that comes in one chunk stays where it is; of others, the parts are put together. */
  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > MAX_REPLY_BYTES) throw protocolError('a reply is larger than any of Redis');
    if (this.#length === 0) {
      this.#bytes = chunk;
    } else {
      if (length > this.#bytes.length) this.#grow(length);
      this.#bytes.set(chunk, this.#length);
    }
    this.#length = length;
  }

  #grow(length: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#length, this.#usualBytes));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** Reads on as far as there are whole heads and strings; true at the end of the reply. */
  #parse(): boolean {
    const bytes = this.#bytes;
    const length = this.#length;
    while (this.#next !== END) {
      const start = this.#at;
      let at = start + 1;
      let value = 0;
      for (; at < length; at++) {
        const digit = bytes[at]! - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      if (at === start + 1 && bytes[at] === MINUS) {
        if (at + 2 + LINE_END > length) return false;
        if (bytes[at + 1] !== ZERO + 1) throw protocolError('a length is below none');
        value = -1;
        at += 2;
      }
      if (at - start > MAX_LINE_BYTES) throw protocolError('a length is none');
      if (at + LINE_END > length) {
        if (at < length && bytes[at] !== CR) throw protocolError('a length is none');
        return false;
      }
      if (bytes[at] !== CR || bytes[at + 1] !== LF || at === start + 1) throw protocolError('a length is none');
      at += LINE_END;
      if (bytes[start] === ARRAY) {
        this.#array(value);
      } else if (bytes[start] === STRING) {
        if (value < 0 || value > MAX_STRING_BYTES) throw protocolError('no string');
        const end = at + value;
        if (end + LINE_END > length) return false;
        if (bytes[end] !== CR || bytes[end + 1] !== LF) throw protocolError('a string has no end');
        this.#string(at, end);
        at = end + LINE_END;
      } else {
        throw protocolError('no reply of entries');
      }
      this.#at = at;
    }
    return true;
  }

  #array(count: number): void {
    switch (this.#next) {
      case ENTRIES:
        if (count < 0 || count > MAX_ELEMENTS) throw protocolError('no list of entries');
        this.#entriesLeft = count;
        this.#next = count > 0 ? ENTRY : END;
        return;
      case FIELDS:
        this.#fields(count);
        return;
      case STREAMS:
      case PAIR:
      case ENTRY:
        // One stream; its name and its entries; an ID and its fields.
        if (count !== (this.#next === STREAMS ? 1 : 2)) throw protocolError('no reply of entries');
        this.#next++;
        return;
      default:
        throw protocolError('an array where a string belongs');
    }
  }

  #string(start: number, end: number): void {
    if (this.#next === PART) {
      this.#addOffsets(start, end);
      if (--this.#partsLeft === 0) this.#entryEnd();
    } else if (this.#next === ID) {
      if (!isIdIn(this.#bytes, start, end)) throw protocolError('an ID is none');
      this.#addOffsets(start, end);
      this.#next = FIELDS;
    } else if (this.#next === NAME) {
      this.#next = ENTRIES;
    } else {
      throw protocolError('a string where an array belongs');
    }
  }

  /** An entry that has none was deleted meanwhile: there is nothing to hand out. */
  #fields(count: number): void {
    if (count > MAX_ELEMENTS || (count & 1 && count > 0)) throw protocolError('fields are no pairs');
    if (count < 0) {
      this.#offsetCount -= ENTRY_OFFSETS - 1;
      this.#entryEnd();
      return;
    }
    this.#lastAt = this.#offsetCount - (ENTRY_OFFSETS - 1);
    this.#entries++;
    this.#offsets[this.#offsetCount++] = count >> 1;
    this.#partsLeft = count;
    if (count === 0) this.#entryEnd();
    else this.#next = PART;
  }

  #entryEnd(): void {
    this.#next = --this.#entriesLeft === 0 ? END : ENTRY;
  }

  #addOffsets(start: number, end: number): void {
    // One more for the number of fields, which follows an ID.
    if (this.#offsetCount + FIELD_OFFSETS > this.#offsets.length) {
      const grown = new Int32Array(2 * this.#offsets.length);
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#offsets[this.#offsetCount++] = start;
    this.#offsets[this.#offsetCount++] = end;
  }
}

const protocolError = (reason: string): Error => new Error(`Protocol error: ${reason}`);
