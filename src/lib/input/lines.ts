/**
 * Bytes → lines, whatever the chunks. Lines leave in the batches in which they
 * arrive, so that a slow writer's line is not held back and a fast one's do not
 * cost a promise each. Knows newlines and nothing of what is between them.
 * Invariant: memory is bounded by one chunk and `maxBytes`; a longer line is
 * counted, not kept.
 */
export type Line =
  | {readonly number: number; readonly bytes: Buffer}
  /** A line over the limit: only its length is known. */
  | {readonly number: number; readonly tooLongBytes: number};

const NEWLINE = 0x0a;

/** Lines without their newline, numbered from 1. A last line without newline is a line; an empty input has none. */
export async function* readLines(
  source: AsyncIterable<Uint8Array | string>,
  {maxBytes}: {maxBytes: number},
): AsyncGenerator<Line[], void, void> {
  let number = 0;
  let kept: Buffer[] = [];
  let keptBytes = 0;
  const finish = (): Line => {
    number++;
    const line: Line =
      keptBytes > maxBytes
        ? {number, tooLongBytes: keptBytes}
        : {number, bytes: kept.length === 1 ? kept[0]! : Buffer.concat(kept)};
    kept = [];
    keptBytes = 0;
    return line;
  };
  const keep = (part: Buffer): void => {
    keptBytes += part.length;
    if (keptBytes > maxBytes) kept = [];
    else if (part.length > 0) kept.push(part);
  };

  for await (const data of source) {
    const chunk =
      typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      lines.push(finish());
      start = end + 1;
    }
    keep(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (keptBytes > 0) yield [finish()];
}
