/**
 * The items of runs of lines, made as they are asked for. Where lines may be flat
 * records, the fast path reads them, and only what it refuses is cut out as a
 * line of its own. Invariant: each line is read once, and `position` is always
 * behind a whole one.
 */
import {Buffer, isUtf8} from 'node:buffer';
import type {InputItem, InputPage, InputPosition} from './input-item.js';
import {skipSpace} from './json-scan.js';
import {type Line, lineOf, type Run} from './lines.js';
import type {NdjsonFastPath} from './ndjson-fast-path.js';

export interface LineReading {
  /** A longer line is refused. */
  readonly maxBytes: number;
  /** Undefined for a blank line. */
  readonly readLine: (line: Line) => InputItem | undefined;
  /** For lines that may be flat records. Its record is the item. */
  readonly fastPath?: NdjsonFastPath;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const NO_RUN: Run = {bytes: Buffer.alloc(0), sizeBytes: 0};

export class LinePage implements InputPage {
  readonly #runs: readonly Run[];
  readonly #reading: LineReading;
  #opened = 0;
  #run = NO_RUN;
  #isUtf8 = false;
  /** In the bytes of the run: where the last line that was read begins, and where the next one does. */
  #lineStart = 0;
  #at = 0;
  #line: number;
  /** Where the run ends in the input. */
  #runEnd: number;

  /** `position` is where the first of `runs` begins. */
  constructor(position: InputPosition, runs: readonly Run[], reading: LineReading) {
    this.#runs = runs;
    this.#reading = reading;
    this.#line = position.line;
    this.#runEnd = position.bytes;
  }

  next(): InputItem | undefined {
    let item: InputItem | undefined;
    while (item === undefined && (this.#skipBlankLines() || this.#openRun())) item = this.#readLine();
    return item;
  }

  get position(): InputPosition {
    const {bytes, sizeBytes} = this.#run;
    const left = this.#at === bytes.length ? 0 : sizeBytes - this.#at;
    return {bytes: this.#runEnd - left, line: this.#line};
  }

  get positionBefore(): InputPosition {
    const left = this.#run.sizeBytes - this.#lineStart;
    return {bytes: this.#runEnd - left, line: this.#line - 1};
  }

  /** False when there is none left. */
  #openRun(): boolean {
    const run = this.#runs[this.#opened];
    if (run === undefined) return false;
    this.#opened++;
    this.#run = run;
    this.#runEnd += run.sizeBytes;
    this.#at = 0;
    this.#isUtf8 = this.#reading.fastPath !== undefined && isUtf8(run.bytes);
    return true;
  }

  /**
   * Counts blank lines without making lines of them, since an input of nothing else would take a hundred times as long as
   * one of records. False at the end of the run. Two kinds are left to `readLine`: a line of space,
   * where that may be data, and one that is longer than allowed.
   */
  #skipBlankLines(): boolean {
    const {bytes, tooLongBytes} = this.#run;
    // No blank line begins so, and nearly all lines do.
    if (bytes[this.#at]! > SPACE) return true;
    const {fastPath, maxBytes} = this.#reading;
    while (this.#at < bytes.length && tooLongBytes === undefined) {
      const end = fastPath === undefined ? this.#at : skipSpace(bytes, this.#at);
      if (bytes[end] !== NEWLINE || end - this.#at > maxBytes) break;
      this.#line++;
      this.#at = end + 1;
    }
    return this.#at < bytes.length;
  }

  #readLine(): InputItem | undefined {
    const {bytes} = this.#run;
    const start = this.#at;
    this.#lineStart = start;
    const {fastPath, maxBytes, readLine} = this.#reading;
    const number = ++this.#line;
    if (fastPath !== undefined) {
      const end = fastPath.scan(bytes, start);
      if (end !== -1 && end - start <= maxBytes && (this.#isUtf8 || isUtf8(bytes.subarray(start, end)))) {
        this.#at = end + 1;
        fastPath.record.line = number;
        return fastPath.record;
      }
    }
    const end = bytes.indexOf(NEWLINE, start);
    this.#at = end + 1;
    return readLine(lineOf(this.#run, number, start, end, maxBytes));
  }
}
