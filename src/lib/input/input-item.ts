/**
 * What an input is made of, whatever its format: pages of items, each a record or a line that is none, and positions between
 * them. Nothing is read here.
 */
import type {Buffer} from 'node:buffer';
import type {FlatRecord} from '../records/raw-fields.js';
import type {InputRecord} from './record-fields.js';

/** A position in the input between two records. */
export interface InputPosition {
  /** From the start of the input. */
  readonly bytes: number;
  /** Lines before it. */
  readonly line: number;
}

/** Items that arrived together: a reader that has dealt with them need not wait for more input to go on. */
export interface InputPage {
  /** The next item, undefined at the end of the page. A FlatRecord is valid until the next call. */
  next(): InputItem | undefined;
  /** Where reading resumes with the item after the last one: undefined where the input cannot be read again. */
  readonly position?: InputPosition;
  /** Where reading resumes with the last item. */
  readonly positionBefore?: InputPosition;
}

export type InputItem = FlatRecord | GoodLine | BadLine;

export interface GoodLine extends InputRecord {
  readonly line: number;
}

/** So much of an input shows of which format it is. */
export const HEAD_BYTES = 16 * 1024;

/** A line that is no record. `excerpt` is short and still unescaped. */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
  readonly column?: number;
  readonly excerpt?: string;
  /** The beginning of the input, where this is its first line: the input may be of another format. */
  readonly head?: Buffer;
  /** What to do about it, where that is known. */
  readonly hint?: string;
}

export const isBadLine = (item: InputItem): item is BadLine => 'reason' in item;

export const START: InputPosition = {bytes: 0, line: 0};

/** For people: `line 17 column 5: expected , or }, near "…"`. */
export function describeBadLine({line, column, reason, excerpt}: BadLine): string {
  const where = column === undefined ? `line ${line}` : `line ${line} column ${column}`;
  return `${where}: ${reason}${excerpt === undefined ? '' : `, near "${excerpt}"`}`;
}
