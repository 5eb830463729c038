/** Tables for a terminal. Invariant: every cell is escaped. */
import Table from 'cli-table3';
import type {Colors} from './colors.js';
import {escapeForTerminal} from './sanitize.js';

export interface Column<Row> {
  heading: string;
  /** Aligned on the right, as numbers are. */
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

/** The table as text that ends with a newline. */
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

/** Facts one below the other, their names in a column. */
export function renderFacts(
  facts: readonly (readonly [name: string, value: string | number])[],
  colors: Colors,
): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts
    .map(([name, value]) => `${colors.dim(name.padEnd(width))}  ${escapeForTerminal(String(value))}\n`)
    .join('');
}
