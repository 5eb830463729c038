/**
 * Text of UTF-16 and UTF-32, whose byte order mark has been read, into UTF-8. Invariant:
 * nothing is replaced: half a surrogate pair becomes bytes that are not UTF-8, which
 * readers of records refuse or keep as they do any others.
 */
import {Buffer} from 'node:buffer';

/** The order of bytes is that of the last letters. */
export type WideEncoding = 'UTF-16LE' | 'UTF-16BE' | 'UTF-32LE' | 'UTF-32BE';

/** What is wrong with such text; the caller says where. */
export class BadText extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'BadText';
  }
}

/** The text of `source` in UTF-8. Throws BadText. */
export async function* toUtf8(
  source: AsyncIterable<Buffer>,
  encoding: WideEncoding,
): AsyncGenerator<Buffer, void, void> {
  const decode = encoding.startsWith('UTF-16') ? utf16 : utf32;
  const unitBytes = encoding.startsWith('UTF-16') ? 2 : 4;
  const swaps = encoding.endsWith('BE');
  let bytes: Buffer = Buffer.alloc(0);
  let text = '';
  for await (const chunk of source) {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const end = bytes.length - (bytes.length % unitBytes);
    text += decode(bytes.subarray(0, end), swaps);
    bytes = bytes.subarray(end);
    // The other half of a pair may be in the next chunk.
    const kept = /[\ud800-\udbff]$/.test(text) ? 1 : 0;
    if (text.length > kept) yield encoded(text.slice(0, text.length - kept));
    text = text.slice(text.length - kept);
  }
  if (bytes.length > 0) throw new BadText(`ends in the middle of a character of ${encoding.slice(0, 6)}`);
  if (text !== '') yield encoded(text);
}

/** Of an even number of bytes. */
function utf16(bytes: Buffer, swaps: boolean): string {
  return (swaps ? Buffer.from(bytes).swap16() : bytes).toString('utf16le');
}

/** Of a multiple of four bytes. */
function utf32(bytes: Buffer, swaps: boolean): string {
  const characters: string[] = [];
  for (let at = 0; at < bytes.length; at += 4) {
    const code = swaps ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at);
    if (code > 0x10ffff) throw new BadText('is not UTF-32: there is no such character');
    characters.push(String.fromCodePoint(code));
  }
  return characters.join('');
}

/** In UTF-8; half a surrogate pair as UTF-8 would have it, if it were a character. */
function encoded(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(/([\ud800-\udfff])/u);
  return Buffer.concat(
    parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part) : halfPair(part.charCodeAt(0)))),
  );
}

const halfPair = (code: number): Buffer =>
  Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]);
