/**
 * A checkpoint as it lies on disk, and how it gets there. Knows nothing of the
 * file that it is about. Invariant: at any moment it is a whole one, the old or
 * the new.
 */
import {type FileHandle, open, readFile, rename, rm, stat} from 'node:fs/promises';
import {dirname} from 'node:path';
import {z} from 'zod/mini';
import {StreamlogError} from '../errors.js';

const whole = z.int().check(z.minimum(0));
const Kept = z.object({
  version: z.literal(1),
  stream: z.string(),
  /** The producer of `--exactly-once`, whose first record is the one behind `since`. */
  producer: z.optional(z.object({id: z.string(), since: whole})),
  /** Bytes, lines and records of the file that are in the stream, and the SHA-256 of those bytes. */
  bytes: whole,
  line: whole,
  records: whole,
  sha256: z.string(),
  /** When it was kept, in Unix milliseconds. */
  at: whole,
});
export type Kept = z.infer<typeof Kept>;

/** That at `path`; undefined when there is none. Throws `data` for what is no checkpoint, `io` when it cannot be read. */
export async function readKept(path: string): Promise<Kept | undefined> {
  const found = await orIoFailure(
    'read',
    path,
    stat(path).catch((error) => (error.code === 'ENOENT' ? undefined : Promise.reject(error))),
  );
  if (found === undefined) return undefined;
  // A device may have no end.
  if (!found.isFile()) throw refusal(path, 'it is no file');
  const text = await orIoFailure('read', path, readFile(path, 'utf8'));
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    throw refusal(path, 'it is no checkpoint of streamlog');
  }
}

/** Takes the place of what is at `path`. Throws `io` when that cannot be done. */
export const writeKept = (path: string, kept: Kept): Promise<void> =>
  orIoFailure('keep', path, replaceFile(path, `${JSON.stringify(kept)}\n`));

/** Whole or not at all, also when the power goes: written beside it, flushed, renamed, and the name flushed. */
async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  try {
    await withFile(beside, 'w', async (file) => {
      await file.writeFile(text);
      await file.sync();
    });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, {force: true}).catch(() => {});
    throw error;
  }
  await withFile(dirname(path), 'r', (directory) => directory.sync());
}

export async function withFile<T>(path: string, flags: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags, 0o600);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

/** Throws `io` for whatever the file system says. */
export async function orIoFailure<T>(verb: 'read' | 'keep', path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof StreamlogError) throw error;
    const {code} = error as NodeJS.ErrnoException;
    const reason = code === 'ENOSPC' ? 'no space is left' : (code ?? 'unknown error');
    throw new StreamlogError('io', `cannot ${verb === 'read' ? 'read' : 'keep the checkpoint'} ${path}: ${reason}`, {
      code,
    });
  }
}

export const refusal = (path: string, reason: string): StreamlogError =>
  new StreamlogError('data', `the checkpoint ${path} cannot be used: ${reason}`, {
    hint: 'name another with --checkpoint, or remove it to begin anew',
  });
