/**
 * Bytes → lines, whatever the chunks. Lines leave in the batches in which they
 * arrive, so that a slow writer's line is not held back and a fast one's do not
 * cost a promise each. Knows newlines and nothing of what is between them.
 * Invariant: memory is bounded by one chunk and `maxBytes`; a longer line is
 * counted, not kept.
 */
import {InputCut} from './source.js';

export type Line =
  | {readonly number: number; readonly bytes: Buffer}
  /** A line over the limit: only its length is known. */
  | {readonly number: number; readonly tooLongBytes: number};

const NEWLINE = 0x0a;

/**
 * Lines without their newline, numbered from 1. A last line without newline is a
 * line, unless the input was cut off there; an empty input has none.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array | string>,
  {maxBytes}: {maxBytes: number},
): AsyncGenerator<Line[], void, void> {
  const parts = new LineParts(maxBytes);
  let number = 0;
  for await (const chunk of wholeChunks(source, parts)) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      parts.keep(chunk.subarray(start, end));
      lines.push(parts.finish(++number));
      start = end + 1;
    }
    parts.keep(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (parts.byteCount > 0) yield [parts.finish(++number)];
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

/** Why a line that was not kept is refused. */
export const tooLongReason = (bytes: number, maxRecordBytes: number): string =>
  `${bytes} bytes are more than --max-record-bytes (${maxRecordBytes})`;

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
  finish(number: number): Line {
    const line: Line =
      this.#byteCount > this.#maxBytes
        ? {number, tooLongBytes: this.#byteCount}
        : {number, bytes: this.#kept.length === 1 ? this.#kept[0]! : Buffer.concat(this.#kept)};
    this.drop();
    return line;
  }

  drop(): void {
    this.#kept = [];
    this.#byteCount = 0;
  }
}
