/**
 * Splits chunks of bytes into lines. Lines come out in the batches in which they
 * arrive: a slow writer's line is not held back, and a fast one's do not cost a
 * promise each. Invariant: memory is bounded by one chunk and `maxBytes`; a
 * longer line is counted, not kept.
 */
import {Buffer} from 'node:buffer';
import {asBuffer} from './byte-reader.js';
import {InputCut} from './source.js';

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** The first line without the byte order mark that some programs put in front of UTF-8. */
export const withoutBom = (firstLine: Buffer): Buffer =>
  firstLine.subarray(0, BOM.length).equals(BOM) ? firstLine.subarray(BOM.length) : firstLine;

/** Whether `byte` at `offset` of an input can be part of its byte order mark. */
export const isBomByte = (byte: number, offset: number): boolean => byte === BOM[offset];

/** A line without its newline; of one over the limit, only the length is known. */
export type LineBytes = {readonly bytes: Buffer} | {readonly tooLongBytes: number};

export type Line = LineBytes & {readonly number: number};

/** Lines that follow each other in one piece of memory. */
export interface Run {
  /** Each with its newline; the last line of an input is given one if it has none. */
  readonly bytes: Buffer;
  /** How much of the input this is. */
  readonly sizeBytes: number;
  /** Set where the run is one line over the limit: `bytes` is nothing but its newline. */
  readonly tooLongBytes?: number;
}

/** Called when what follows the last newline of an input, which may grow, was left there. */
export type Unfinished = (() => void) | undefined;

const NEWLINE = Buffer.from('\n');

/**
 * Lines without their newline, numbered from 1. A last line without newline is a
 * line, unless the input was cut off there; an empty input has none.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array | string>,
  {maxBytes}: {maxBytes: number},
): AsyncGenerator<Line[], void, void> {
  const splitter = new RunSplitter(maxBytes);
  let number = 0;
  for await (const chunk of wholeChunks(source)) {
    const lines: Line[] = [];
    for (const run of chunk === undefined ? splitter.end() : splitter.split(chunk)) {
      for (let start = 0; start < run.bytes.length; ) {
        const end = run.bytes.indexOf(NEWLINE, start);
        lines.push(lineOf(run, ++number, start, end, maxBytes));
        start = end + 1;
      }
    }
    if (lines.length > 0) yield lines;
  }
}

/** Divides chunks into runs of whole lines: a reader that looks at every byte finds the newlines within a run itself. */
export class RunSplitter {
  readonly #parts: LineParts;

  constructor(maxBytes: number) {
    this.#parts = new LineParts(maxBytes);
  }

  /** The lines that end in `chunk`. */
  split(chunk: Buffer): Run[] {
    const parts = this.#parts;
    const runs: Run[] = [];
    let start = 0;
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > 0 && parts.byteCount > 0) {
      start = chunk.indexOf(NEWLINE) + 1;
      parts.keep(chunk.subarray(0, start - 1));
      runs.push(runOf(parts.finish(), NEWLINE.length));
    }
    if (end > start) runs.push({bytes: chunk.subarray(start, end), sizeBytes: end - start});
    parts.keep(chunk.subarray(end));
    return runs;
  }

  /** A last line without newline; with `onUnfinished` it is left out and reported. */
  end(onUnfinished?: Unfinished): Run[] {
    if (this.#parts.byteCount === 0) return [];
    if (onUnfinished === undefined) return [runOf(this.#parts.finish(), 0)];
    onUnfinished();
    return [];
  }
}

/** The chunks of `source` as Buffers, and undefined at its end; not where it is cut off, since its last line is not whole then. */
export async function* wholeChunks(
  source: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Buffer | undefined, void, void> {
  try {
    for await (const chunk of source) yield asBuffer(chunk);
    yield undefined;
  } catch (error) {
    if (!(error instanceof InputCut)) throw error;
  }
}

/** The line of `run` from `start` to its newline at `end`. */
export function lineOf(run: Run, number: number, start: number, end: number, maxBytes: number): Line {
  const byteCount = run.tooLongBytes ?? end - start;
  return byteCount > maxBytes ? {number, tooLongBytes: byteCount} : {number, bytes: run.bytes.subarray(start, end)};
}

/** Why a line that was not kept is refused. */
export const tooLongReason = (bytes: number, maxRecordBytes: number): string =>
  `${bytes} bytes are more than --max-record-bytes (${maxRecordBytes})`;

/** A line that arrived in parts, behind which the input has so many bytes of newline. */
const runOf = (line: LineBytes, newlineBytes: number): Run =>
  'tooLongBytes' in line
    ? {bytes: NEWLINE, sizeBytes: line.tooLongBytes + newlineBytes, tooLongBytes: line.tooLongBytes}
    : {bytes: Buffer.concat([line.bytes, NEWLINE]), sizeBytes: line.bytes.length + newlineBytes};

/** A line that arrives in parts, of which no more than `maxBytes` are kept. */
export class LineParts {
  readonly #maxBytes: number;
  #kept: Buffer[] = [];
  #byteCount = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get byteCount(): number {
    return this.#byteCount;
  }

  keep(part: Buffer): void {
    this.#byteCount += part.length;
    if (this.#byteCount > this.#maxBytes) this.#kept = [];
    else if (part.length > 0) this.#kept.push(part);
  }

  /** The line, and room for the next one. */
  finish(): LineBytes {
    const line =
      this.#byteCount > this.#maxBytes
        ? {tooLongBytes: this.#byteCount}
        : {bytes: this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept)};
    this.#kept = [];
    this.#byteCount = 0;
    return line;
  }
}
