/** What the first bytes of an input say about the encoding of all of it. Changes and converts nothing. */
import {Buffer} from 'node:buffer';

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** The first line without the byte order mark that some programs put in front of UTF-8. */
export const withoutBom = (firstLine: Buffer): Buffer =>
  firstLine.subarray(0, BOM.length).equals(BOM) ? firstLine.subarray(BOM.length) : firstLine;

/** Whether `byte` at `offset` of an input can be part of its byte order mark. */
export const isBomByte = (byte: number, offset: number): boolean => byte === BOM[offset];

/** True for a first line with the byte order mark of UTF-16. */
export const isUtf16 = ([first, second]: Buffer): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

export const UTF16_REASON = 'this looks like UTF-16; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)';
