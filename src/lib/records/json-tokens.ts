/** Where tokens of JSON end, in bytes: what is between values, and values that are neither strings nor have brackets. */
import {Buffer} from 'node:buffer';

/** Instead of an offset: what is there is not valid JSON, or not handled by the reader that says so. */
export const REFUSED = -1;

const [SPACE, TAB, NEWLINE, CARRIAGE_RETURN] = [0x20, 0x09, 0x0a, 0x0d];
const [MINUS, PLUS, POINT, ZERO, NINE] = [0x2d, 0x2b, 0x2e, 0x30, 0x39];
const [SMALL_E, LARGE_E] = [0x65, 0x45];
const [TRUE, FALSE, NULL] = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')];

/** The first offset from `at` on with neither a space nor a newline, at most `end`. */
export function skipBlank(bytes: Buffer, at: number, end: number): number {
  let next = at;
  while (next < end && isBlank(bytes[next]!)) next++;
  return next;
}

const isBlank = (byte: number): boolean =>
  byte <= SPACE && (byte === SPACE || byte === NEWLINE || byte === CARRIAGE_RETURN || byte === TAB);

/** The offset after the number, true, false or null at `start`. It may lie behind the end of what is meant, where that is cut off. */
export function endOfScalar(bytes: Buffer, start: number): number {
  switch (bytes[start]) {
    case TRUE[0]:
      return endOfWord(bytes, start, TRUE);
    case FALSE[0]:
      return endOfWord(bytes, start, FALSE);
    case NULL[0]:
      return endOfWord(bytes, start, NULL);
    default:
      return endOfNumber(bytes, start);
  }
}

function endOfWord(bytes: Buffer, start: number, word: Buffer): number {
  for (let at = 1; at < word.length; at++) if (bytes[start + at] !== word[at]) return REFUSED;
  return start + word.length;
}

/** As the grammar of JSON has it: no leading zero, plus or point. */
function endOfNumber(bytes: Buffer, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  at = bytes[at] === ZERO ? at + 1 : endOfDigits(bytes, at);
  if (at !== REFUSED && bytes[at] === POINT) at = endOfDigits(bytes, at + 1);
  if (at === REFUSED || (bytes[at] !== SMALL_E && bytes[at] !== LARGE_E)) return at;
  const hasSign = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS;
  return endOfDigits(bytes, hasSign ? at + 2 : at + 1);
}

/** Behind one digit at least. */
function endOfDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at++;
  return at === start ? REFUSED : at;
}
