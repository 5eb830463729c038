/**
 * Finds the value at a path in JSON, in bytes: one pass, which also checks that all of it is JSON, in memory for one byte a
 * level. Invariant: what it finds is what JSON.parse and the path would give; of a key that comes twice the last one counts.
 */
import {isUtf8} from 'node:buffer';
import {endOfScalar, REFUSED, skipBlank} from '../records/json-tokens.js';
import {rangeEquals, rangeIncludes} from './byte-range.js';

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OBJECT, ARRAY] = [0x7b, 0x5b];
/** From an opening bracket to the closing one. */
const TO_CLOSING = 2;
const [SPACE, ZERO, NINE, SMALL_U] = [0x20, 0x30, 0x39, 0x75];
const ESCAPES = Buffer.from('"\\/bfnrt');
const ESCAPE = Buffer.of(BACKSLASH);
/** What ends a run of characters that stand for themselves in a string: a quote, a backslash, a control. */
const ENDS_RUN = new Uint8Array(256).map((_, byte) => (byte < SPACE || byte === QUOTE || byte === BACKSLASH ? 1 : 0));
const ASCII = 0x80;
const FIRST_DEPTH = 64;
/** Above this length, it is searched for the key before it is read. */
const LONG_JSON = 256;

export class JsonPath {
  readonly #keys: readonly Buffer[];
  /** For each key, the index of an array that it is; -1 where it is none. */
  readonly #indexes: readonly number[];
  /** Where what was found is: the text of a string, or a value as it is written. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  #json: Buffer = this.bytes;
  #jsonEnd = 0;
  /** The opening bracket of each object and array around a value that is passed over. */
  #open = new Uint8Array(FIRST_DEPTH);
  /** The bits of all bytes in strings, and whether the last string had an escape. */
  #seen = 0;
  #hasEscape = false;
  /** Where the value begins and ends in the JSON; -1 while it is not found. */
  #foundAt = -1;
  #foundEnd = -1;

