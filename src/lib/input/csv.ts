/**
 * Reads CSV with a header row that names the fields. csv-rows.ts finds where a row ends;
 * csv-parse reads whole rows, so that a broken one does not take its neighbours
 * along. Invariant: each row that is not blank comes out once, in order, under the number of the line in which it begins.
 */
import {Buffer, isUtf8} from 'node:buffer';
import {CsvError, parse} from 'csv-parse/sync';
import {type Bytes, decodeBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {CsvRows, isNotBlank} from './csv-rows.js';
import {type BadLine, type InputItem, type InputPage, type InputPosition, START} from './input-item.js';
import {tooLongReason, type Unfinished} from './lines.js';
import {type Row, RowPage} from './row-page.js';

/** What is done with a row that ends before the last column: it is refused, or the values that it lacks are empty. */
export type ShortRows = 'reject' | 'fill';

export interface CsvOptions {
  /** A longer row is refused. */
  maxRecordBytes: number;
  /** An ASCII character; without it, the first row says it. */
  delimiter?: number | undefined;
  shortRows?: ShortRows | undefined;
  /** Where the source begins in the input. */
  from?: InputPosition;
  /** The input from its start, where the header is; needed with `from`. */
  head?: AsyncIterable<Uint8Array | string>;
  /** With it, a last row without newline is left out and reported. */
  onUnfinished?: Unfinished;
}

/** The values of a row, or why it has none. */
type Values = {readonly values: readonly Bytes[]} | {readonly reason: string};

interface Header {
  readonly names: readonly Bytes[];
  readonly delimiter: number;
}

const NEWLINE = Buffer.from('\n');

/**
 * Records and bad rows. A header that cannot be read ends them, since no value has a
 * name then; no position is behind it, so that a run which resumes reads it again.
 */
export async function* readCsv(
  source: AsyncIterable<Uint8Array | string>,
  options: CsvOptions,
): AsyncGenerator<InputPage, void, void> {
  const {maxRecordBytes: maxBytes, from = START, onUnfinished} = options;
  let header = from.bytes === 0 ? undefined : await headerOf(options);
  const csvRows = new CsvRows({maxBytes, from, delimiter: header?.delimiter ?? options.delimiter, onUnfinished});
  let position = from;
  for await (const page of csvRows.read(source)) {
    const rows = page.filter(isNotBlank);
    if (header === undefined && rows.length > 0) {
      const row = rows.shift()!;
      const read = readHeader(row, csvRows.delimiter, maxBytes);
      if ('reason' in read) {
        yield new RowPage(START, [{...row, behind: START}], () => [read]);
        return;
      }
      header = read;
    }
    if (header === undefined || rows.length === 0) continue;
    const {names, delimiter} = header;
    yield new RowPage(position, rows, (some) => {
      const read = readRows(some, delimiter, maxBytes);
      return some.map(({number}, index) => itemOf(number, names, read[index]!, options.shortRows));
    });
    position = page.at(-1)!.behind;
  }
}

/** Throws a RangeError when there is none: a position in the middle needs the header. */
async function headerOf({head, maxRecordBytes: maxBytes, delimiter}: CsvOptions): Promise<Header> {
  const csvRows = new CsvRows({maxBytes, from: START, delimiter});
  for await (const page of head === undefined ? [] : csvRows.read(head)) {
    const first = page.find(isNotBlank);
    const header = first && readHeader(first, csvRows.delimiter, maxBytes);
    if (header !== undefined && 'names' in header) return header;
  }
  throw new RangeError('a position after the header of CSV needs the header');
}

function readHeader(row: Row, delimiter: number, maxBytes: number): Header | BadLine {
  const unusable = 'bytes' in row ? HEADERS.find(({has}) => has.test(row.bytes.toString('latin1'))) : undefined;
  const read = unusable ?? readRow(row, delimiter, maxBytes);
  if ('values' in read) return {names: read.values, delimiter};
  const badLine = {line: row.number, reason: `the header cannot be read: ${read.reason}`};
  return 'bytes' in row ? {...badLine, head: row.bytes} : badLine;
}

function itemOf(line: number, names: readonly Bytes[], row: Values, shortRows: ShortRows | undefined): InputItem {
  if ('reason' in row) return {line, reason: row.reason};
  const {values} = row;
  const isShort = values.length < names.length;
  if (values.length === names.length || (isShort && shortRows === 'fill'))
    return {line, fields: names.map((name, index): Field => [name, values[index] ?? ''])};
  const reason = `${values.length} values for ${names.length} columns`;
  return isShort ? {line, reason, hint: SHORT_HINT} : {line, reason};
}

/** All in one go, which is much faster than one by one; that is for when one of them is bad. */
function readRows(rows: readonly Row[], delimiter: number, maxBytes: number): Values[] {
  const bytes = rows.flatMap((row) => ('bytes' in row ? [row.bytes, NEWLINE] : []));
  const records = parseCsv(Buffer.concat(bytes), delimiter);
  if (!('reason' in records) && records.length === rows.length) return records.map((values) => ({values}));
  return rows.map((row) => readRow(row, delimiter, maxBytes));
}

function readRow(row: Row, delimiter: number, maxBytes: number): Values {
  if ('tooLongBytes' in row) return {reason: tooLongReason(row.tooLongBytes, maxBytes)};
  const records = parseCsv(row.bytes, delimiter);
  if ('reason' in records) return records;
  // Where the two readers of CSV disagree on where a row ends, nothing of it is left out.
  return records.length === 1 ? {values: records[0]!} : {reason: 'it is no single row of CSV'};
}

/** Nothing is trimmed or converted. */
function parseCsv(bytes: Buffer, delimiter: number): Bytes[][] | {reason: string} {
  const options = {
    delimiter: String.fromCharCode(delimiter),
    record_delimiter: '\n',
    relax_column_count: true,
  };
  try {
    if (isUtf8(bytes)) return parse(bytes, options);
    const records = parse(bytes, {...options, encoding: null}) as unknown as Buffer[][];
    return records.map((values) => values.map(decodeBytes));
  } catch (error) {
    if (error instanceof CsvError) return {reason: REASONS[error.code] ?? `it is no CSV (${error.code})`};
    throw error;
  }
}

/** Headers that could be read and are none. */
const HEADERS = [
  {has: /\0/, reason: 'it holds a zero byte'},
  {has: /\r(?!\n)/, reason: 'its lines end in CR alone; convert them to LF first'},
];
const SHORT_HINT = '--short-rows fill adds rows that end before the last column, with empty values there';

const REASONS: Record<string, string> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is not closed, so it reaches up to the end of the input',
  CSV_INVALID_CLOSING_QUOTE: 'a quote inside a value in quotes must be doubled',
  INVALID_OPENING_QUOTE: 'a value that holds a quote must be in quotes',
};
