/**
 * Finds where rows of CSV end: at a newline outside quotes. What divides their values is said
 * by the caller or found in the first row, before any other is looked at. Invariant: rows do not
 * depend on the chunks in which they arrive; a row that is cut off is none.
 */
import {COMMA, DELIMITERS, declaredDelimiter, delimiterOf} from './csv-delimiter.js';
import type {InputPosition} from './input-item.js';
import {isBomByte, type LineBytes, LineParts, type Unfinished, wholeChunks, withoutBom} from './lines.js';
import type {Row} from './row-page.js';

interface CsvRowOptions {
  maxBytes: number;
  from: InputPosition;
  /** Undefined where the first row is to say it. */
  delimiter?: number | undefined;
  /** With it, a last row without newline is left out and reported. */
  onUnfinished?: Unfinished;
}

const [QUOTE, LF, CARRIAGE_RETURN] = [0x22, 0x0a, 0x0d];

/** Where in a row the next byte is. */
type Where = 'value begins' | 'in value' | 'in quotes' | 'behind quote';

export class CsvRows {
  readonly #options: CsvRowOptions;
  #delimiter: number | undefined;
  /** Of the rows that were not blank, the first may say nothing but the delimiter. */
  #isFirst: boolean;

  constructor(options: CsvRowOptions) {
    this.#options = options;
    this.#delimiter = options.delimiter;
    this.#isFirst = options.from.bytes === 0;
  }

  /** What divides values; known when the first row is. */
  get delimiter(): number {
    return this.#delimiter ?? COMMA;
  }

  /** Rows in the batches in which they arrive, blank ones too. A row whose quotes never close goes on to the end. */
  async *read(source: AsyncIterable<Uint8Array | string>): AsyncGenerator<Row[], void, void> {
    const {maxBytes, from, onUnfinished} = this.#options;
    const parts = new LineParts(maxBytes);
    let where: Where = 'value begins';
    let {bytes: offset, line} = from;
    let rowLine = line;
    for await (const chunk of wholeChunks(source)) {
      const rows: Row[] = [];
      if (chunk === undefined) {
        if (parts.byteCount > 0 && onUnfinished === undefined)
          this.#take(rowOf(parts.finish(), rowLine + 1, {bytes: offset, line: line + 1}), rows);
        else if (parts.byteCount > 0) onUnfinished?.();
        if (rows.length > 0) yield rows;
        return;
      }
      let start = 0;
      for (let at = 0; at < chunk.length; at++, offset++) {
        const byte = chunk[at]!;
        if (byte === LF) line++;
        if (byte === LF && where !== 'in quotes') {
          parts.keep(chunk.subarray(start, at));
          this.#take(rowOf(parts.finish(), rowLine + 1, {bytes: offset + 1, line}), rows);
          start = at + 1;
          rowLine = line;
          where = 'value begins';
        } else if (!isBomByte(byte, offset)) {
          where = behindByte(byte, where, this.#delimiter);
        }
      }
      parts.keep(chunk.subarray(start));
      if (rows.length > 0) yield rows;
    }
  }

  /** Adds `row` to `rows`, unless it only says what the delimiter is. */
  #take(row: Row, rows: Row[]): void {
    if (this.#isFirst && isNotBlank(row)) {
      this.#isFirst = false;
      const declared = 'bytes' in row ? declaredDelimiter(row.bytes) : undefined;
      this.#delimiter ??= declared ?? ('bytes' in row ? delimiterOf(row.bytes) : COMMA);
      if (declared !== undefined) return;
    }
    rows.push(row);
  }
}

export const isNotBlank = (row: Row): boolean => 'tooLongBytes' in row || row.bytes.length > 0;

/** As long as the delimiter is not known, each that it may be is one. */
function behindByte(byte: number, where: Where, delimiter: number | undefined): Where {
  if (where === 'in quotes') return byte === QUOTE ? 'behind quote' : where;
  if (byte === delimiter || (delimiter === undefined && DELIMITERS.includes(byte))) return 'value begins';
  // A quote behind a quote is one of the value; a quote in a bare value opens nothing.
  return byte === QUOTE && where !== 'in value' ? 'in quotes' : 'in value';
}

/** A byte order mark, or the CR of a CRLF, belongs to no value. */
function rowOf(line: LineBytes, number: number, behind: InputPosition): Row {
  if ('tooLongBytes' in line) return {...line, number, behind};
  const bytes = number === 1 ? withoutBom(line.bytes) : line.bytes;
  return {number, behind, bytes: bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes};
}
