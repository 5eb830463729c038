/**
 * Reads Zstandard (RFC 8878): frames one after the other, and zeros behind them. Each has
 * a decompressor of its own and is followed block by block, since the decompressors take a frame that is cut off for
 * whole, and may lose the next one (nodejs/node#64592, nodejs/node#64741, oven-sh/bun#33413). Invariant: data that is
 * cut off or followed by something else is never taken for whole.
 */
import {Buffer} from 'node:buffer';
import type {Transform} from 'node:stream';
import zlib from 'node:zlib';
import {BadCompression, corrupt, exactly, followed, goesOn} from './bad-compression.js';
import type {ByteReader} from './byte-reader.js';
import {decompressed} from './decompression.js';

const [FRAME, SKIPPABLE, SKIPPABLE_MASK] = [0xfd2fb528, 0x184d2a50, 0xfffffff0];
/** Bits of a descriptor, and how many bytes the fields have that it announces. */
const [CHECKSUM, RESERVED, SINGLE_SEGMENT] = [0x04, 0x08, 0x20];
const DICTIONARY_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];
const [ONE_BYTE_BLOCK, RESERVED_BLOCK, MAX_BLOCK_BYTES] = [1, 3, 128 * 1024];

/** Missing in Node before 22.15 (https://nodejs.org/api/zlib.html#zlibcreatezstddecompressoptions). */
const {createZstdDecompress} = zlib as {createZstdDecompress?: () => Transform};

export const hasZstd = createZstdDecompress !== undefined;

/** The data of all frames. Throws BadCompression. `onFrame` is called behind each one that is whole. */
export async function* unzstd(reader: ByteReader, onFrame?: () => void): AsyncGenerator<Buffer, void, void> {
  do {
    const magic = await exactly(reader, 4);
    const number = magic.readUInt32LE();
    if (number === FRAME) yield* readFrame(frameParts(reader, magic));
    else if ((number & SKIPPABLE_MASK) >>> 0 === SKIPPABLE)
      await skip(reader, (await exactly(reader, 4)).readUInt32LE());
    else throw followed();
    onFrame?.();
  } while (await goesOn(reader));
}

async function* readFrame(parts: AsyncGenerator<Buffer, void, void>): AsyncGenerator<Buffer, void, void> {
  const next = async (): Promise<Buffer | undefined> => {
    const {done, value} = await parts.next();
    return done ? undefined : value;
  };
  try {
    yield* decompressed(createZstdDecompress!(), next);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ZSTD_error_frameParameter_windowTooLarge')
      throw new BadCompression('needs more than 128MB of memory', {isReadable: true});
    if (code === 'ZSTD_error_dictionary_wrong') throw new BadCompression('needs its dictionary');
    throw code?.startsWith('ZSTD_error') ? corrupt() : error;
  }
}

/** The frame behind `magic` as it is, in parts that are whole. */
async function* frameParts(reader: ByteReader, magic: Buffer): AsyncGenerator<Buffer, void, void> {
  const descriptor = await exactly(reader, 1);
  const [flags = 0] = descriptor;
  if ((flags & RESERVED) !== 0) throw corrupt();
  const isSingle = (flags & SINGLE_SEGMENT) !== 0;
  const sizeBytes = SIZE_BYTES[flags >> 6]! || (isSingle ? 1 : 0);
  const header = await exactly(reader, (isSingle ? 0 : 1) + DICTIONARY_BYTES[flags & 3]! + sizeBytes);
  yield Buffer.concat([magic, descriptor, header]);
  for (let isLast = false; !isLast; ) {
    const blockHeader = await exactly(reader, 3);
    const value = blockHeader.readUIntLE(0, 3);
    const [kind, size] = [(value >> 1) & 3, value >> 3];
    isLast = (value & 1) === 1;
    if (kind === RESERVED_BLOCK || (kind !== ONE_BYTE_BLOCK && size > MAX_BLOCK_BYTES)) throw corrupt();
    yield Buffer.concat([blockHeader, await exactly(reader, kind === ONE_BYTE_BLOCK ? 1 : size)]);
  }
  if ((flags & CHECKSUM) !== 0) yield await exactly(reader, 4);
}

async function skip(reader: ByteReader, count: number): Promise<void> {
  for (let left = count; left > 0; ) left -= (await exactly(reader, Math.min(left, MAX_BLOCK_BYTES))).length;
}
