/** Where output is shown: the terminal that standard output is, or 80 columns of a pipe. */
import {type Display, displayOf} from '../output/display.js';
import {environment} from './environment.js';
import {standardOutput} from './standard-streams.js';

const PIPE_COLUMNS = 80;
const PIPE_ROWS = 24;
/** Lines of text that are longer are hard to read. */
const MOST_COLUMNS = 100;

/** Of now: a window can change. `COLUMNS` and `LINES` count where the terminal does not say. */
export function standardDisplay(): Display {
  const terminal = standardOutput.isTTY;
  const [columns = 0, rows = 0] = terminal ? standardOutput.getWindowSize() : [];
  const {COLUMNS, LINES} = environment();
  return displayOf({
    terminal,
    color: wantsColor(terminal),
    columns: columns || wholeOf(COLUMNS) || PIPE_COLUMNS,
    rows: rows || wholeOf(LINES) || PIPE_ROWS,
  });
}

/** Whether a view may take the whole terminal. */
export const hasFullScreen = (): boolean => standardOutput.isTTY && takesControls();

/** Whether a terminal takes control sequences: nothing is known of one without a name (term(7)). */
export function takesControls(): boolean {
  const {TERM} = environment();
  return TERM !== undefined && TERM !== 'dumb';
}

/** Whether the terminal has more than the characters of ASCII (locale(7)). */
export function hasUnicode(): boolean {
  const {LC_ALL, LC_CTYPE, LANG} = environment();
  return /utf-?8/i.test(LC_ALL ?? LC_CTYPE ?? LANG ?? '');
}

/** Columns for text: those of the terminal, within what is easy to read, and 80 in a pipe. */
export const textWidth = (): number =>
  standardOutput.isTTY ? Math.min(standardDisplay().columns, MOST_COLUMNS) : PIPE_COLUMNS;

const wholeOf = (text: string | undefined): number => (/^\d{1,4}$/.test(text ?? '') ? Number(text) : 0);

export function wantsColor(terminal: boolean): boolean {
  const {NO_COLOR, FORCE_COLOR} = environment();
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0';
  return NO_COLOR === undefined && terminal && takesControls();
}
