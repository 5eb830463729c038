/**
 * Which file a log goes on in: the one of its name, a renamed one, or the copy of one that was truncated. Invariant: a file
 * that was rotated before it was read comes before the one that has the name now, and one that was read does not come again.
 */
import {StreamlogError, usageError} from '../errors.js';
import {type FileFacts, GrowingFile} from '../input/growing-file.js';
import {
  factsAt,
  namesAndIds,
  type ReadFile,
  type RotatedFile,
  rotatedFiles,
  rotatedSince,
} from '../input/rotated-files.js';
import type {Kept} from './checkpoint-file.js';
import {digestIn, type FileDigest} from './file-digest.js';

const COPYING_MS = 60_000;
/** Several files of a log may begin with the same few lines. */
const LEAST_REPLACED_BYTES = 4_096;

/** The file of the name is next, and no other. */
export const ALL_READ: ReadFile = {id: '', writtenMs: Number.POSITIVE_INFINITY};

interface LogFile extends FileFacts {
  readonly path: string;
}

export interface FoundFile {
  readonly file: GrowingFile;
  /** Of the part that was read before. */
  readonly digest: FileDigest;
  /** What was in a file before it was truncated: nothing is written to it any more. */
  readonly isCopy: boolean;
}

/** Between a rename and the creation of the new file, there may be none; and for a while it may belong to another user. */
const SILENT_WAIT_MS = 2_000;

export class LogFiles {
  readonly #path: string;
  readonly #warn: (text: string) => void;
  /** Why there is no file to read, since when, and whether that was reported. */
  #waiting: {readonly sinceMs: number; isReported: boolean} | undefined;
  readonly #reportedIds = new Set<string>();

  constructor(path: string, warn: (text: string) => void) {
    this.#path = path;
    this.#warn = warn;
  }

