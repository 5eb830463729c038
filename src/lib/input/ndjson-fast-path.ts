/**
 * Recognises the usual line of NDJSON in one pass over its bytes: an object
 * whose names hold no escapes and whose nested values are compact, so that every
 * field is stored as a piece of the line, or of a copy of it where strings had to
 * be written without their escapes. All else is left to
 * json-members.ts, which also says what is wrong with a line. Invariant: in
 * valid UTF-8, what is accepted here has exactly the members that
 * json-members.ts finds in it, and nothing but space stands behind them: where
 * the reading ended is compared with where the text ends here, and not by callers.
 */
import {Buffer} from 'node:buffer';
import {REFUSED, skipBlank} from '../records/json-tokens.js';
import {FlatRecord} from '../records/raw-fields.js';
import {endOfPlainString, endOfString, endOfValue, skipSpace, unescapeText} from './json-scan.js';

/** Each name is compared with those before it, so there may not be many of them, nor long ones. */
const MAX_FIELDS = 64;
const MAX_NAME_BYTES = 128;
/** Of a line that is copied: the copy is kept for the next one. */
const MAX_COPY_BYTES = 1024 * 1024;

const [QUOTE, COLON, COMMA, NEWLINE, OBJECT, OBJECT_END] = [0x22, 0x3a, 0x2c, 0x0a, 0x7b, 0x7d];

export class NdjsonFastPath {
  /** What the last line was that was not refused. */
  readonly record = new FlatRecord(MAX_FIELDS);
  /** The fields of the line whose values hold escapes. */
  readonly #escaped: number[] = [];
  /** A line without its escapes. */
  #copy: Buffer = Buffer.alloc(0);

  /**
   * Reads the line that begins at `start` into `record`. Returns where its newline is, or
   * -1 where the line is not for here. There must be a newline: nothing is read behind it.
   */
  scan(bytes: Buffer, start: number): number {
    const {record} = this;
    this.#escaped.length = 0;
    let at = skipSpace(bytes, start);
    if (bytes[at] !== OBJECT) return REFUSED;
    for (let field = 0; field < MAX_FIELDS; field++) {
      at = this.#field(bytes, skipSpace(bytes, at + 1), field);
      if (at === REFUSED) return REFUSED;
      at = skipSpace(bytes, at);
      if (bytes[at] === COMMA) continue;
      if (bytes[at] !== OBJECT_END) return REFUSED;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== NEWLINE) return REFUSED;
      record.bytes = bytes;
      record.fieldCount = field + 1;
      return this.#escaped.length === 0 || this.#unescape(start, at) ? at : REFUSED;
    }
    return REFUSED;
  }

  /**
   * Reads the JSON text that `bytes` begins with, of `length` bytes, into `record`: one object, which
   * may have newlines around it. False where it is not for here. A newline must follow the text, and
   * what follows that, such as an earlier text in the same memory, is not looked at.
   */
  scanDocument(bytes: Buffer, length: number): boolean {
    const start = skipBlank(bytes, 0, length);
    const newline = start === length ? REFUSED : this.scan(bytes, start);
    return newline !== REFUSED && skipBlank(bytes, newline, length) >= length;
  }

  /** Notes the offsets of the field whose name begins at `at`; returns the offset after its value. */
  #field(bytes: Buffer, at: number, field: number): number {
    if (bytes[at] !== QUOTE) return REFUSED;
    const {offsets} = this.record;
    const index = 4 * field;
    const nameStart = at + 1;
    const nameEnd = endOfPlainString(bytes, nameStart);
    if (nameEnd === REFUSED || nameEnd - nameStart > MAX_NAME_BYTES) return REFUSED;
    if (this.#isKnown(bytes, nameStart, nameEnd, index)) return REFUSED;
    const colon = skipSpace(bytes, nameEnd + 1);
    if (bytes[colon] !== COLON) return REFUSED;
    const valueStart = skipSpace(bytes, colon + 1);
    const isString = bytes[valueStart] === QUOTE;
    const valueEnd = isString ? this.#endOfText(bytes, valueStart + 1, field) : endOfValue(bytes, valueStart);
    offsets[index] = nameStart;
    offsets[index + 1] = nameEnd;
    offsets[index + 2] = isString ? valueStart + 1 : valueStart;
    offsets[index + 3] = valueEnd;
    return isString && valueEnd !== REFUSED ? valueEnd + 1 : valueEnd;
  }

  /** Where the closing quote is of the string that is the value of a field. */
  #endOfText(bytes: Buffer, start: number, field: number): number {
    const end = endOfPlainString(bytes, start);
    if (end !== REFUSED) return end;
    const behind = endOfString(bytes, start);
    if (behind === REFUSED) return REFUSED;
    this.#escaped.push(field);
    return behind - 1;
  }

  /** Has the record be one of a copy of the line, from `start` to before `end`, without escapes; false where that is too long. */
  #unescape(start: number, end: number): boolean {
    const {record} = this;
    const {bytes, offsets} = record;
    if (end - start > MAX_COPY_BYTES) return false;
    if (this.#copy.length < end - start) this.#copy = Buffer.allocUnsafeSlow(2 * (end - start));
    bytes.copy(this.#copy, 0, start, end);
    for (let index = 0; index < 4 * record.fieldCount; index++) offsets[index]! -= start;
    for (const field of this.#escaped) {
      const value = 4 * field + 2;
      offsets[value + 1] = unescapeText(this.#copy, offsets[value]!, offsets[value + 1]!);
    }
    record.bytes = this.#copy;
    return true;
  }

  /** Whether a field before `index` has this name. Compares from the end, since common prefixes are frequent. */
  #isKnown(bytes: Buffer, start: number, end: number, index: number): boolean {
    const {offsets} = this.record;
    for (let other = 0; other < index; other += 4) {
      const shift = end - offsets[other + 1]!;
      if (start - offsets[other]! !== shift) continue;
      let at = end - 1;
      while (at >= start && bytes[at] === bytes[at - shift]) at--;
      if (at < start) return true;
    }
    return false;
  }
}
