/** A file of a log while it is read, and what is known of its last line. */
import type {GrowingFile} from '../input/growing-file.js';
import {type InputPosition, START} from '../input/input-item.js';
import {LineParts} from '../input/lines.js';
import type {ReadFile} from '../input/rotated-files.js';

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
  file: GrowingFile;
  /** It has what another one had before that was truncated: nothing is written to it any more. */
  isCopy: boolean;
  isTruncated = false;
  /** What follows its last newline. */
  readonly #rest: LineParts;

  constructor(file: GrowingFile, {isCopy, maxRecordBytes}: {isCopy: boolean; maxRecordBytes: number}) {
    this.file = file;
    this.isCopy = isCopy;
    this.#rest = new LineParts(maxRecordBytes);
  }

  /** Since when nothing was written to the file, by the clock of `performance`; to a copy, since ever. */
  get quietSinceMs(): number {
    if (this.isCopy) return Number.NEGATIVE_INFINITY;
    return performance.now() - Math.max(0, Date.now() - this.file.writtenMs);
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
    if (!this.isInLine || !(this.isTruncated || this.isCopy)) return undefined;
    const line = this.#rest.finish();
    return 'bytes' in line ? line.bytes : undefined;
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
