/**
 * CSV as in RFC 4180, with CRLF and a line of headings, and TSV, where `\t`, `\n`, `\r` and `\\` stand for what would break a
 * line. Invariant: a parser gets back the cells as they were, also those that a spreadsheet would take for formulas.
 */
import {type Bytes, bytesToJson} from '../records/bytes.js';
import {encodeName, factsToJson} from '../records/names.js';
import {escapeForTerminal} from './sanitize.js';

export type Delimited = 'csv' | 'tsv';

const TSV_ESCAPES: Record<string, string> = {'\t': '\\t', '\n': '\\n', '\r': '\\r', '\\': '\\\\'};

export class DelimitedLines {
  readonly #line: (cells: readonly string[]) => string;
  /** Until it was printed. */
  #headings: readonly string[] | undefined;

  /** With `terminal`, cells are safe to show. */
  constructor(format: Delimited, headings: readonly string[], terminal: boolean) {
    const safe = terminal ? escapeForTerminal : String;
    this.#line = (cells) => delimitedLine(format, cells.map(safe));
    this.#headings = headings;
  }

  /** A line for each of `rows`; before the first one, the headings. */
  of(rows: readonly (readonly string[])[]): string {
    const headings = this.#headings === undefined ? '' : this.#line(this.#headings);
    this.#headings = undefined;
    return headings + rows.map(this.#line).join('');
  }
}

export const delimitedLine = (format: Delimited, cells: readonly string[]): string =>
  format === 'csv' ? csvLine(cells) : tsvLine(cells);

/** An empty cell that is alone in its row would be an empty line, which parsers skip. */
const csvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => (/[",\r\n]/.test(cell) || (cell === '' && cells.length === 1) ? quotedCell(cell) : cell)).join(',')}\r\n`;

const quotedCell = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;

const tsvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => cell.replace(/[\t\n\r\\]/g, (char) => TSV_ESCAPES[char]!)).join('\t')}\n`;

/** Text as it is, bytes that are not UTF-8 as JSON has them. */
export const bytesCell = (bytes: Bytes): string => (typeof bytes === 'string' ? bytes : bytesToJson(bytes));

export const nameCell = (name: string): string => bytesCell(encodeName(name));

/** A fact as a cell: nothing for null, JSON for what has parts. */
export function factCell(fact: unknown): string {
  if (fact === undefined || fact === null) return '';
  if (typeof fact === 'string') return nameCell(fact);
  return typeof fact === 'object' ? factsToJson(fact) : String(fact);
}
