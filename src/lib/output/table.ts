/** Tables for people at a terminal. The only module that imports cli-table3. Every cell is escaped; none can move the cursor. */
import Table from 'cli-table3';
import type {Colors} from './colors.js';
import {escapeForTerminal} from './sanitize.js';

export interface Column<Row> {
  heading: string;
  /** Numbers line up on the right. */
  right?: boolean;
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
  middle: '  ',
};

/** The table as text, with a newline at its end. */
export function renderTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], colors: Colors): string {
  const table = new Table({
    head: columns.map(({heading}) => colors.heading(heading)),
    colAligns: columns.map(({right}) => (right ? 'right' : 'left')),
    chars: BORDERLESS,
    style: {head: [], border: [], 'padding-left': 0, 'padding-right': 0},
  });
  for (const row of rows) table.push(columns.map(({cell}) => escapeForTerminal(String(cell(row)))));
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** Facts one under the other, their names in a column: for one thing seen closely. */
export function renderFacts(
  facts: readonly (readonly [name: string, value: string | number])[],
  colors: Colors,
): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts
    .map(([name, value]) => `${colors.dim(name.padEnd(width))}  ${escapeForTerminal(String(value))}\n`)
    .join('');
}
