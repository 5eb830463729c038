/**
 * A part of a log while it is read: the file in which it is, which may be replaced or copied meanwhile, and its last line.
 * Invariant: whatever file it moves to has all that was read of it, and is the one in the checkpoint.
 */
import type {GrowingFile} from '../input/growing-file.js';
import {type InputPosition, START} from '../input/input-item.js';
import {LineParts} from '../input/lines.js';
import type {ReadFile} from '../input/rotated-files.js';
import type {Checkpoint} from './checkpoint.js';
import type {LogFiles} from './log-files.js';

const NEWLINE = 0x0a;
/** By which a file is known again of which nothing is confirmed yet. */
export const FIRST_BYTES = 1_024;

/** What the reading of a file begins with. */
export interface Beginning {
  readonly position: InputPosition;
  readonly chunks: readonly Buffer[];
}

/** A part that was read to its end. */
export interface ReadPart extends ReadFile {
  /** It had what another one had before that was truncated. */
  readonly isCopy?: boolean;
  /** The beginning of a line that goes on in the next one. */
  readonly carried?: Buffer | undefined;
}

export class LogPart {
  readonly #files: LogFiles;
  #file: GrowingFile;
  #isCopy: boolean;
  #isTruncated = false;
  /** What follows its last newline. */
  readonly #rest: LineParts;

  constructor(
    {file, isCopy}: {file: GrowingFile; isCopy: boolean},
    {files, maxRecordBytes}: {files: LogFiles; maxRecordBytes: number},
  ) {
    this.#file = file;
    this.#isCopy = isCopy;
    this.#files = files;
    this.#rest = new LineParts(maxRecordBytes);
  }

  /** Where it is read: in another one once it was replaced or copied. */
  get file(): GrowingFile {
    return this.#file;
  }

  /** It has what another one had before that was truncated: nothing is written to it any more. */
  get isCopy(): boolean {
    return this.#isCopy;
  }

  /** What was written to it after what was read is gone. */
  get isTruncated(): boolean {
    return this.#isTruncated;
  }

  /** Since when nothing was written to the file, by the clock of `performance`; to a copy, since ever. */
  get quietSinceMs(): number {
    if (this.#isCopy) return Number.NEGATIVE_INFINITY;
    return performance.now() - Math.max(0, Date.now() - this.#file.writtenMs);
  }

  get isInLine(): boolean {
    return this.#rest.byteCount > 0;
  }

  /** Notes how `chunk` ends, and gives it back. */
  take(chunk: Buffer): Buffer {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0) this.#rest.finish();
    this.#rest.keep(chunk.subarray(end));
    return chunk;
  }

  /** The beginning of a line that goes on in the next file; undefined where there is none, or a longer one than allowed. */
  carried(): Buffer | undefined {
    if (!this.isInLine || !(this.#isTruncated || this.#isCopy)) return undefined;
    const line = this.#rest.finish();
    return 'bytes' in line ? line.bytes : undefined;
  }

  /** Whether the log goes on in another file, which has data. */
  async isContinued(checkpoint: Checkpoint): Promise<boolean> {
    if (!this.#isCopy) {
      if (!this.#files.isRotated(this.#file)) return false;
      const same = await this.#files.replacementOf(this.#file, (other) => checkpoint.isOf(other));
      if (same !== undefined) {
        await this.#moveTo(same, checkpoint);
        return false;
      }
    }
    const next = await this.#files.next(this.#file);
    next?.close();
    return next !== undefined;
  }

  /** The file was truncated: what was not read of it is in the copy that was made of it before. False where there is none. */
  async moveToCopy(checkpoint: Checkpoint): Promise<boolean> {
    const copy = await this.#files.copyOf(this.#file, (other) => checkpoint.isOf(other));
    this.#isTruncated = copy === undefined;
    if (copy === undefined) return false;
    this.#isCopy = true;
    await this.#moveTo(copy, checkpoint);
    return true;
  }

  /** What was read of the file is in `other`. */
  async #moveTo(other: GrowingFile, checkpoint: Checkpoint): Promise<void> {
    const left = this.#file;
    this.#file = other;
    await checkpoint.moveTo(other, this.#isCopy);
    left.close();
  }
}

/** Begins with the part of a line that is in the file before, which counts as before the start of this one. */
export const beginningOf = (carried: Buffer | undefined, {bytes, line} = START, ...chunks: Buffer[]): Beginning =>
  carried === undefined
    ? {position: {bytes, line}, chunks}
    : {position: {bytes: bytes - carried.length, line}, chunks: [carried, ...chunks]};

/** Whether a file can be known again by what it begins with: a whole line, or much of it. */
export const isTelling = (first: Buffer): boolean => first.length >= FIRST_BYTES || first.includes(NEWLINE);

export const zerosSkipped = (name: string, bytes: number): string =>
  `${name} begins with ${bytes} zero bytes, which are skipped: it was truncated, and its program does not append to it (O_APPEND)`;
