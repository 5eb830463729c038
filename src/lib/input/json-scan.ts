/**
 * Finds where a JSON value ends, in bytes and without making a string, and
 * removes the escapes of one. Accepts only values that are stored as they are:
 * without space between their tokens. Invariant: given a newline behind the
 * value, nothing is read beyond that newline.
 */
import {Buffer} from 'node:buffer';
import {endOfScalar, REFUSED} from '../records/json-tokens.js';
import {MAX_DEPTH} from './json-members.js';

const [QUOTE, BACKSLASH, COLON, COMMA] = [0x22, 0x5c, 0x3a, 0x2c];
const [OBJECT, OBJECT_END, ARRAY, ARRAY_END] = [0x7b, 0x7d, 0x5b, 0x5d];
const [SPACE, TAB, CARRIAGE_RETURN] = [0x20, 0x09, 0x0d];
const [SMALL_D, SMALL_N, LARGE_D, SEVEN] = [0x64, 0x6e, 0x44, 0x37];
const [SMALL_U, ESCAPES, HEX_DIGITS] = [0x75, Buffer.from('"\\\\/bfnrt'), Buffer.from('0123456789abcdefABCDEF')];

const isSpace = (byte: number | undefined): boolean => byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN;

/** The first offset from `at` on without a space; a newline is none. */
export function skipSpace(bytes: Buffer, at: number): number {
  let next = at;
  while (isSpace(bytes[next])) next++;
  return next;
}

/** Where the closing quote is of a string whose text begins at `start`. One with escapes is refused. */
export function endOfPlainString(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at;
    if (byte < SPACE || byte === BACKSLASH) return REFUSED;
  }
  return REFUSED;
}

/** The offset after a value that is not a string. Null is refused, since it is not stored as it is. */
export function endOfValue(bytes: Buffer, start: number, depth = 1): number {
  switch (bytes[start]) {
    case OBJECT:
    case ARRAY:
      return endOfNested(bytes, start, depth + 1);
    case SMALL_N:
      return depth === 1 ? REFUSED : endOfScalar(bytes, start);
    default:
      return endOfScalar(bytes, start);
  }
}

/** An object or array, checked to its end. Its keys may come twice and its strings hold escapes, since it is stored as it stands. */
function endOfNested(bytes: Buffer, start: number, depth: number): number {
  if (depth > MAX_DEPTH) return REFUSED;
  const isObject = bytes[start] === OBJECT;
  const closing = isObject ? OBJECT_END : ARRAY_END;
  let at = start + 1;
  if (bytes[at] === closing) return at + 1;
  for (;;) {
    if (isObject) {
      at = bytes[at] === QUOTE ? endOfString(bytes, at + 1) : REFUSED;
      if (at === REFUSED || bytes[at] !== COLON) return REFUSED;
      at++;
    }
    at = bytes[at] === QUOTE ? endOfString(bytes, at + 1) : endOfValue(bytes, at, depth);
    if (at === REFUSED) return REFUSED;
    const next = bytes[at++];
    if (next === closing) return at;
    if (next !== COMMA) return REFUSED;
  }
}

/** The offset after the closing quote of a string that begins at `start` and may have escapes. */
export function endOfString(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at]! >= SPACE && bytes[at] !== QUOTE) {
    at = bytes[at] === BACKSLASH ? endOfEscape(bytes, at + 1) : at + 1;
    if (at === REFUSED) return REFUSED;
  }
  return bytes[at] === QUOTE ? at + 1 : REFUSED;
}

/** The offset after an escape whose backslash is before `start`. Surrogates are refused, since pairs are not checked here. */
function endOfEscape(bytes: Buffer, start: number): number {
  if (bytes[start] !== SMALL_U) return ESCAPES.includes(bytes[start]!) ? start + 1 : REFUSED;
  for (let at = start + 1; at <= start + 4; at++) if (!HEX_DIGITS.includes(bytes[at]!)) return REFUSED;
  const mayBeSurrogate = (bytes[start + 1] === SMALL_D || bytes[start + 1] === LARGE_D) && bytes[start + 2]! > SEVEN;
  return mayBeSurrogate ? REFUSED : start + 5;
}

/** Digits behind `\u`. */
const DIGITS = 4;
const [TWO_BYTES, THREE_BYTES, MORE, SIX_BITS] = [0xc0, 0xe0, 0x80, 0x3f];

/** What stands for another byte than itself behind a backslash. */
const MEANINGS = new Uint8Array(128).map((_, byte) => byte);
for (const [letter, meaning] of ['b\b', 'f\f', 'n\n', 'r\r', 't\t'])
  MEANINGS[letter!.charCodeAt(0)] = meaning!.charCodeAt(0);

/** Writes the text from `start` to before `end` over itself, without its escapes; returns where it ends then. */
export function unescapeText(bytes: Buffer, start: number, end: number): number {
  let at = bytes.indexOf(BACKSLASH, start);
  let to = at;
  while (at < end) {
    const byte = bytes[at++]!;
    if (byte !== BACKSLASH) {
      bytes[to++] = byte;
    } else if (bytes[at] !== SMALL_U) {
      bytes[to++] = MEANINGS[bytes[at++]!]!;
    } else {
      to = writeCharacter(bytes, to, Number.parseInt(bytes.toString('latin1', at + 1, at + 1 + DIGITS), 16));
      at += 1 + DIGITS;
    }
  }
  return to;
}

/** One that is not a surrogate; returns the offset after it. */
function writeCharacter(bytes: Buffer, start: number, code: number): number {
  let at = start;
  if (code < 0x80) {
    bytes[at++] = code;
  } else {
    if (code < 0x800) {
      bytes[at++] = TWO_BYTES | (code >> 6);
    } else {
      bytes[at++] = THREE_BYTES | (code >> 12);
      bytes[at++] = MORE | ((code >> 6) & SIX_BITS);
    }
    bytes[at++] = MORE | (code & SIX_BITS);
  }
  return at;
}
