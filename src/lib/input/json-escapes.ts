/**
 * Escapes of JSON strings → the bytes that they stand for, in UTF-8. Takes what
 * json-bytes.ts has accepted, and checks nothing. Invariant: no text gets longer,
 * so it can be written over itself.
 */
import type {Buffer} from 'node:buffer';

const BACKSLASH = 0x5c;
const SMALL_U = 0x75;
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
