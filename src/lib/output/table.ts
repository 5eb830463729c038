/**
 * Tables and facts. Invariant: every cell is escaped, and no line is wider than the display: names are cut first, then
 * columns go, those of the highest `priority` number first, and a last line says which. A figure is never cut.
 */
import Table from 'cli-table3';
import {cellsOf, cutEnd, cutMiddle, fold} from './cell-width.js';
import {fitColumns, GAP, hiddenLine, type SizedColumn} from './column-fit.js';
import type {Display} from './display.js';
import {escapeForCell, escapeForTerminal} from './sanitize.js';

export interface Column<Row> {
  heading: string;
  /** Aligned on the right, as numbers are. */
  right?: boolean;
  /** Its cells may be cut to this many cells of the terminal. Absent: they are never cut. */
  least?: number;
  /** Where there is no room, the column with the greatest number goes first; 0, which is the default, goes last. */
  priority?: number;
  /** A number is written with separators on a terminal. */
  cell(row: Row): string | number;
}

const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(GAP),
};

/** A column with its cells, escaped, and the width that it wants. */
interface Filled extends SizedColumn {
  heading: string;
  right: boolean;
  cells: string[];
}

/** The table as text that ends with a newline. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], display: Display): string {
  const filled = columns.map((column) => fill(column, rows, display));
  const shown = fitColumns(filled, display.columns);
  const hidden = filled.filter((column) => !shown.includes(column)).map(({heading}) => heading);
  return layOut(shown, rows.length, display) + (hidden.length === 0 ? '' : hiddenLine(hidden, display));
}

function fill<Row>(
  {heading, right = false, least, priority = 0, cell}: Column<Row>,
  rows: readonly Row[],
  {count}: Display,
): Filled {
  const cells = rows.map((row) => {
    const value = cell(row);
    return typeof value === 'number' ? count(value) : escapeForCell(value);
  });
  let width = heading.length;
  for (const text of cells) width = Math.max(width, cellsOf(text));
  return {heading, right, least, priority, cells, width};
}

/** cli-table3 compares each cell with all others: 20,000 rows at once would take it two minutes. */
const ROWS_AT_ONCE = 100;

/**
 * cli-table3 measures by an old Unicode, so it lays out stand-ins, a letter for each cell of the terminal, which the
 * texts then replace, in the order of rows and columns. An empty text has no stand-in.
 */
function layOut(columns: readonly Filled[], rows: number, {colors}: Display): string {
  const texts: string[] = [];
  const standIn = (text: string, paint: (text: string) => string): string => {
    const cells = cellsOf(text);
    if (cells > 0) texts.push(paint(text));
    return 'x'.repeat(cells);
  };
  const lines = [columns.map(({heading, width}) => standIn(cutEnd(heading, width), colors.heading))];
  for (let row = 0; row < rows; row++) {
    lines.push(columns.map(({cells, width}) => standIn(cutMiddle(cells[row]!, width), String)));
  }
  let next = 0;
  let text = '';
  for (let at = 0; at < lines.length; at += ROWS_AT_ONCE) {
    const table = new Table({
      colWidths: columns.map(({width}) => width),
      colAligns: columns.map(({right}) => (right ? 'right' : 'left')),
      chars: BORDERLESS,
      style: {head: [], border: [], 'padding-left': 0, 'padding-right': 0},
    });
    table.push(...lines.slice(at, at + ROWS_AT_ONCE));
    for (const line of table.toString().split('\n')) text += `${line.trimEnd().replace(/x+/g, () => texts[next++]!)}\n`;
  }
  return text;
}

/** A line above a table. */
export const renderHeading = (text: string, {colors, columns}: Display): string =>
  `${colors.heading(cutMiddle(escapeForTerminal(text), columns))}\n`;

/** Facts one below the other, their names in a column. A value that is too wide goes on in the next line. */
export function renderFacts(
  facts: readonly (readonly [name: string, value: string | number])[],
  {colors, columns, count}: Display,
): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  const besides = columns - width - GAP;
  return facts
    .map(([name, value]) => {
      const lines = fold(typeof value === 'number' ? count(value) : escapeForCell(value), besides);
      const indent = ' '.repeat(width + GAP);
      return `${colors.dim(name.padEnd(width))}  ${lines.map((line) => `${line}\n`).join(indent)}`;
    })
    .join('');
}
