/**
 * Which character divides the values of CSV, as its first row shows: the one that
 * comes most often outside quotes. Invariant: it depends on that row alone, so a
 * run that resumes finds the same.
 */
import type {Buffer} from 'node:buffer';

const QUOTE = 0x22;
export const COMMA = 0x2c;

/** Those that are recognised, the first of which wins: comma, semicolon, tab, vertical bar. */
export const DELIMITERS: readonly number[] = [COMMA, 0x3b, 0x09, 0x7c];

/** The delimiter of the rows under `header`; a comma where there is none, since the row then is one name. */
export function delimiterOf(header: Buffer): number {
  const counts = DELIMITERS.map(() => 0);
  let isQuoted = false;
  let begins = true;
  for (const byte of header) {
    const index = isQuoted ? -1 : DELIMITERS.indexOf(byte);
    if (index !== -1) counts[index]!++;
    // A quote that is doubled closes and opens again.
    if (byte === QUOTE && (isQuoted || begins)) isQuoted = !isQuoted;
    begins = index !== -1 || (byte === QUOTE && !isQuoted);
  }
  return DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

/** `sep=;`, with which spreadsheets begin a file: the delimiter; undefined for any other row. */
export function declaredDelimiter(row: Buffer): number | undefined {
  const match = /^("?)sep=([\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7e])\1$/i.exec(row.toString('latin1'));
  return match?.[2]?.charCodeAt(0);
}
