/** What is wrong with compressed data, for readers of gzip and Zstandard; where it is, their caller says. */
import type {Buffer} from 'node:buffer';
import type {ByteReader} from './byte-reader.js';

export class BadCompression extends Error {
  /** Another program can read it. */
  readonly isReadable: boolean;

  constructor(reason: string, {isReadable = false} = {}) {
    super(reason);
    this.name = 'BadCompression';
    this.isReadable = isReadable;
  }
}

export const cutOff = (): BadCompression => new BadCompression('is cut off');
export const followed = (): BadCompression => new BadCompression('is followed by something else');
export const corrupt = (): BadCompression => new BadCompression('is corrupt');

/** The next `count` bytes. Throws BadCompression where the data ends before. */
export async function exactly(reader: ByteReader, count: number): Promise<Buffer> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw cutOff();
  return bytes;
}

/** Whether anything follows but zeros, which are passed over. */
export async function goesOn(reader: ByteReader): Promise<boolean> {
  for await (const chunk of reader) {
    const at = chunk.findIndex((byte) => byte !== 0);
    if (at === -1) continue;
    reader.putBack(chunk.subarray(at));
    return true;
  }
  return false;
}
