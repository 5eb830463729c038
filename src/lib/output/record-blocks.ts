/** Entries for a person, each field on lines of its own: JSON is indented, and text keeps its lines. Nothing is cut. */
import {displayBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {cellsOf} from './cell-width.js';
import type {Display} from './display.js';
import {prettyIfJson} from './pretty-json.js';
import {escapeForTerminal} from './sanitize.js';
import {padded} from './text-layout.js';

export interface RecordBlock {
  heading: string;
  /** The line above the fields. */
  title: string;
  fields: readonly Field[];
}

const INDENT = '  ';
/** A name that is longer has its value below it. */
const WIDEST_NAME = 24;

export class RecordBlocks {
  readonly #display: Display;
  #heading: string | undefined;
  #isFirst = true;

  constructor(display: Display) {
    this.#display = display;
  }

  of(blocks: readonly RecordBlock[]): string {
    return blocks.map((block) => this.#block(block)).join('');
  }

  #block({heading, title, fields}: RecordBlock): string {
    const gap = this.#isFirst ? '' : '\n';
    this.#isFirst = false;
    const isNew = heading !== this.#heading;
    this.#heading = heading;
    const above = isNew ? `${this.#display.colors.heading(escapeForTerminal(heading))}\n` : '';
    return `${gap}${above}${title}\n${this.#fields(fields)}`;
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
