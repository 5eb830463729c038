/**
 * A checkpoint as it lies on disk. Knows nothing of the file that it is about.
 * Invariant: it may lie in a directory where others make files: what is read
 * and written is a file of that name, never what a link there points to, and
 * nothing that waits.
 */
import {constants} from 'node:fs';
import {z} from 'zod/mini';
import {StreamlogError, systemReason} from '../errors.js';
import {isEntryId} from '../records/stream-id.js';
import {replaceFile, withFile} from '../replaced-file.js';

const whole = z.int().check(z.minimum(0));
const Kept = z.object({
  version: z.literal(1),
  stream: z.string(),
  /** The producer of `--exactly-once`, whose first record is the one behind `since`. */
  producer: z.optional(
    z.object({id: z.string(), since: whole, lastId: z.optional(z.string().check(z.refine(isEntryId)))}),
  ),
  /** Bytes, lines and records of the file that are in the stream, and the SHA-256 of those bytes. */
  bytes: whole,
  line: whole,
  records: whole,
  sha256: z.string(),
  /** So many bytes the digest is of, where these are more: those that were read first, before any was added. */
  hashedBytes: z.optional(whole),
  /** With --follow: the file that these are of. */
  file: z.optional(
    z.object({
      /** Device and inode; empty where there was none yet. */
      id: z.string(),
      /** When it was last written to, as far as it was read. */
      writtenMs: whole,
      /** Records in the files before it. */
      records: whole,
      isCopy: z.optional(z.boolean()),
      /** The beginning of its first line, which is in the file before, in base64. */
      carried: z.optional(z.string()),
    }),
  ),
  /** When it was kept, in Unix milliseconds. */
  at: whole,
});
export type Kept = z.infer<typeof Kept>;

/** More than a checkpoint with the longest name of a stream takes is none. */
const MOST_BYTES = 64 * 1024 * 1024;
/** For a FIFO, not to wait for its writer. */
const TO_READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** That at `path`; undefined when there is none. Throws `data` for what is no checkpoint, `io` when it cannot be read. */
export async function readKept(path: string): Promise<Kept | undefined> {
  const text = await orIoFailure(
    'read',
    path,
    withFile(path, TO_READ, async (file) => {
      const found = await file.stat();
      // A device may have no end.
      if (!found.isFile()) throw refusal(path, 'it is no file');
      return found.size > MOST_BYTES ? '' : file.readFile('utf8');
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      // A socket cannot be opened at all.
      if (error.code === 'ELOOP' || error.code === 'ENXIO')
        throw refusal(path, error.code === 'ELOOP' ? 'it is a symbolic link' : 'it is no file');
      throw error;
    }),
  );
  if (text === undefined) return undefined;
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    throw refusal(path, 'it is no checkpoint of streamlog');
  }
}

/** Replaces what is at `path`. Throws `io` when that cannot be done. */
export const writeKept = (path: string, kept: Kept): Promise<void> =>
  orIoFailure('keep', path, replaceFile(path, `${JSON.stringify(kept)}\n`));

/** Throws `io` for whatever the file system says. */
export async function orIoFailure<T>(verb: 'read' | 'keep', path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StreamlogError) throw error;
    const {code} = error as NodeJS.ErrnoException;
    const reason = systemReason(code);
    throw new StreamlogError('io', `cannot ${verb === 'read' ? 'read' : 'keep the checkpoint'} ${path}: ${reason}`, {
      code,
    });
  }
}

export const refusal = (path: string, reason: string): StreamlogError =>
  new StreamlogError('data', `the checkpoint ${path} cannot be used: ${reason}`, {
    hint: 'name another with --checkpoint, or remove it to begin anew',
  });
