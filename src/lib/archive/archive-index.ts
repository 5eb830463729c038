/**
 * The list of the finished files of one stream, `index.ndjson`: a line each, oldest first. Invariant: a file that it names was
 * whole on disk, with its `.sha256` beside it, before its line was written; the last line stays, for it says how far the archive is.
 */
import {constants} from 'node:fs';
import {readFile, rm, truncate} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {StreamlogError} from '../errors.js';
import {isEntryId, millisecondsOf} from '../records/stream-id.js';
import {replaceFile, withFile} from '../replaced-file.js';
import {orIo} from '../transfer/part-file.js';

/** What is known of a finished file. */
export interface ArchivedFile {
  readonly file: string;
  readonly first: string;
  readonly last: string;
  readonly entries: number;
  /** As it is on disk. */
  readonly bytes: number;
  readonly sha256: string;
}

export const INDEX = 'index.ndjson';
const id = z.string().refine(isEntryId);
const line = z.object({
  file: z.string().regex(/^[^/]+$/),
  first: id,
  last: id,
  entries: z.number().int().positive(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
});
const TO_APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

export class ArchiveIndex {
  readonly #directory: string;
  readonly #path: string;
  #files: readonly ArchivedFile[];

  private constructor(directory: string, files: readonly ArchivedFile[]) {
    this.#directory = directory;
    this.#path = join(directory, INDEX);
    this.#files = files;
  }

  /** A last line that is torn is cut off. Throws `data` for what it did not write itself, `io` where it cannot be read. */
  static async open(directory: string): Promise<ArchiveIndex> {
    const path = join(directory, INDEX);
    const bytes = await orIo(path, () => readFile(path).catch(unlessThere));
    const end = bytes.lastIndexOf('\n') + 1;
    if (end < bytes.length) await orIo(path, () => truncate(path, end));
    const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
    return new ArchiveIndex(
      directory,
      lines.map((text, at) => parsed(text, `${path}: line ${at + 1}`)),
    );
  }

  /** The newest file; undefined where there was none yet. */
  get last(): ArchivedFile | undefined {
    return this.#files.at(-1);
  }

  get names(): ReadonlySet<string> {
    return new Set(this.#files.map(({file}) => file));
  }

  /** Writes its `.sha256`, and then its line. */
  async add(file: ArchivedFile): Promise<void> {
    const sidecar = join(this.#directory, sidecarOf(file.file));
    // As sha256sum prints it, and --check takes it.
    await orIo(sidecar, () => replaceFile(sidecar, `${file.sha256}  ${file.file}\n`));
    const isNew = this.#files.length === 0;
    await orIo(this.#path, async () => {
      await withFile(this.#path, TO_APPEND, async (handle) => {
        await handle.appendFile(`${JSON.stringify(file)}\n`);
        await handle.sync();
      });
      if (isNew) await withFile(this.#directory, constants.O_RDONLY, (directory) => directory.sync());
    });
    this.#files = [...this.#files, file];
  }

  /** Removes the files that end more than `ageMs` before the newest entry, and before `nowMs`. Returns how many. */
  async keep(ageMs: number, nowMs: number): Promise<number> {
    const last = this.last;
    if (last === undefined) return 0;
    // A clock that is ahead, or an ID that is, makes nothing old.
    const newestMs = Math.min(nowMs, millisecondsOf(last.last));
    const old = this.#files.filter((file) => file !== last && millisecondsOf(file.last) < newestMs - ageMs);
    if (old.length === 0) return 0;
    for (const {file} of old)
      for (const name of [file, sidecarOf(file)]) {
        const path = join(this.#directory, name);
        await orIo(path, () => rm(path, {force: true}));
      }
    const left = this.#files.filter((file) => !old.includes(file));
    await orIo(this.#path, () => replaceFile(this.#path, left.map((file) => `${JSON.stringify(file)}\n`).join('')));
    this.#files = left;
    return old.length;
  }
}

const sidecarOf = (file: string): string => `${file}.sha256`;

function unlessThere(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}

function parsed(text: string, where: string): ArchivedFile {
  try {
    return line.parse(JSON.parse(text));
  } catch {
    throw new StreamlogError('data', `${where}: it is no line of an index`, {
      hint: 'remove the file; it is made again from the files that it names',
    });
  }
}
