/**
 * CSV with a header line that names the fields, read by csv-parse: quotes and
 * line breaks inside values are its trade. Each row becomes a record; a row of
 * another width than the header is a bad line.
 */
import {Readable} from 'node:stream';
import {type CsvError, parse} from 'csv-parse';
import {decodeBytes} from '../bytes.js';
import type {Field} from '../entry.js';
import type {InputItem} from './records.js';

/** Rows handed over at a time. */
const PAGE = 256;

/** Records and bad rows in the order of the input; line numbers are those where a row ends. */
export async function* readCsv(
  source: AsyncIterable<Uint8Array | string>,
  maxRecordBytes: number,
): AsyncGenerator<InputItem[], void, void> {
  const badRows: InputItem[] = [];
  const parser = parse({
    bom: true,
    encoding: null,
    info: true,
    max_record_size: maxRecordBytes,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
  });
  parser.on('skip', (error: CsvError) => badRows.push({line: Number(error.lines), reason: csvReason(error)}));
  const input = Readable.from(source, {objectMode: false});
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);

  let header: Buffer[] | undefined;
  let page: InputItem[] = [];
  for await (const {record, info} of parser as AsyncIterable<{record: Buffer[]; info: {lines: number}}>) {
    page.push(...badRows.splice(0));
    if (header === undefined) header = record;
    else page.push(rowItem(info.lines, header, record));
    if (page.length >= PAGE || parser.readableLength === 0) {
      yield page;
      page = [];
    }
  }
  page.push(...badRows);
  if (page.length > 0) yield page;
}

function rowItem(line: number, header: readonly Buffer[], values: readonly Buffer[]): InputItem {
  if (values.length !== header.length) {
    return {line, reason: `${values.length} values for ${header.length} columns`};
  }
  return {line, fields: header.map((name, index): Field => [decodeBytes(name), decodeBytes(values[index]!)])};
}

const csvReason = (error: CsvError): string =>
  error.code === 'CSV_MAX_RECORD_SIZE'
    ? 'a row is longer than --max-record-bytes'
    : error.code === 'CSV_QUOTE_NOT_CLOSED'
      ? 'a quote is not closed'
      : `it is no CSV (${error.code})`;
