/**
 * What a run that was killed has left in its file: whole sections, and one that is not. Invariant: what is cut off is a line or a
 * member that is not whole, or a section without an entry, so that nothing that was said to be written is lost.
 */
import {StreamlogError} from '../errors.js';
import {BadCompression} from '../input/bad-compression.js';
import {ByteReader} from '../input/byte-reader.js';
import {encodingOfFile, readContent} from '../input/content.js';
import {readOpenFile, readSome} from '../input/source.js';
import type {Compression} from './compression.js';
import {type OpenSection, readSections} from './section-reader.js';

export interface InterruptedExport {
  /** Of the file, as far as it can be kept. */
  readonly sizeBytes: number;
  /** The streams of sections that are whole. */
  readonly finished: readonly string[];
  /** A section that has entries, and no trailer yet. */
  readonly open: OpenSection | undefined;
}

const TAIL_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Of the file `name`, open as `fd`, with `sizeBytes`; `cut` shortens it. Throws `data` for what is no export, or is compressed in
 * another way than now.
 */
export async function readInterrupted(
  {fd, name, sizeBytes}: {fd: number; name: string; sizeBytes: number},
  compression: Compression | undefined,
  cut: (sizeBytes: number) => Promise<void>,
): Promise<InterruptedExport> {
  const found = await encodingOfFile(fd);
  if (sizeBytes > 0 && found !== compression)
    throw cannotResume(name, found === undefined ? 'it is not compressed' : `it is compressed with ${found}`);
  const whole = compression === undefined ? await endOfLines(fd, sizeBytes) : await endOfMembers(fd, compression);
  await cut(whole);
  const finished: string[] = [];
  let open: OpenSection | undefined;
  const content = readContent(readOpenFile(fd, 0), {name, pipeOf: async () => ''});
  for await (const lines of readSections(content, {name, onOpen: (section) => (open = section)}))
    for (const line of lines) if (line.kind === 'end') finished.push(line.stream);
  if (open === undefined || open.lastId !== undefined || compression !== undefined)
    return {sizeBytes: whole, finished, open};
  const before = whole - open.totals.bytes;
  await cut(before);
  return {sizeBytes: before, finished, open: undefined};
}

export const cannotResume = (name: string, reason: string): StreamlogError =>
  new StreamlogError('data', `${name} cannot be resumed: ${reason}`, {
    hint: 'give the flags that it was begun with, or leave --resume out to begin anew',
  });

/** Behind the last newline. */
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

/** Behind the last member, or frame, that is whole. */
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
