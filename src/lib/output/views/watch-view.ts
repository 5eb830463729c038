/** What `info --watch` shows: a line about the watch, streams with their rates, and what is wrong, within the window. */
import type {WatchedStream} from '../../observe/stream-watch.js';
import {cutEnd} from '../cell-width.js';
import type {Colors} from '../colors.js';
import type {Display} from '../display.js';
import {escapeForTerminal} from '../sanitize.js';
import type {WindowSize} from '../screen.js';
import {renderStream} from './stream-view.js';

export interface WatchState {
  /** The streams, as `watchedLines` has them. */
  lines: readonly string[];
  /** When they were read. */
  at: Date;
  /** `500ms`. */
  every: string;
  /** What is wrong, or has happened; for one line. */
  notice: string | undefined;
  /** The first of the lines that is shown, if there are so many. */
  offset: number;
}

/** All streams, one below the other. */
export const renderWatched = (streams: readonly WatchedStream[], display: Display): string =>
  streams
    .map(({stream, report, rates}) =>
      report === undefined
        ? `${cutEnd(`no stream "${escapeForTerminal(stream)}" at the moment`, display.columns)}\n`
        : renderStream(report, display, rates),
    )
    .join('\n');

/** The same as lines. */
export const watchedLines = (streams: readonly WatchedStream[], display: Display): string[] =>
  renderWatched(streams, display).trimEnd().split('\n');

/** How far `lines` can be moved up in a window of so many rows: without the head, the row behind it and the notice. */
export const mostOffset = ({length}: readonly string[], rows: number): number => Math.max(0, length - roomOf(rows));

const roomOf = (rows: number): number => Math.max(1, rows - 3);

/** The rows of a window of that size. */
export function watchRows(state: WatchState, size: WindowSize, colors: Colors): string[] {
  const {at, every, notice} = state;
  const offset = Math.min(state.offset, mostOffset(state.lines, size.rows));
  const lines = state.lines.slice(offset, offset + roomOf(size.rows));
  const below = state.lines.length - offset - lines.length;
  const keys = below + offset > 0 ? 'q quits, arrows scroll' : 'q quits';
  const head = `${at.toLocaleTimeString('en-GB')}  every ${every}  ${keys}${below > 0 ? `  ${below} more below` : ''}`;
  const rows = [colors.dim(cutEnd(head, size.columns)), '', ...lines];
  if (notice === undefined) return rows;
  const gap = Array<string>(Math.max(0, size.rows - 1 - rows.length)).fill('');
  return [...rows, ...gap, colors.warning(cutEnd(escapeForTerminal(notice), size.columns))];
}
