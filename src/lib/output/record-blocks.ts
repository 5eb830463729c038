/**
 * The lines of record-lines.ts as blocks: columns and note are a title, and each field has lines of its own, where JSON is
 * indented and text keeps its lines. Invariant: nothing is cut, and a block says all that the line says.
 */
import {displayBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {cellsOf} from './cell-width.js';
import type {Display} from './display.js';
import {prettyIfJson} from './pretty-json.js';
import type {LineColumn, RecordLine} from './record-lines.js';
import {escapeForTerminal} from './sanitize.js';
import {padded} from './text-layout.js';

const INDENT = '  ';
/** A name that is longer has its value below it. */
const WIDEST_NAME = 24;

export class RecordBlocks {
  readonly #columns: readonly LineColumn[];
  readonly #display: Display;
  #heading: string | undefined;
  #isFirst = true;

  constructor(columns: readonly LineColumn[], display: Display) {
    this.#columns = columns;
    this.#display = display;
  }

  of(lines: readonly RecordLine[]): string {
    return lines.map((line) => this.#block(line)).join('');
  }

  #block(line: RecordLine): string {
    const {heading, fields} = line;
    const gap = this.#isFirst ? '' : '\n';
    this.#isFirst = false;
    const isNew = heading !== this.#heading;
    this.#heading = heading;
    const above = isNew ? `${this.#display.colors.heading(escapeForTerminal(heading))}\n` : '';
    return `${gap}${above}${this.#title(line)}\n${this.#fields(fields)}`;
  }

  #title({cells, note = ''}: RecordLine): string {
    const {colors} = this.#display;
    const painted = this.#columns.map(({paint = String}, at) => paint(escapeForTerminal(cells[at]!), colors));
    return [...painted, colors.dim(note)].filter(Boolean).join(INDENT);
  }

  #fields(fields: readonly Field[]): string {
    const names = fields.map(([name]) => escapeForTerminal(displayBytes(name)));
    const width = Math.max(0, ...names.map(cellsOf).filter((cells) => cells <= WIDEST_NAME));
    return fields.map(([_, value], at) => this.#field(names[at]!, displayBytes(value), width)).join('');
  }

  #field(name: string, value: string, width: number): string {
    const lines = (prettyIfJson(value) ?? value).split('\n').map(escapeForTerminal);
    const indent = INDENT + ' '.repeat(width) + INDENT;
    const painted = this.#display.colors.name(name);
    const start =
      cellsOf(name) > width ? `${INDENT}${painted}\n${indent}` : `${INDENT}${padded(painted, width)}${INDENT}`;
    return `${start}${lines.join(`\n${indent}`)}`.replace(/[ ]+$/gm, '').concat('\n');
  }
}
