/**
 * Finds the value at a path in JSON, in bytes: one pass, which also checks that all of it is JSON, in memory for one byte a
 * level. Invariant: what it finds is what JSON.parse and the path would give; of a key that comes twice the last one counts.
 */
import {isUtf8} from 'node:buffer';
import {rangeEquals, rangeIncludes} from './byte-range.js';

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [0x7b, 0x7d, 0x5b, 0x5d];
const [SPACE, TAB, NEWLINE, CARRIAGE_RETURN] = [0x20, 0x09, 0x0a, 0x0d];
const [MINUS, PLUS, POINT, ZERO, NINE] = [0x2d, 0x2b, 0x2e, 0x30, 0x39];
const [SMALL_E, LARGE_E, SMALL_U] = [0x65, 0x45, 0x75];
const WORDS = ['true', 'false', 'null'].map((word) => Buffer.from(word));
const ESCAPES = Buffer.from('"\\/bfnrt');
/** Instead of an offset: it is not JSON. */
const BAD = -1;
const FIRST_DEPTH = 64;

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
  /** The kind of each open object or array, OBJECT or ARRAY. */
  #open = new Uint8Array(FIRST_DEPTH);
  #depth = 0;
  /** Whether the innermost object or array has just begun. */
  #isOpening = false;
  /** How many of the open ones lie on the path, from the outermost. */
  #onPath = 0;
  /** The next index of each array on the path. */
  readonly #counts: number[] = [];
  /** Where the value begins and ends in the JSON; -1 while it is not found. */
  #foundAt = -1;
  #foundEnd = -1;
  /** How many were open around the value, while it is being read; -1 otherwise. */
  #foundDepth = -1;

  constructor(keys: readonly Buffer[]) {
    this.#keys = keys;
    this.#indexes = keys.map((key) => {
      const text = key.toString('latin1');
      return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : -1;
    });
  }

  /** Whether the JSON from `start` to before `end` has a value there. False where that is not JSON. */
  find(bytes: Buffer, start: number, end: number): boolean {
    // Only an object or array has anything at a path.
    const first = bytes[skipSpace(bytes, start, end)];
    if (first !== OBJECT && first !== ARRAY) return false;
    if (!this.#mayHave(bytes, start, end) || !isUtf8(bytes.subarray(start, end))) return false;
    this.#json = bytes;
    this.#jsonEnd = end;
    this.#depth = 0;
    this.#onPath = 0;
    this.#foundAt = -1;
    this.#foundDepth = -1;
    const after = this.#document(start);
    if (after === BAD || skipSpace(bytes, after, end) !== end || this.#foundAt === -1) return false;
    this.#take();
    return true;
  }

  /** Whether the last key may be there: it stands in the JSON as it is, or with an escape. An array has no keys. */
  #mayHave(bytes: Buffer, start: number, end: number): boolean {
    if (this.#indexes.at(-1) !== -1) return true;
    return rangeIncludes(bytes, start, end, this.#keys.at(-1)!) || rangeIncludes(bytes, start, end, BACKSLASH);
  }

  /** Reads the whole value at `start`, without recursion; returns where it ends. */
  #document(start: number): number {
    const json = this.#json;
    let at = this.#value(skipSpace(json, start, this.#jsonEnd));
    while (at !== BAD && this.#depth > 0) {
      at = skipSpace(json, at, this.#jsonEnd);
      const isObject = this.#open[this.#depth - 1] === OBJECT;
      const byte = at < this.#jsonEnd ? json[at]! : 0;
      if (byte === (isObject ? OBJECT_END : ARRAY_END)) {
        at = this.#close(at + 1);
        continue;
      }
      if (!this.#isOpening) {
        if (byte !== COMMA) return BAD;
        at = skipSpace(json, at + 1, this.#jsonEnd);
      }
      this.#isOpening = false;
      at = isObject ? this.#member(at) : this.#item(at);
    }
    return at;
  }

  /** A key, its colon and its value, or the beginning of it. */
  #member(at: number): number {
    const json = this.#json;
    if (at >= this.#jsonEnd || json[at] !== QUOTE) return BAD;
    const keyEnd = endOfString(json, at + 1, this.#jsonEnd);
    if (keyEnd === BAD) return BAD;
    const colon = skipSpace(json, keyEnd, this.#jsonEnd);
    if (colon >= this.#jsonEnd || json[colon] !== COLON) return BAD;
    const isOn = this.#onPath === this.#depth && this.#depth <= this.#keys.length && this.#isKey(at + 1, keyEnd - 1);
    return this.#select(isOn, skipSpace(json, colon + 1, this.#jsonEnd));
  }

  #item(at: number): number {
    if (this.#onPath !== this.#depth || this.#depth > this.#keys.length) return this.#select(false, at);
    const index = this.#counts[this.#depth]!++;
    return this.#select(index === this.#indexes[this.#depth - 1], at);
  }

  /** The value at `at`, which is on the path or not. */
  #select(isOn: boolean, at: number): number {
    if (!isOn) return this.#value(at);
    const isLast = this.#depth === this.#keys.length;
    // An earlier one of the same key does not count.
    this.#foundAt = -1;
    if (isLast) {
      this.#foundAt = at;
      this.#foundDepth = this.#depth;
    }
    const depth = this.#depth;
    const after = this.#begin(at);
    if (this.#depth === depth) {
      if (isLast) this.#foundWhole(after);
    } else if (!isLast) this.#enter();
    return after;
  }

  #value(at: number): number {
    const after = this.#begin(at);
    // The outermost one begins each path.
    if (this.#depth === 1 && this.#isOpening) this.#enter();
    return after;
  }

  /** The object or array that was just opened lies on the path. */
  #enter(): void {
    this.#onPath = this.#depth;
    this.#counts[this.#depth] = 0;
  }

  /** Reads a string, number or word, or the bracket that opens an object or array. */
  #begin(at: number): number {
    const json = this.#json;
    const byte = at < this.#jsonEnd ? json[at]! : 0;
    if (byte === QUOTE) return endOfString(json, at + 1, this.#jsonEnd);
    if (byte !== OBJECT && byte !== ARRAY) return endOfScalar(json, at, this.#jsonEnd);
    if (this.#depth === this.#open.length) {
      const grown = new Uint8Array(2 * this.#depth);
      grown.set(this.#open);
      this.#open = grown;
    }
    this.#open[this.#depth++] = byte;
    this.#isOpening = true;
    return at + 1;
  }

  /** Behind the bracket that closes the innermost object or array. */
  #close(at: number): number {
    this.#depth--;
    this.#isOpening = false;
    if (this.#onPath > this.#depth) this.#onPath = this.#depth;
    if (this.#foundDepth === this.#depth && this.#foundAt !== -1) this.#foundWhole(at);
    return at;
  }

  #foundWhole(end: number): void {
    this.#foundEnd = end;
    this.#foundDepth = -1;
  }

  #isKey(start: number, end: number): boolean {
    const key = this.#keys[this.#depth - 1]!;
    const json = this.#json;
    if (rangeIncludes(json, start, end, BACKSLASH)) return textOf(json, start - 1, end + 1).equals(key);
    return rangeEquals(json, start, end, key);
  }

  #take(): void {
    const json = this.#json;
    this.bytes = json;
    this.start = this.#foundAt;
    this.end = this.#foundEnd;
    if (json[this.start] !== QUOTE) return;
    if (rangeIncludes(json, this.start, this.end, BACKSLASH)) {
      this.bytes = textOf(json, this.start, this.end);
      this.start = 0;
      this.end = this.bytes.length;
    } else {
      this.start++;
      this.end--;
    }
  }
}

/** The text of a JSON string with its quotes. */
const textOf = (json: Buffer, start: number, end: number): Buffer =>
  Buffer.from(JSON.parse(json.toString('utf8', start, end)) as string);

function skipSpace(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at]!;
    if (byte !== SPACE && byte !== NEWLINE && byte !== CARRIAGE_RETURN && byte !== TAB) break;
    at++;
  }
  return at;
}

/** Behind the closing quote of the string whose text begins at `start`. */
function endOfString(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte < SPACE) return BAD;
    if (byte !== BACKSLASH) continue;
    if (++at >= end) return BAD;
    if (bytes[at] === SMALL_U) {
      for (const last = at + 4; at < last; ) if (!isHex(bytes[++at]!)) return BAD;
    } else if (!ESCAPES.includes(bytes[at]!)) return BAD;
  }
  return BAD;
}

const isHex = (byte: number): boolean =>
  (byte >= ZERO && byte <= NINE) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);

/** Behind the number, true, false or null at `start`. */
function endOfScalar(bytes: Buffer, start: number, end: number): number {
  const word = WORDS.find(([first]) => first === bytes[start]);
  if (word !== undefined) {
    const wordEnd = start + word.length;
    return wordEnd <= end && rangeEquals(bytes, start, wordEnd, word) ? wordEnd : BAD;
  }
  let at = start;
  if (at < end && bytes[at] === MINUS) at++;
  const whole = endOfDigits(bytes, at, end);
  // A number has no leading zero.
  if (whole === BAD || (bytes[at] === ZERO && whole > at + 1)) return BAD;
  at = whole;
  if (at < end && bytes[at] === POINT) at = endOfDigits(bytes, at + 1, end);
  if (at === BAD || at >= end || (bytes[at] !== SMALL_E && bytes[at] !== LARGE_E)) return at;
  at++;
  if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
  return endOfDigits(bytes, at, end);
}

function endOfDigits(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at === start ? BAD : at;
}
