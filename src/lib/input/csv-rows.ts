/**
 * Bytes → rows of CSV: where each one ends, which is at a newline that is not
 * inside quotes. What a row holds is csv-parse's affair, which gets whole rows,
 * so that a bad one does not take its neighbours along. Invariant: as in
 * lines.ts, memory is bounded by one chunk and `maxBytes`.
 */
import {isBomByte, withoutBom} from './encoding.js';
import type {InputPosition} from './input-page.js';
import {type Line, type LineBytes, LineParts, type Unfinished, wholeChunks} from './lines.js';

/** A row without the end of its line; `number` is the line in which it begins, `behind` the offset after its newline. */
export type CsvRow = Line & {readonly behind: InputPosition};

const [QUOTE, COMMA, NEWLINE, CARRIAGE_RETURN] = [0x22, 0x2c, 0x0a, 0x0d];

/** Where in a row the next byte stands. */
type Where = 'value begins' | 'in value' | 'in quotes' | 'behind quote';

/**
 * Rows from `from` on in the batches in which they arrive, blank ones too. A row whose
 * quotes never close goes on to the end; one that is cut off is none. With
 * `onUnfinished`, a last row without newline is left out and told of.
 */
export async function* readCsvRows(
  source: AsyncIterable<Uint8Array | string>,
  {maxBytes, from, onUnfinished}: {maxBytes: number; from: InputPosition; onUnfinished?: Unfinished},
): AsyncGenerator<CsvRow[], void, void> {
  const parts = new LineParts(maxBytes);
  let where: Where = 'value begins';
  let {bytes: offset, line} = from;
  let rowLine = line;
  for await (const chunk of wholeChunks(source, parts)) {
    const rows: CsvRow[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++, offset++) {
      const byte = chunk[at]!;
      if (byte === NEWLINE) line++;
      if (byte === NEWLINE && where !== 'in quotes') {
        parts.keep(chunk.subarray(start, at));
        rows.push(rowOf(parts.finish(), rowLine + 1, {bytes: offset + 1, line}));
        start = at + 1;
        rowLine = line;
        where = 'value begins';
      } else if (!isBomByte(byte, offset)) {
        where = behindByte(byte, where);
      }
    }
    parts.keep(chunk.subarray(start));
    if (rows.length > 0) yield rows;
  }
  if (parts.byteCount === 0) return;
  if (onUnfinished !== undefined) onUnfinished();
  else yield [rowOf(parts.finish(), rowLine + 1, {bytes: offset, line: line + 1})];
}

function behindByte(byte: number, where: Where): Where {
  if (where === 'in quotes') return byte === QUOTE ? 'behind quote' : where;
  if (byte === COMMA) return 'value begins';
  // A quote behind a quote is one of the value; a quote in a bare value opens nothing.
  return byte === QUOTE && where !== 'in value' ? 'in quotes' : 'in value';
}

/** A byte order mark, or the CR of a CRLF, belongs to no value. */
function rowOf(line: LineBytes, number: number, behind: InputPosition): CsvRow {
  if ('tooLongBytes' in line) return {...line, number, behind};
  const bytes = number === 1 ? withoutBom(line.bytes) : line.bytes;
  return {number, behind, bytes: bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes};
}