  /** The file that begins with what `kept` speaks of, at its end of that; undefined when there is none. */
  find(kept: Kept): Promise<FoundFile | undefined> {
    const {hashedBytes = kept.bytes} = kept;
    if (hashedBytes === 0) return Promise.resolve(undefined);
    return this.#search(async (rotated) => {
      for (const {path, sizeBytes} of this.#candidates(rotated, kept.file ?? ALL_READ)) {
        const found = sizeBytes < hashedBytes ? undefined : await this.#foundIn(path, kept);
        if (found !== undefined) return found;
      }
      return undefined;
    });
  }

  async #foundIn(path: string, kept: Kept): Promise<FoundFile | undefined> {
    const {id = '', isCopy = false} = kept.file ?? {};
    const file = openLog(path);
    if (file === undefined) return undefined;
    // The number of a device need not outlive a restart of the machine.
    const isRenamed = path === this.#path || id === '' || inodeOf(file.id) === inodeOf(id);
    const isWhole = isRenamed || (await this.#isWhole(file));
    // What is before that position is read before it is verified: it is of the same content.
    const digest = isWhole && (await file.seek(kept.bytes)) ? await digestIn(file, kept) : undefined;
    if (digest !== undefined) return {file, digest, isCopy: !isRenamed || (isCopy && path !== this.#path)};
    file.close();
    return undefined;
  }

  /** What `look` finds among the rotated files. It looks again where they were renamed meanwhile, since a list that is read then may lack one. */
  async #search<T>(look: (rotated: RotatedFile[]) => Promise<T | undefined>): Promise<T | undefined> {
    for (let rotated = await rotatedFiles(this.#path); ; ) {
      const found = await look(rotated.filter(({isCompressed}) => !isCompressed));
      if (found !== undefined) return found;
      const before = namesAndIds(rotated);
      rotated = await rotatedFiles(this.#path);
      if (namesAndIds(rotated) === before) return undefined;
    }
  }

  /**
   * The likely ones first: several may begin alike. One that was rotated since then comes before that of the name, which
   * may have been truncated; others have what is sought only where a disk was moved or a file restored.
   */
  #candidates(rotated: RotatedFile[], read: ReadFile): LogFile[] {
    const named = factsAt(this.#path);
    const newer = rotatedSince(rotated, {...read, isUnread: true});
    const others = rotated.filter((file) => !newer.includes(file)).reverse();
    return [...newer, ...(named === undefined ? [] : [{...named, path: this.#path}]), ...others];
  }

  /** Whether the file of the name is another one. */
  isRotated({id}: {id: string}): boolean {
    return factsAt(this.#path)?.id !== id;
  }

  /** The next one that has data: what was rotated since `read`, oldest first, then the one of the name; undefined while there is none. */
  async next(read: ReadFile): Promise<GrowingFile | undefined> {
    // Opened first: one that is rotated from now on is still ours.
    const current = this.#open();
    try {
      const listed = await rotatedFiles(this.#path);
      const isData = ({id, sizeBytes}: RotatedFile): boolean => sizeBytes > 0 && id !== current?.id;
      const newer = rotatedSince(listed, read).filter(isData);
      // A list that is read while files are renamed may lack one.
      if (namesAndIds(await rotatedFiles(this.#path)) !== namesAndIds(listed)) return closed(current, undefined);
      for (const rotated of newer) {
        if (rotated.isCompressed) this.#reportCompressed(rotated);
        else {
          const file = openLog(rotated.path);
          // Another rotation may have been as quick.
          const isIt = file?.id === rotated.id && (isSettled(rotated) || (await this.#isWhole(file)));
          if (!isIt) file?.close();
          return closed(current, isIt ? file : undefined);
        }
      }
    } catch (error) {
      current?.close();
      throw error;
    }
    return current === undefined || current.sizeBytes > 0 ? current : closed(current, undefined);
  }

  /** The copy that was made of `file` before it was truncated, as far as `file` was read; undefined when there is none that has as much. */
  copyOf(file: GrowingFile, isSame: (other: GrowingFile) => Promise<boolean>): Promise<GrowingFile | undefined> {
    return this.#search(async (rotated) => {
      for (const {path} of rotated.reverse()) {
        const copy = await sameAs(file, openLog(path), isSame);
        if (copy !== undefined) return copy;
      }
      return undefined;
    });
  }

  /** The file of the name, where it has all that was read of `file`: an editor or a restored backup replaced it. Too little tells nothing. */
  async replacementOf(
    file: GrowingFile,
    isSame: (other: GrowingFile) => Promise<boolean>,
  ): Promise<GrowingFile | undefined> {
    return file.offset < LEAST_REPLACED_BYTES ? undefined : sameAs(file, this.#open(), isSame);
  }

  /** What an earlier run was reading is gone, also from among the rotated files: warns of what is not added because of that. */
  async reportGone({id, writtenMs}: ReadFile, addedBytes: number): Promise<void> {
    const rotated = await rotatedFiles(this.#path);
    const compressed = rotated.find((file) => file.isCompressed && file.writtenMs >= writtenMs && file.id !== id);
    if (compressed !== undefined) this.#reportedIds.add(compressed.id);
    const where = compressed === undefined ? '' : `; it may be in ${compressed.path}`;
    this.#warn(
      `the file of which ${addedBytes} bytes were added is gone: what was written to it after them is not added${where}`,
    );
  }

  /** False for a copy that is being made, or was made of a file that is yet to be truncated: what has the name goes on as it ends. */
  async #isWhole(copy: GrowingFile): Promise<boolean> {
    const named = openLog(this.#path);
    if (named === undefined) return true;
    try {
      const {sizeBytes} = copy;
      await copy.seek(sizeBytes);
      return !(await copy.isContinuedIn(named));
    } finally {
      await copy.seek(0);
      named.close();
    }
  }

  /** The one of the name. A reason why there is none is reported once it lasts. */
  #open(): GrowingFile | undefined {
    let reason = `${this.#path} does not exist`;
    try {
      const file = openLog(this.#path);
      if (file !== undefined) {
        this.#waiting = undefined;
        return file;
      }
    } catch (error) {
      if (!(error instanceof StreamlogError) || error.kind !== 'io') throw error;
      reason = error.message;
    }
    this.#waiting ??= {sinceMs: performance.now(), isReported: false};
    if (!this.#waiting.isReported && performance.now() - this.#waiting.sinceMs >= SILENT_WAIT_MS) {
      this.#waiting.isReported = true;
      this.#warn(`${reason}; waiting for it`);
    }
    return undefined;
  }

  #reportCompressed({id, path}: RotatedFile): void {
    if (this.#reportedIds.has(id)) return;
    this.#reportedIds.add(id);
    this.#warn(`${path} was compressed before it was read, and is not added; streamlog produce --file adds it`);
  }
}

/** Undefined where there is none. Throws `io` when it cannot be opened, a usage error for what is no file. */
export const openLog = (path: string): GrowingFile | undefined =>
  GrowingFile.open(path, () => usageError(`--follow takes a file; ${path} is none`, 'pipe it in, or give --file'));

const inodeOf = (id = ''): string => id.slice(id.indexOf(':') + 1);

/** `other`, behind what was read of `file`, where it has that too. */
async function sameAs(
  file: GrowingFile,
  other: GrowingFile | undefined,
  isSame: (other: GrowingFile) => Promise<boolean>,
): Promise<GrowingFile | undefined> {
  if (other === undefined) return undefined;
  const has = other.sizeBytes >= file.offset && (await file.isContinuedIn(other));
  if (has && (await isSame(other)) && (await other.seek(file.offset))) return other;
  other.close();
  return undefined;
}

/** Also a copy of many gigabytes is written, flushed, and its source truncated by then. */
const isSettled = ({writtenMs}: RotatedFile): boolean => Date.now() - writtenMs > COPYING_MS;

function closed<T>(file: GrowingFile | undefined, result: T): T {
  file?.close();
  return result;
}
