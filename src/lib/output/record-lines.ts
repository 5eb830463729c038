/**
 * Entries as lines for a person: columns, then fields. Columns stay aligned from batch to batch: they only get wider. What is the
 * same for all that follow, such as the stream, is a heading above them. Invariant: a line has the width of the display at
 * most, unless `full`: columns go, then values are cut, and names of fields last.
 */
import {displayBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {cellsOf, cutEnd, cutMiddle} from './cell-width.js';
import type {Colors} from './colors.js';
import {fitColumns, GAP, hiddenLine, type SizedColumn} from './column-fit.js';
import type {Display} from './display.js';
import {escapeForTerminal} from './sanitize.js';
import {padded} from './text-layout.js';

export interface LineColumn {
  name: string;
  priority: number;
  /** Its cells may be cut to this many. */
  least?: number;
  right?: boolean;
  paint?(text: string, colors: Colors): string;
}

export interface RecordLine {
  heading: string;
  /** A text for each column, not escaped. */
  cells: readonly string[];
  fields: readonly Field[];
  /** Behind the fields. */
  note?: string;
}

const ELLIPSIS = '…';
/** Cells that fields get even where that hides columns. */
const LEAST_FIELDS = 24;
/** Of a name or value that may be cut, more is not looked at. */
const MOST_CHARACTERS = 2_000;

export class RecordLines {
  readonly #columns: readonly LineColumn[];
  readonly #display: Display;
  readonly #full: boolean;
  readonly #widths: number[];
  #heading: string | undefined;
  #hidden = '';

  constructor(columns: readonly LineColumn[], display: Display, full: boolean) {
    this.#columns = columns;
    this.#display = display;
    this.#full = full;
    this.#widths = columns.map(() => 0);
  }

  of(lines: readonly RecordLine[]): string {
    const escaped = lines.map((line) => ({...line, cells: line.cells.map(escapeForTerminal)}));
    for (const {cells} of escaped) {
      for (const [at, text] of cells.entries()) this.#widths[at] = Math.max(this.#widths[at]!, cellsOf(text));
    }
    const shown = this.#shownColumns(Math.max(0, ...lines.map(leastRoom)));
    const hidden = this.#columns.filter((_, at) => this.#widths[at]! > 0 && !shown.some((column) => column.at === at));
    return this.#hiddenLine(hidden) + escaped.map((line) => this.#headingOf(line) + this.#line(line, shown)).join('');
  }

  /** Those for which there is room beside `fields`. */
  #shownColumns(fields: number): (SizedColumn & {at: number})[] {
    const sized = this.#columns
      .map(({least, priority}, at) => ({at, least, priority, width: this.#widths[at]!}))
      .filter(({width}) => width > 0);
    const {columns} = this.#display;
    return this.#full ? sized : fitColumns(sized, columns - Math.min(fields, Math.floor(columns / 2)));
  }

  /** Once, and again when more had to go. */
  #hiddenLine(hidden: readonly LineColumn[]): string {
    const names = hidden.map(({name}) => name);
    if (names.length === 0 || names.join() === this.#hidden) return '';
    this.#hidden = names.join();
    return hiddenLine(names, this.#display);
  }

  #headingOf({heading}: RecordLine): string {
    if (heading === this.#heading) return '';
    this.#heading = heading;
    if (heading === '') return '';
    const {colors, columns} = this.#display;
    return `${colors.heading(cutMiddle(escapeForTerminal(heading), columns))}\n`;
  }

  #line({cells, fields, note: wholeNote = ''}: RecordLine, shown: readonly (SizedColumn & {at: number})[]): string {
    const {colors, columns} = this.#display;
    const parts = shown.map(({at, width}) => {
      const {right, paint = String} = this.#columns[at]!;
      const text = cutMiddle(cells[at]!, width);
      const painted = paint(text, colors);
      return right ? ' '.repeat(width - cellsOf(text)) + painted : padded(painted, width);
    });
    const room = columns - shown.reduce((sum, {width}) => sum + width + GAP, 0);
    const note = this.#full ? wholeNote : cutEnd(wholeNote, room);
    const besides = note === '' ? 0 : cellsOf(note) + GAP;
    const text = this.#full ? fieldsText(fields, colors) : fieldsWithin(fields, room - besides, colors);
    return `${[...parts, text, note === '' ? '' : colors.dim(note)].filter(Boolean).join(' '.repeat(GAP)).trimEnd()}\n`;
  }
}

/** What a line needs behind its columns, if its values are cut. */
const leastRoom = ({fields, note = ''}: RecordLine): number =>
  (fields.length === 0 ? 0 : LEAST_FIELDS + GAP) + (note === '' ? 0 : cellsOf(note) + GAP);

/** `type=login user=7`, safe on a terminal. */
export const fieldsText = (fields: readonly Field[], colors: Colors): string =>
  fields.map(([name, value]) => `${colors.name(quoted(displayBytes(name)))}=${quoted(displayBytes(value))}`).join(' ');

/** The same in at most `room` cells: long values are cut, all to the same width; where that is not enough, the rest is `…`. */
export function fieldsWithin(fields: readonly Field[], room: number, colors: Colors): string {
  const texts = fields.map(([name, value]) => ({name: quotedStart(name), value: quotedStart(value)}));
  const around = texts.reduce((sum, {name}) => sum + cellsOf(name) + '= '.length, -1);
  const most = levelFor(
    texts.map(({value}) => cellsOf(value)),
    room - around,
  );
  let text = '';
  let left = room;
  for (const [at, {name, value}] of texts.entries()) {
    const gap = at === 0 ? '' : ' ';
    // Where more follows there has to be room to say so.
    const more = at < texts.length - 1 ? ` ${ELLIPSIS}` : '';
    const cut = cutQuoted(value, most);
    const needed = gap.length + cellsOf(name) + 1 + cellsOf(cut);
    if (needed + more.length > left) return text + gap + colors.dim(cutEnd(`${name}=${cut}${more}`, left - gap.length));
    text += `${gap}${colors.name(name)}=${cut}`;
    left -= needed;
  }
  return text;
}

/** The greatest width to which all `widths` may be cut so that they fit; never less than `LEAST_VALUE`. */
function levelFor(widths: readonly number[], room: number): number {
  let left = room;
  const sorted = widths.toSorted((a, b) => a - b);
  for (const [at, width] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - at));
    if (width > share) return Math.max(LEAST_VALUE, share);
    left -= width;
  }
  return Number.POSITIVE_INFINITY;
}

const LEAST_VALUE = 6;

/** `"two wor…"`: the quotes stay. */
const cutQuoted = (text: string, cells: number): string =>
  text.startsWith('"') && cellsOf(text) > cells ? `"${cutEnd(text.slice(1, -1), cells - 2)}"` : cutEnd(text, cells);

const quotedStart = (bytes: Field[0]): string => {
  const text = displayBytes(bytes);
  return quoted(text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);
};

/** A text that is safe on a terminal, in quotes where it would run into its neighbours. */
export function quoted(text: string): string {
  const safe = escapeForTerminal(text);
  return safe === '' || /[\s="]/.test(safe) ? `"${safe.replaceAll('"', '\\"')}"` : safe;
}
