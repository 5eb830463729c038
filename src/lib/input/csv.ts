/**
 * Reads CSV with a header row that names the fields. Where a row ends is found
 * here, at a newline outside quotes; csv-parse reads whole rows, so that a broken
 * one does not take its neighbours along. Invariant: each row that is not blank
 * comes out once, in order, under the number of the line in which it begins.
 */
import {Buffer, isUtf8} from 'node:buffer';
import {CsvError, parse} from 'csv-parse/sync';
import {type Bytes, decodeBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {type InputItem, type InputPage, type InputPosition, START} from './line-page.js';
import {
  isBomByte,
  type Line,
  type LineBytes,
  LineParts,
  tooLongReason,
  type Unfinished,
  wholeChunks,
  withoutBom,
} from './lines.js';

/** The values of a row, or why it has none. */
type Values = {readonly values: readonly Bytes[]} | {readonly reason: string};

/** What the header row says, and where it is. */
type Header = Values & {readonly line: number};

const NEWLINE = Buffer.from('\n');

export interface CsvOptions {
  /** A longer row is refused. */
  maxRecordBytes: number;
  /** Where the source begins in the input. */
  from?: InputPosition;
  /** The input from its start, where the header is; needed with `from`. */
  head?: AsyncIterable<Uint8Array | string>;
  /** With it, a last row without newline is left out and reported. */
  onUnfinished?: Unfinished;
}

/**
 * Records and bad rows. A header that cannot be read ends them, since no value has a
 * name then; no position is behind it, so that a run which resumes reads it again.
 */
export async function* readCsv(
  source: AsyncIterable<Uint8Array | string>,
  {maxRecordBytes, from = START, head, onUnfinished}: CsvOptions,
): AsyncGenerator<InputPage, void, void> {
  let header = from.bytes === 0 ? undefined : await headerOf(head, maxRecordBytes);
  let position = from;
  for await (const page of readCsvRows(source, {maxBytes: maxRecordBytes, from, onUnfinished})) {
    const rows = page.filter(isNotBlank);
    if (header === undefined && rows.length > 0) header = readHeader(rows.shift()!, maxRecordBytes);
    if (header !== undefined && 'reason' in header) {
      const {line, reason} = header;
      const row = page.find(isNotBlank)!;
      const head = 'bytes' in row ? {head: row.bytes} : {};
      yield new CsvPage(START, [{...row, behind: START}], () => [
        {line, reason: `the header cannot be read: ${reason}`, ...head},
      ]);
      return;
    }
    if (header === undefined || rows.length === 0) continue;
    const names = header.values;
    yield new CsvPage(position, rows, (some) => {
      const read = readRows(some, maxRecordBytes);
      return some.map(({number}, index) => itemOf(number, names, read[index]!));
    });
    position = page.at(-1)!.behind;
  }
}

/** Throws a RangeError when there is none: a position in the middle needs the header. */
async function headerOf(head: CsvOptions['head'], maxRecordBytes: number): Promise<Header> {
  const pages = head === undefined ? [] : readCsvRows(head, {maxBytes: maxRecordBytes, from: START});
  for await (const page of pages) {
    const first = page.find(isNotBlank);
    if (first !== undefined) return readHeader(first, maxRecordBytes);
  }
  throw new RangeError('a position after the header of CSV needs the header');
}

const isNotBlank = (row: CsvRow): boolean => 'tooLongBytes' in row || row.bytes.length > 0;

function itemOf(line: number, header: readonly Bytes[], row: Values): InputItem {
  if ('reason' in row) return {line, reason: row.reason};
  const {values} = row;
  if (values.length !== header.length) return {line, reason: `${values.length} values for ${header.length} columns`};
  return {line, fields: header.map((name, index): Field => [name, values[index]!])};
}

function readHeader(row: CsvRow, maxRecordBytes: number): Header {
  const line = row.number;
  if ('bytes' in row && /\r(?!\n)/.test(row.bytes.toString('latin1')))
    return {line, reason: 'its lines end in CR alone; convert them to LF first'};
  return {line, ...readRow(row, maxRecordBytes)};
}

/** All in one go, which is much faster than one by one; that is for when one of them is bad. */
function readRows(rows: readonly CsvRow[], maxRecordBytes: number): Values[] {
  const bytes = rows.flatMap((row) => ('bytes' in row ? [row.bytes, NEWLINE] : []));
  const records = parseCsv(Buffer.concat(bytes));
  if (!('reason' in records) && records.length === rows.length) return records.map((values) => ({values}));
  return rows.map((row) => readRow(row, maxRecordBytes));
}

function readRow(row: CsvRow, maxRecordBytes: number): Values {
  if ('tooLongBytes' in row) return {reason: tooLongReason(row.tooLongBytes, maxRecordBytes)};
  const records = parseCsv(row.bytes);
  if ('reason' in records) return records;
  // Where the two readers of CSV disagree on where a row ends, nothing of it is left out.
  return records.length === 1 ? {values: records[0]!} : {reason: 'it is no single row of CSV'};
}

/** Nothing is trimmed or converted. */
function parseCsv(bytes: Buffer): Bytes[][] | {reason: string} {
  const options = {record_delimiter: '\n', relax_column_count: true};
  try {
    if (isUtf8(bytes)) return parse(bytes, options);
    const records = parse(bytes, {...options, encoding: null}) as unknown as Buffer[][];
    return records.map((values) => values.map(decodeBytes));
  } catch (error) {
    if (error instanceof CsvError) return {reason: REASONS[error.code] ?? `it is no CSV (${error.code})`};
    throw error;
  }
}

const REASONS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is not closed, so it reaches up to the end of the input',
  CSV_INVALID_CLOSING_QUOTE: 'a quote inside a value in quotes must be doubled',
  INVALID_OPENING_QUOTE: 'a value that holds a quote must be in quotes',
};

