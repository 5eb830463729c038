/** How far a file can be kept that was written in whole lines, or in members of whole lines, by a process that was killed. */
import {BadCompression} from '../input/bad-compression.js';
import {ByteReader} from '../input/byte-reader.js';
import {readOpenFile, readSome} from '../input/source.js';
import type {Compression} from './compression.js';

const TAIL_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Behind the last newline, or the last member or frame that is whole, of the file that is open as `fd`. */
export const wholeEnd = (fd: number, sizeBytes: number, compression: Compression | undefined): Promise<number> =>
  compression === undefined ? endOfLines(fd, sizeBytes) : endOfMembers(fd, compression);

async function endOfLines(fd: number, sizeBytes: number): Promise<number> {
  const buffer = Buffer.alloc(TAIL_BYTES);
  for (let end = sizeBytes; end > 0; ) {
    const start = Math.max(0, end - TAIL_BYTES);
    const tail = await readSome(fd, buffer.subarray(0, end - start), start);
    const at = tail.lastIndexOf(NEWLINE);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return 0;
}

async function endOfMembers(fd: number, compression: Compression): Promise<number> {
  const reader = new ByteReader(readOpenFile(fd, 0));
  let end = 0;
  const onMember = (): void => {
    end = reader.position;
  };
  try {
    const data =
      compression === 'gzip'
        ? (await import('../input/gzip.js')).gunzip(reader, onMember)
        : (await import('../input/zstd.js')).unzstd(reader, onMember);
    for await (const _ of data);
  } catch (error) {
    if (!(error instanceof BadCompression)) throw error;
  }
  return end;
}
