/**
 * What views need to know of the terminal, or of the pipe, that they are shown in: its width and height in cells, colours, and
 * how numbers are written. Invariant: no line of a view is wider than `columns`.
 */

import {withCommas} from '../number-text.js';
import {type Colors, colors} from './colors.js';

export interface Display {
  colors: Colors;
  columns: number;
  rows: number;
  /** A person sees it: what is unsafe is escaped. */
  terminal: boolean;
  /** A number as a person reads it: `1,234,567` on a terminal. */
  count(value: number | bigint): string;
}

export interface DisplayOptions {
  terminal: boolean;
  color: boolean;
  columns: number;
  rows: number;
}

export const displayOf = ({terminal, color, columns, rows}: DisplayOptions): Display => ({
  terminal,
  colors: colors(color),
  columns,
  rows,
  count: terminal ? withCommas : String,
});
