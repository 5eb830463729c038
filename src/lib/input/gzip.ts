/**
 * Reads gzip (RFC 1952): members one after the other, and zeros behind them, as tapes
 * have them. Invariant: what comes out is checked, member by member; data that is cut
 * off or followed by something else is never taken for whole.
 */
import type {Buffer} from 'node:buffer';
import {createInflateRaw} from 'node:zlib';
import {BadCompression, corrupt, cutOff, exactly, followed, goesOn} from './bad-compression.js';
import type {ByteReader} from './byte-reader.js';
import {crc32} from './crc32.js';
import {decompressed} from './decompression.js';

const [ID1, ID2, DEFLATE] = [0x1f, 0x8b, 8];
const [HEADER_CHECK, EXTRA, NAME, COMMENT, RESERVED] = [0x02, 0x04, 0x08, 0x10, 0xe0];
const CHUNK_BYTES = 64 * 1024;

/** The data of all members. Throws BadCompression. `onMember` is called behind each one that is whole. */
export async function* gunzip(reader: ByteReader, onMember?: () => void): AsyncGenerator<Buffer, void, void> {
  do {
    yield* readMember(reader);
    onMember?.();
  } while (await goesOn(reader));
}

async function* readMember(reader: ByteReader): AsyncGenerator<Buffer, void, void> {
  await skipHeader(reader);
  let [check, sizeBytes] = [0, 0];
  for await (const chunk of inflated(reader)) {
    check = crc32(chunk, check);
    sizeBytes += chunk.length;
    yield chunk;
  }
  const trailer = await exactly(reader, 8);
  if (trailer.readUInt32LE(0) !== check || trailer.readUInt32LE(4) !== sizeBytes % 2 ** 32)
    throw new BadCompression('has a wrong checksum');
}

async function skipHeader(reader: ByteReader): Promise<void> {
  const [id1, id2] = await exactly(reader, 2);
  if (id1 !== ID1 || id2 !== ID2) throw followed();
  const [method, flags = 0] = await exactly(reader, 8);
  if (method !== DEFLATE || (flags & RESERVED) !== 0) throw corrupt();
  if ((flags & EXTRA) !== 0) await exactly(reader, (await exactly(reader, 2)).readUInt16LE());
  if ((flags & NAME) !== 0) await skipText(reader);
  if ((flags & COMMENT) !== 0) await skipText(reader);
  if ((flags & HEADER_CHECK) !== 0) await exactly(reader, 2);
}

/** Text of a header ends at a zero. */
async function skipText(reader: ByteReader): Promise<void> {
  for await (const chunk of reader) {
    const end = chunk.indexOf(0);
    if (end === -1) continue;
    reader.putBack(chunk.subarray(end + 1));
    return;
  }
  throw cutOff();
}

async function* inflated(reader: ByteReader): AsyncGenerator<Buffer, void, void> {
  const stream = createInflateRaw({chunkSize: CHUNK_BYTES});
  let given = 0;
  let last: Buffer | undefined;
  const next = async (): Promise<Buffer | undefined> => {
    // What it does not take is behind its end.
    if (stream.bytesWritten < given) return undefined;
    last = await reader.some();
    given += last?.length ?? 0;
    return last;
  };
  try {
    yield* decompressed(stream, next);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') throw cutOff();
    throw code === 'Z_DATA_ERROR' ? corrupt() : error;
  }
  const left = given - stream.bytesWritten;
  if (last !== undefined) reader.putBack(last.subarray(last.length - left));
}
