/**
 * Reads texts that end at a separator other than a newline, as `find -print0` writes them. Invariant:
 * they are what splitting the whole input at each separator gives, from the left; memory is bounded by one chunk
 * and the longest text that is allowed.
 */
import {Buffer} from 'node:buffer';
import {decodeBytes} from '../records/bytes.js';
import type {InputItem, InputPage} from './input-item.js';
import {START} from './input-item.js';
import {LineParts, tooLongReason, wholeChunks} from './lines.js';
import {type Row, RowPage} from './row-page.js';

export interface SeparatedOptions {
  /** At least one byte. */
  separator: Buffer;
  /** The field that holds a text. */
  field: string;
  /** A longer text is refused. */
  maxRecordBytes: number;
}

/** A record for each text that is not empty; `line` counts texts. The last one needs no separator. */
export async function* readSeparated(
  source: AsyncIterable<Uint8Array | string>,
  {separator, field, maxRecordBytes}: SeparatedOptions,
): AsyncGenerator<InputPage, void, void> {
  const splitter = new TextSplitter(separator, maxRecordBytes);
  const itemOf = (row: Row): InputItem =>
    'bytes' in row
      ? {line: row.number, fields: [[field, decodeBytes(row.bytes)]]}
      : {line: row.number, reason: tooLongReason(row.tooLongBytes, maxRecordBytes)};
  let position = START;
  for await (const chunk of wholeChunks(source)) {
    const rows = chunk === undefined ? splitter.end() : splitter.split(chunk);
    const texts = rows.filter((row) => 'tooLongBytes' in row || row.bytes.length > 0);
    if (texts.length === 0) continue;
    yield new RowPage(position, texts, (some) => some.map(itemOf));
    position = rows.at(-1)!.behind;
  }
}

class TextSplitter {
  readonly #separator: Buffer;
  readonly #parts: LineParts;
  /** The end of the last chunk, with which a separator may begin. */
  #rest = Buffer.alloc(0);
  #number = 0;
  #offset = 0;

  constructor(separator: Buffer, maxBytes: number) {
    this.#separator = separator;
    this.#parts = new LineParts(maxBytes);
  }

  /** The texts that end in `chunk`. */
  split(chunk: Buffer): Row[] {
    const {length} = this.#separator;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const rows: Row[] = [];
    let start = 0;
    for (let end = bytes.indexOf(this.#separator); end !== -1; end = bytes.indexOf(this.#separator, start)) {
      this.#parts.keep(bytes.subarray(start, end));
      this.#offset += end + length - start;
      rows.push(this.#finish());
      start = end + length;
    }
    const kept = Math.max(start, bytes.length - length + 1);
    this.#parts.keep(bytes.subarray(start, kept));
    this.#offset += kept - start;
    this.#rest = Buffer.from(bytes.subarray(kept));
    return rows;
  }

  end(): Row[] {
    this.#parts.keep(this.#rest);
    this.#offset += this.#rest.length;
    return this.#parts.byteCount === 0 ? [] : [this.#finish()];
  }

  #finish(): Row {
    const number = ++this.#number;
    return {...this.#parts.finish(), number, behind: {bytes: this.#offset, line: number}};
  }
}
