/**
 * Reads what is not plain text of one byte order: compressed data and wide characters, and
 * refuses what holds no lines. Compressed data is decompressed once, so that no input goes on
 * for ever. Invariant: a failure says which input it is about, and what to type.
 */
import {Buffer} from 'node:buffer';
import {StreamlogError} from '../errors.js';
import {BadCompression} from './bad-compression.js';
import {type BinaryFormat, binaryFormatOf, type LinesCommand, STORE_AS_VALUE} from './binary-format.js';
import {ByteReader} from './byte-reader.js';
import {BadText, toUtf8, type WideEncoding} from './unicode.js';

export interface ContentOptions {
  /** For messages: a path, or "standard input". */
  name: string;
  /** For hints: what to type to read the input through a command. */
  pipeOf: (command: LinesCommand) => Promise<string>;
  /** Called when what comes out is not what is in the input, byte by byte, but what this command prints of it. */
  onEncoded?: ((filter: string) => void) | undefined;
}

type Compression = 'gzip' | 'zstd';
/** What a byte order mark, gzip and Zstandard take; a line that is shorter is none of them. */
const HEAD_BYTES = 16;

/** The text of what begins with `first`. Throws as `readContent`. */
export async function* readEncoded(
  first: Buffer,
  chunks: AsyncIterator<Uint8Array | string>,
  options: ContentOptions,
): AsyncGenerator<Buffer, void, void> {
  const reader = new ByteReader(chunks);
  reader.putBack(first);
  const head = await headOf(reader);
  const compression = compressionOf(head);
  if (compression === undefined) {
    yield* textOf(reader, head, options);
    return;
  }
  const content = new ByteReader(decompress(reader, compression, options));
  const beginning = await headOf(content);
  if (compressionOf(beginning) !== undefined) throw await compressedTwice(compression, options);
  options.onEncoded?.(filterOf(compression));
  yield* textOf(content, beginning, options);
}

/** What an input that begins with `head` is compressed or encoded with; undefined for what can be read at any position. */
export const encodingOf = (head: Buffer): string | undefined => compressionOf(head) ?? byteOrderOf(head)?.encoding;

async function* textOf(reader: ByteReader, head: Buffer, options: ContentOptions): AsyncGenerator<Buffer, void, void> {
  const format = binaryFormatOf(head);
  if (format !== undefined) throw await refused(format, options);
  const order = byteOrderOf(head);
  if (order === undefined) {
    yield* reader;
    return;
  }
  options.onEncoded?.(`iconv -f ${order.encoding.slice(0, 6)} -t UTF-8`);
  await reader.take(order.bytes);
  try {
    yield* toUtf8(reader, order.encoding);
  } catch (error) {
    if (!(error instanceof BadText)) throw error;
    throw new StreamlogError('data', `the text of ${options.name} ${error.message}`);
  }
}

/** The beginning of what `reader` gives, which is still there. */
async function headOf(reader: ByteReader): Promise<Buffer> {
  let head = (await reader.some()) ?? NOTHING;
  while (head.length < HEAD_BYTES && !head.includes('\n') && !isKnown(head)) {
    const more = await reader.some();
    if (more === undefined) break;
    head = Buffer.concat([head, more]);
  }
  reader.putBack(head);
  return head;
}

const NOTHING = Buffer.alloc(0);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

const isKnown = (head: Buffer): boolean => compressionOf(head) !== undefined || (byteOrderOf(head)?.isSure ?? false);

function compressionOf(head: Buffer): Compression | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  // A frame to be skipped, such as those of pzstd, may be the first.
  const isSkippable = (head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return isSkippable || head.subarray(0, ZSTD.length).equals(ZSTD) ? 'zstd' : undefined;
}

interface ByteOrder {
  readonly encoding: WideEncoding;
  /** Of the mark. */
  readonly bytes: 2 | 4;
  /** More of the input makes no other mark of it. */
  readonly isSure: boolean;
}

function byteOrderOf(head: Buffer): ByteOrder | undefined {
  const bom = head.toString('latin1', 0, 4);
  if (bom === '\0\0\xfe\xff') return {encoding: 'UTF-32BE', bytes: 4, isSure: true};
  if (bom === '\xff\xfe\0\0') return {encoding: 'UTF-32LE', bytes: 4, isSure: true};
  if (bom.startsWith('\xfe\xff')) return {encoding: 'UTF-16BE', bytes: 2, isSure: true};
  return bom.startsWith('\xff\xfe') ? {encoding: 'UTF-16LE', bytes: 2, isSure: bom.length === 4} : undefined;
}

/** What `reader` gives, decompressed. Throws `data` or `configuration`. */
async function* decompress(
  reader: ByteReader,
  compression: Compression,
  {name, pipeOf}: ContentOptions,
): AsyncGenerator<Buffer, void, void> {
  const hint = (): Promise<string> => pipeOf(commandOf(compression));
  const decompressor = compression === 'gzip' ? (await import('./gzip.js')).gunzip : await zstdDecompressor();
  if (decompressor === undefined)
    throw new StreamlogError(
      'configuration',
      `${name} is compressed with zstd, which this version of Node.js cannot read`,
      {
        hint: await hint(),
      },
    );
  try {
    yield* decompressor(reader);
  } catch (error) {
    if (!(error instanceof BadCompression)) throw error;
    throw new StreamlogError('data', `the ${compression} data of ${name} ${error.message}`, {
      ...(error.isReadable ? {hint: await hint()} : {}),
    });
  }
}

const filterOf = (compression: Compression): string => `${compression} -dc`;

const commandOf = (compression: Compression): LinesCommand => ({
  command: `${filterOf(compression)} FILE`,
  filter: filterOf(compression),
});

async function compressedTwice(compression: Compression, {name, pipeOf}: ContentOptions): Promise<StreamlogError> {
  return new StreamlogError('data', `${name} is compressed twice`, {hint: await pipeOf(commandOf(compression))});
}

async function refused(format: BinaryFormat, {name, pipeOf}: ContentOptions): Promise<StreamlogError> {
  const {command, advice} = format;
  const hint = command === undefined ? (advice ?? STORE_AS_VALUE) : await pipeOf({...format, command});
  return new StreamlogError('data', `${name} is ${format.name}, not lines of text`, {hint});
}

async function zstdDecompressor(): Promise<((reader: ByteReader) => AsyncIterable<Buffer>) | undefined> {
  const {hasZstd, unzstd} = await import('./zstd.js');
  return hasZstd ? unzstd : undefined;
}
