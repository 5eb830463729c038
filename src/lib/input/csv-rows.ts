/**
 * Bytes → rows of CSV: where each one ends, which is at a newline that is not
 * inside quotes. What a row holds is csv-parse's affair, which gets whole rows,
 * so that a bad one does not take its neighbours along. Invariant: as in
 * lines.ts, memory is bounded by one chunk and `maxBytes`.
 */
import {isBomByte, withoutBom} from './encoding.js';
import {type Line, LineParts, wholeChunks} from './lines.js';

/** A row without the end of its line; `number` is the line in which it begins. */
export type CsvRow = Line;

const [QUOTE, COMMA, NEWLINE, CARRIAGE_RETURN] = [0x22, 0x2c, 0x0a, 0x0d];

/** Where in a row the next byte stands. */
type Place = 'value begins' | 'in value' | 'in quotes' | 'behind quote';

/** Rows in the batches in which they arrive, blank ones too. A row whose quotes never close goes on to the end; one that is cut off is none. */
export async function* readCsvRows(
  source: AsyncIterable<Uint8Array | string>,
  {maxBytes}: {maxBytes: number},
): AsyncGenerator<CsvRow[], void, void> {
  const parts = new LineParts(maxBytes);
  let place: Place = 'value begins';
  let line = 1;
  let firstLine = 1;
  let offset = 0;
  for await (const chunk of wholeChunks(source, parts)) {
    const rows: CsvRow[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++, offset++) {
      const byte = chunk[at]!;
      if (byte === NEWLINE) line++;
      if (byte === NEWLINE && place !== 'in quotes') {
        parts.keep(chunk.subarray(start, at));
        rows.push(rowOf(parts.finish(firstLine)));
        start = at + 1;
        firstLine = line;
        place = 'value begins';
      } else if (!isBomByte(byte, offset)) {
        place = placeBehind(byte, place);
      }
    }
    parts.keep(chunk.subarray(start));
    if (rows.length > 0) yield rows;
  }
  if (parts.byteCount > 0) yield [rowOf(parts.finish(firstLine))];
}

function placeBehind(byte: number, place: Place): Place {
  if (place === 'in quotes') return byte === QUOTE ? 'behind quote' : place;
  if (byte === COMMA) return 'value begins';
  // A quote behind a quote is one of the value; a quote in a bare value opens nothing.
  return byte === QUOTE && place !== 'in value' ? 'in quotes' : 'in value';
}

/** A byte order mark, or the CR of a CRLF, belongs to no value. */
function rowOf(line: Line): CsvRow {
  if ('tooLongBytes' in line) return line;
  const bytes = line.number === 1 ? withoutBom(line.bytes) : line.bytes;
  return {...line, bytes: bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes};
}
