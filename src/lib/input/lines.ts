/**
 * Bytes → lines, whatever the chunks. Lines leave in the batches in which they
 * arrive, so that a slow writer's line is not held back and a fast one's do not
 * cost a promise each. Knows newlines and nothing of what is between them.
 * Invariant: memory is bounded by one chunk and `maxBytes`; a longer line is
 * counted, not kept.
 */
import {Buffer} from 'node:buffer';
import {InputCut} from './source.js';

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

/** Told that what follows the last newline of an input, which may go on later, was left there. */
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
  let number = 0;
  for await (const runs of readRuns(source, {maxBytes})) {
    const lines: Line[] = [];
    for (const run of runs) {
      for (let start = 0; start < run.bytes.length; ) {
        const end = run.bytes.indexOf(NEWLINE, start);
        lines.push(lineOf(run, ++number, start, end, maxBytes));
        start = end + 1;
      }
    }
    yield lines;
  }
}

/**
 * The same, not yet divided: whoever looks at every byte anyway finds the
 * newlines as well. With `onUnfinished`, a last line without newline is left out
 * and told of.
 */
export async function* readRuns(
  source: AsyncIterable<Uint8Array | string>,
  {maxBytes, onUnfinished}: {maxBytes: number; onUnfinished?: Unfinished},
): AsyncGenerator<Run[], void, void> {
  const parts = new LineParts(maxBytes);
  for await (const chunk of wholeChunks(source, parts)) {
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
    if (runs.length > 0) yield runs;
  }
  if (parts.byteCount === 0) return;
  if (onUnfinished === undefined) yield [runOf(parts.finish(), 0)];
  else onUnfinished();
}

/** The chunks of `source` as Buffers. Where it is cut off, they end and what is left in `parts` is dropped. */
export async function* wholeChunks(
  source: AsyncIterable<Uint8Array | string>,
  parts: LineParts,
): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of source) yield asBuffer(chunk);
  } catch (error) {
    if (!(error instanceof InputCut)) throw error;
    parts.drop();
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

/** The same memory as a Buffer. */
const asBuffer = (data: Uint8Array | string): Buffer =>
  typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);

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
    this.drop();
    return line;
  }

  drop(): void {
    this.#kept = [];
    this.#byteCount = 0;
  }
}