  /** A method calls itself once for each of `keys`. */
  constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
    this.#indexes = keys.map((key) => {
      const text = key.toString('latin1');
      return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : -1;
    });
  }

  /** Whether the JSON from `start` to before `end` has a value there. False where that is not JSON. */
  find(bytes: Buffer, start: number, end: number): boolean {
    const at = skipBlank(bytes, start, end);
    // Nothing else has anything at a path.
    if (!isOpening(bytes[at]) || at >= end || (end - start > LONG_JSON && !this.#mayHave(bytes, start, end)))
      return false;
    this.#json = bytes;
    this.#jsonEnd = end;
    this.#seen = 0;
    this.#foundAt = -1;
    const after = this.#container(at, 0);
    if (this.#foundAt === -1 || after === REFUSED || skipBlank(bytes, after, end) !== end) return false;
    if (this.#seen >= ASCII && !isUtf8(bytes.subarray(start, end))) return false;
    this.#take();
    return true;
  }

  /** Whether the last key may be there: it stands in the JSON as it is, or with an escape. An array has no keys. */
  #mayHave(bytes: Buffer, start: number, end: number): boolean {
    const last = this.#keys.at(-1)!;
    if (this.#indexes.at(-1) !== -1 || last.length === 0) return true;
    return rangeIncludes(bytes, start, end, last) || rangeIncludes(bytes, start, end, ESCAPE);
  }

  /** An object or array that lies on the path, as deep as `level`; returns the offset behind it. */
  #container(start: number, level: number): number {
    const json = this.#json;
    const end = this.#jsonEnd;
    const isObject = json[start] === OBJECT;
    const closing = json[start]! + TO_CLOSING;
    let at = skipBlank(json, start + 1, end);
    if (at < end && json[at] === closing) return at + 1;
    for (let index = 0; ; index++) {
      let isOn = index === this.#indexes[level];
      if (isObject) {
        const keyAt = at + 1;
        const keyEnd = at < end && json[at] === QUOTE ? this.#endOfString(keyAt) : REFUSED;
        if (keyEnd === REFUSED) return REFUSED;
        isOn = this.#isKey(level, keyAt, keyEnd - 1);
        at = this.#afterColon(keyEnd);
        if (at === REFUSED) return REFUSED;
      }
      at = isOn ? this.#selected(at, level) : this.#endOfValue(at);
      if (at === REFUSED) return REFUSED;
      at = skipBlank(json, at, end);
      if (at >= end) return REFUSED;
      const byte = json[at++]!;
      if (byte === closing) return at;
      if (byte !== COMMA) return REFUSED;
      at = skipBlank(json, at, end);
    }
  }

  /** The value of the key at `level`. An earlier one of the same key does not count any more. */
  #selected(at: number, level: number): number {
    this.#foundAt = -1;
    if (level < this.#keys.length - 1)
      return at < this.#jsonEnd && isOpening(this.#json[at]) ? this.#container(at, level + 1) : this.#endOfValue(at);
    this.#foundEnd = this.#endOfValue(at);
    this.#foundAt = at;
    return this.#foundEnd;
  }

  /** Behind any value, without recursion. */
  #endOfValue(start: number): number {
    const json = this.#json;
    const end = this.#jsonEnd;
    let at = start;
    for (let depth = 0; ; ) {
      const byte = at < end ? json[at]! : 0;
      if (byte === QUOTE) at = this.#endOfString(at + 1);
      else if (!isOpening(byte)) at = endOfScalar(json, at);
      else {
        if (depth === this.#open.length) this.#grow();
        this.#open[depth++] = byte;
        at = skipBlank(json, at + 1, end);
        if (at < end && json[at] === byte + TO_CLOSING) {
          depth--;
          at++;
        } else {
          if (byte === OBJECT) at = this.#endOfKey(at);
          if (at === REFUSED) return REFUSED;
          continue;
        }
      }
      if (at === REFUSED) return REFUSED;
      // Behind a value: brackets that close, or the next one.
      for (;;) {
        if (depth === 0) return at;
        at = skipBlank(json, at, end);
        if (at >= end) return REFUSED;
        const next = json[at++]!;
        const bracket = this.#open[depth - 1]!;
        if (next === bracket + TO_CLOSING) {
          depth--;
          continue;
        }
        if (next !== COMMA) return REFUSED;
        at = skipBlank(json, at, end);
        if (bracket === OBJECT) at = this.#endOfKey(at);
        if (at === REFUSED) return REFUSED;
        break;
      }
    }
  }

  /** Where the value of the key at `at` begins. */
  #endOfKey(at: number): number {
    if (at >= this.#jsonEnd || this.#json[at] !== QUOTE) return REFUSED;
    const keyEnd = this.#endOfString(at + 1);
    return keyEnd === REFUSED ? REFUSED : this.#afterColon(keyEnd);
  }

  #afterColon(keyEnd: number): number {
    const colon = skipBlank(this.#json, keyEnd, this.#jsonEnd);
    if (colon >= this.#jsonEnd || this.#json[colon] !== COLON) return REFUSED;
    return skipBlank(this.#json, colon + 1, this.#jsonEnd);
  }

  #grow(): void {
    const grown = new Uint8Array(2 * this.#open.length);
    grown.set(this.#open);
    this.#open = grown;
  }

  /** Behind the closing quote of the string whose text begins at `start`. */
  #endOfString(start: number): number {
    const json = this.#json;
    const end = this.#jsonEnd;
    let seen = this.#seen;
    this.#hasEscape = false;
    for (let at = start; at < end; at++) {
      const byte = json[at]!;
      seen |= byte;
      if (ENDS_RUN[byte] === 0) continue;
      if (byte === QUOTE) {
        this.#seen = seen;
        return at + 1;
      }
      if (byte !== BACKSLASH) return REFUSED;
      this.#hasEscape = true;
      at = endOfEscape(json, at + 1, end);
      if (at === REFUSED) return REFUSED;
    }
    return REFUSED;
  }

  #isKey(level: number, start: number, end: number): boolean {
    const key = this.#keys[level]!;
    if (this.#hasEscape) return textOf(this.#json, start - 1, end + 1).equals(key);
    return rangeEquals(this.#json, start, end, key);
  }

  #take(): void {
    const json = this.#json;
    this.bytes = json;
    this.start = this.#foundAt;
    this.end = this.#foundEnd;
    if (json[this.start] !== QUOTE) return;
    if (rangeIncludes(json, this.start, this.end, ESCAPE)) {
      this.bytes = textOf(json, this.start, this.end);
      this.start = 0;
      this.end = this.bytes.length;
    } else {
      this.start++;
      this.end--;
    }
  }
}

const isOpening = (byte: number | undefined): boolean => byte === OBJECT || byte === ARRAY;

/** The text of a JSON string with its quotes. */
const textOf = (json: Buffer, start: number, end: number): Buffer =>
  Buffer.from(JSON.parse(json.toString('utf8', start, end)) as string);

/** The offset of the last character of an escape whose backslash is before `start`. */
function endOfEscape(bytes: Buffer, start: number, end: number): number {
  if (start >= end) return REFUSED;
  if (bytes[start] !== SMALL_U) return ESCAPES.includes(bytes[start]!) ? start : REFUSED;
  for (let at = start + 1; at <= start + 4; at++) if (at >= end || !isHex(bytes[at]!)) return REFUSED;
  return start + 4;
}

const isHex = (byte: number): boolean =>
  (byte >= ZERO && byte <= NINE) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