/** Read in one go, which is much faster than one by one; a large chunk is not in memory as values all at once. */
const ROWS_AT_ONCE = 500;

class CsvPage implements InputPage {
  readonly #rows: readonly CsvRow[];
  readonly #read: (rows: readonly CsvRow[]) => InputItem[];
  /** Those of the rows that were read last. */
  #items: InputItem[] = [];
  #position: InputPosition;
  #positionBefore: InputPosition;
  #taken = 0;

  /** `position` is before `rows`; `read` gives an item for each row. */
  constructor(position: InputPosition, rows: readonly CsvRow[], read: (rows: readonly CsvRow[]) => InputItem[]) {
    this.#position = position;
    this.#positionBefore = position;
    this.#rows = rows;
    this.#read = read;
  }

  next(): InputItem | undefined {
    const row = this.#rows[this.#taken];
    if (row === undefined) return undefined;
    const index = this.#taken % ROWS_AT_ONCE;
    if (index === 0) this.#items = this.#read(this.#rows.slice(this.#taken, this.#taken + ROWS_AT_ONCE));
    this.#taken++;
    this.#positionBefore = this.#position;
    this.#position = row.behind;
    return this.#items[index];
  }

  get position(): InputPosition {
    return this.#position;
  }

  get positionBefore(): InputPosition {
    return this.#positionBefore;
  }
}

/** A row without the end of its line; `number` is the line in which it begins, `behind` the position behind its newline. */
type CsvRow = Line & {readonly behind: InputPosition};

const [QUOTE, COMMA, LF, CARRIAGE_RETURN] = [0x22, 0x2c, 0x0a, 0x0d];

/** Where in a row the next byte is. */
type Where = 'value begins' | 'in value' | 'in quotes' | 'behind quote';

/**
 * Rows from `from` on in the batches in which they arrive, blank ones too. A row whose
 * quotes never close goes on to the end; one that is cut off is none. With
 * `onUnfinished`, a last row without newline is left out and reported.
 */
async function* readCsvRows(
  source: AsyncIterable<Uint8Array | string>,
  {maxBytes, from, onUnfinished}: {maxBytes: number; from: InputPosition; onUnfinished?: Unfinished},
): AsyncGenerator<CsvRow[], void, void> {
  const parts = new LineParts(maxBytes);
  let where: Where = 'value begins';
  let {bytes: offset, line} = from;
  let rowLine = line;
  for await (const chunk of wholeChunks(source)) {
    const rows: CsvRow[] = [];
    if (chunk === undefined) {
      if (parts.byteCount > 0 && onUnfinished === undefined)
        yield [rowOf(parts.finish(), rowLine + 1, {bytes: offset, line: line + 1})];
      else if (parts.byteCount > 0) onUnfinished?.();
      return;
    }
    let start = 0;
    for (let at = 0; at < chunk.length; at++, offset++) {
      const byte = chunk[at]!;
      if (byte === LF) line++;
      if (byte === LF && where !== 'in quotes') {
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
