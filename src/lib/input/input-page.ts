/**
 * What readers of input hand out: items, one at a time, and how far they have
 * come. A page is what arrived together, so whoever has dealt with one need not
 * wait for more input to go on. Invariant: reading on from `position` gives exactly
 * the items that have not been handed out.
 */

import type {FlatRecord} from '../records/flat-record.js';
import type {InputRecord} from './record-fields.js';

/** A position in the input, between two records. */
export interface InputPosition {
  /** From the start of the input. */
  readonly bytes: number;
  /** Lines in front of it. */
  readonly line: number;
}

export interface InputPage {
  /** The next item, undefined at the end of the page. A FlatRecord is valid until the next call. */
  next(): InputItem | undefined;
  /** The position after the items that were returned. */
  readonly position: InputPosition;
  /** The position before the item that `next` returned last. */
  readonly positionBefore: InputPosition;
}

export type InputItem = FlatRecord | GoodLine | BadLine;

export interface GoodLine extends InputRecord {
  readonly line: number;
}

/** A line that is no record. `excerpt` is short and still unescaped. */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
  readonly column?: number;
  readonly excerpt?: string;
}

export const isBadLine = (item: InputItem): item is BadLine => 'reason' in item;

export const START: InputPosition = {bytes: 0, line: 0};
