/**
 * What a run that was killed has left in its file: whole sections, and one that is not. Invariant: what is cut off is a line or a
 * member that is not whole, or a section without an entry, so that nothing that was said to be written is lost.
 */
import {StreamlogError} from '../errors.js';
import {encodingOfFile, readContent} from '../input/content.js';
import {readOpenFile} from '../input/source.js';
import type {Compression} from './compression.js';
import {type OpenSection, readSections} from './section-reader.js';
import {wholeEnd} from './whole-end.js';

export interface InterruptedExport {
  /** Of the file, as far as it can be kept. */
  readonly sizeBytes: number;
  /** The streams of sections that are whole. */
  readonly finished: readonly string[];
  /** A section that has entries, and no trailer yet. */
  readonly open: OpenSection | undefined;
}

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
  const whole = await wholeEnd(fd, sizeBytes, compression);
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
