/**
 * What is in an input, by its first bytes: gzip and Zstandard are decompressed, UTF-16 and
 * UTF-32 become UTF-8, formats that hold no lines are refused by name. Only the first
 * chunk is looked at; what follows passes as it is. Invariant: data that is cut off or corrupt
 * ends in a failure, behind all that could be read of it.
 */
import {Buffer} from 'node:buffer';
import {asBuffer} from './byte-reader.js';
import type {ContentOptions} from './encoded-content.js';
import {readSome} from './source.js';

const OBJECT = 0x7b;
/** More than say how a file is compressed or encoded. */
const FIRST_BYTES = 16;

/** How a file that is open is compressed or encoded; undefined where reading may begin at any line of it. */
export async function encodingOfFile(fd: number): Promise<string | undefined> {
  const head = await readSome(fd, Buffer.alloc(FIRST_BYTES), 0);
  if (head.length === 0 || head[0] === OBJECT) return undefined;
  return (await import('./encoded-content.js')).encodingOf(head);
}

/** The text of `source`. Throws `data` for what holds none, `configuration` for what this runtime cannot decompress. */
export async function* readContent(
  source: AsyncIterable<Uint8Array | string>,
  options: ContentOptions,
): AsyncGenerator<Buffer, void, void> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const beginning = asBuffer(first.value);
  if (beginning[0] === OBJECT) {
    yield beginning;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield asBuffer(next.value);
    return;
  }
  // Loaded for what is not the usual beginning of NDJSON.
  const {readEncoded} = await import('./encoded-content.js');
  yield* readEncoded(beginning, chunks, options);
}
