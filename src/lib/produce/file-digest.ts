/**
 * The SHA-256 of the beginning of a file, by which a checkpoint knows the file again, whatever its name and inode are by
 * then. Nothing is hashed twice: a digest grows with the part of the file that it is of.
 */
import {createHash, type Hash} from 'node:crypto';
import {isFailure, StreamlogError} from '../errors.js';
import {readSome} from '../input/source.js';
import {type Kept, orIoFailure} from './checkpoint-file.js';

/** A file that is being added, open: what has its name may be another one by now. */
export interface AddedFile {
  readonly name: string;
  readonly fd: number;
  /** When it was opened. */
  readonly sizeBytes: number;
  /** Of a file that may be truncated meanwhile: whether all that was read of it is still there. */
  isUnchanged?(): Promise<boolean>;
}

/** What was read of a file, which is added. */
export interface AddedPart {
  readonly file: AddedFile;
  readonly digest: FileDigest;
}

export class FileDigest {
  readonly #hash: Hash;
  readonly bytes: number;

  private constructor(hash: Hash, bytes: number) {
    this.#hash = hash;
    this.bytes = bytes;
  }

  /** That of no bytes, or of these. */
  static of(bytes?: Uint8Array): FileDigest {
    const hash = createHash('sha256');
    if (bytes !== undefined) hash.update(bytes);
    return new FileDigest(hash, bytes?.length ?? 0);
  }

  get sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  /** That of `file` up to `end`, of which this one is the first part. Throws `data` when the file has become shorter than that. */
  async upTo(end: number, file: AddedFile): Promise<FileDigest> {
    if (end <= this.bytes) return this;
    const hash = this.#hash.copy();
    await orIoFailure('read', file.name, hashRange(hash, file, this.bytes, end));
    return new FileDigest(hash, end);
  }
}

/** That of the part of `file` that `kept` speaks of. Throws `data` when it has changed. */
export async function verifiedDigest(file: AddedFile, {bytes, hashedBytes = bytes, sha256}: Kept): Promise<FileDigest> {
  const {name, sizeBytes} = file;
  if (sizeBytes < hashedBytes) throw changed(name, `it has ${sizeBytes} bytes, of which ${bytes} were added`);
  const digest = await FileDigest.of().upTo(hashedBytes, file);
  if (hashedBytes > 0 && digest.sha256 !== sha256) throw changed(name, 'it differs where it was added already');
  return digest;
}

/** Undefined when what `kept` speaks of is not in `file`. */
export async function digestIn(file: AddedFile, kept: Kept): Promise<FileDigest | undefined> {
  try {
    return await verifiedDigest(file, kept);
  } catch (error) {
    if (isFailure(error, 'data')) return undefined;
    throw error;
  }
}

/** Throws `data` where a line of `file` goes on over the end of what was added: a last one without newline may have been added as it was. */
export async function requireLineEnd({name, fd}: AddedFile, {bytes, line}: Kept): Promise<void> {
  if (bytes === 0) return;
  const around = (await orIoFailure('read', name, readSome(fd, Buffer.alloc(2), bytes - 1))).toString('latin1');
  if (around.length < 2 || around[0] === '\n' || /[\r\n]/.test(around[1]!)) return;
  throw changed(name, `line ${line} has become longer since it was added`);
}

const CHUNK_BYTES = 1024 * 1024;

async function hashRange(hash: Hash, {name, fd}: AddedFile, start: number, end: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - start));
  for (let at = start; at < end; ) {
    const chunk = await readSome(fd, buffer.subarray(0, end - at), at);
    if (chunk.length === 0) throw changed(name, `it has ${at} bytes by now, of which ${end} were added`);
    hash.update(chunk);
    at += chunk.length;
  }
}

const changed = (file: string, reason: string): StreamlogError =>
  new StreamlogError('data', `${file} is not the file that was being added: ${reason}`, {
    hint: 'remove its checkpoint to begin anew with line 1',
  });
