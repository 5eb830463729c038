/**
 * Reads records from standard input or a file, in the pages in which they
 * arrive. A line that is no record comes out as a BadLine, in order, and the
 * caller decides what to do about it. Invariant: every line comes out exactly
 * once, as a record, as a BadLine or counted as blank.
 */
import {Buffer, isUtf8} from 'node:buffer';
import {decodeBytes} from '../records/bytes.js';
import {skipBlank} from '../records/json-tokens.js';
import {BadJson} from './bad-json.js';
import type {ShortRows} from './csv.js';
import {
  type BadLine,
  HEAD_BYTES,
  type InputItem,
  type InputPage,
  type InputPosition,
  isBadLine,
  START,
} from './input-item.js';
import {LinePage} from './line-page.js';
import {type Line, RunSplitter, tooLongReason, type Unfinished, wholeChunks, withoutBom} from './lines.js';
import {NdjsonFastPath} from './ndjson-fast-path.js';
import {readExportedRecord, readJsonFields} from './record-fields.js';

const NEWLINE = 0x0a;

export type InputKind = 'ndjson' | 'text' | 'csv' | 'envelope';

export interface InputOptions {
  kind: InputKind;
  /** The field that holds a line of `text`. */
  field: string;
  nullText?: string;
  /** A longer line is refused. */
  maxRecordBytes: number;
  /** What ends a text of `text`, where that is no newline. */
  separator?: Buffer | undefined;
  /** Of `csv`. */
  delimiter?: number | undefined;
  shortRows?: ShortRows | undefined;
}

/** Where to resume an input that was read before: the source begins there. */
export interface Continuation {
  from?: InputPosition;
  /** The input from its start, for `csv`, whose names are there. Without it the source is that itself. */
  head?: AsyncIterable<Uint8Array | string>;
  /** With it, a last line without newline is left out and reported: the input may grow. */
  onUnfinished?: Unfinished;
}

/**
 * Records and bad lines in the order of the input; blank lines are skipped.
 * A page has to be read to its end before the next one.
 */
export async function* readRecords(
  source: AsyncIterable<Uint8Array | string>,
  options: InputOptions & Continuation,
): AsyncGenerator<InputPage, void, void> {
  if (options.kind === 'csv') {
    // Few runs need the parser, which takes 5 ms to load.
    const {readCsv} = await import('./csv.js');
    yield* readCsv(source, options);
    return;
  }
  const {separator} = options;
  if (separator !== undefined) {
    const {readSeparated} = await import('./separated-text.js');
    yield* readSeparated(source, {...options, separator});
    return;
  }
  const {kind, maxRecordBytes: maxBytes} = options;
  const fastPath = kind === 'ndjson' ? new NdjsonFastPath() : undefined;
  const splitter = new RunSplitter(maxBytes);
  let position = options.from ?? START;
  const first = position.bytes === 0 && kind !== 'text' ? new FirstLine() : undefined;
  const reading = {
    maxBytes,
    fastPath,
    readLine: (line: Line) => {
      const item = readLine(line, options);
      return item !== undefined && isBadLine(item) ? (first?.described(item) ?? item) : item;
    },
  };
  for await (const chunk of wholeChunks(source)) {
    if (chunk !== undefined) first?.keep(chunk);
    const runs = chunk === undefined ? splitter.end(options.onUnfinished) : splitter.split(chunk);
    if (runs.length === 0) continue;
    const page = new LinePage(position, runs, reading);
    yield page;
    if (page.next() !== undefined) throw new Error('a page of input was left before its end');
    position = page.position;
    first?.passed(position.bytes);
  }
}

/** The same for an input that is in memory as a whole. A `fastPath` may be shared by readings one after the other. */
export function recordsOf(
  bytes: Buffer,
  options: InputOptions & {kind: 'ndjson'},
  fastPath: NdjsonFastPath,
): InputPage {
  const isWhole = bytes.at(-1) === NEWLINE;
  const run = {bytes: isWhole ? bytes : Buffer.concat([bytes, Buffer.of(NEWLINE)]), sizeBytes: bytes.length};
  const {maxRecordBytes: maxBytes} = options;
  return new LinePage(START, [run], {maxBytes, fastPath, readLine: (line: Line) => readLine(line, options)});
}

/** The beginning of an input, until its first line is known to be a record. */
class FirstLine {
  #head: Buffer | undefined = Buffer.alloc(0);

  keep(chunk: Buffer): void {
    if (this.#head === undefined || this.#head.length >= HEAD_BYTES) return;
    const part = chunk.subarray(0, HEAD_BYTES);
    this.#head = this.#head.length === 0 ? part : Buffer.concat([this.#head, part]);
  }

  /** So much of the input has been read. */
  passed(bytes: number): void {
    if (this.#head !== undefined && this.#blankBytes < bytes) this.#head = undefined;
  }

  /** `item`, with what the input begins with if this is its first line. */
  described(item: BadLine): BadLine {
    const head = this.#head;
    if (head === undefined) return item;
    const linesBefore = head.toString('latin1', 0, this.#blankBytes).split('\n').length - 1;
    this.#head = undefined;
    return item.line === linesBefore + 1 ? {...item, head} : item;
  }

  get #blankBytes(): number {
    const head = this.#head!;
    return skipBlank(head, head.length - withoutBom(head).length, head.length);
  }
}

function readLine(line: Line, options: InputOptions): InputItem | undefined {
  const {number} = line;
  if ('tooLongBytes' in line) return {line: number, reason: tooLongReason(line.tooLongBytes, options.maxRecordBytes)};
  const bytes = number === 1 ? withoutBom(line.bytes) : line.bytes;
  if (options.kind === 'text')
    return bytes.length === 0 ? undefined : {line: number, fields: [[options.field, decodeBytes(bytes)]]};
  if (!isUtf8(bytes)) return {line: number, reason: 'it is not valid UTF-8; --input text keeps bytes as they are'};
  return readJsonLine(number, bytes.toString('utf8'), options);
}

function readJsonLine(line: number, text: string, {kind, nullText}: InputOptions): InputItem | undefined {
  if (/^[ \t\r]*$/.test(text)) return undefined;
  try {
    const rules = {nullText};
    if (kind !== 'envelope') return {line, fields: readJsonFields(text, rules)};
    const record = readExportedRecord(text, rules);
    return record && {line, ...record};
  } catch (error) {
    if (!(error instanceof BadJson)) throw error;
    return {line, column: error.column, reason: error.message, excerpt: excerptOf(text, error.column)};
  }
}

/** A few characters from the column on, never a whole line. */
const excerptOf = (text: string, column: number): string | undefined => {
  const part = text.slice(column - 1, column + 23).trimEnd();
  return part === '' ? undefined : part;
};
