/** What `info --watch` shows: a line about the watch, streams with their rates, and what is wrong, within the window. */
import type {WatchedStream} from '../../observe/stream-watch.js';
import {cutEnd} from '../cell-width.js';
import type {Display} from '../display.js';
import {escapeForTerminal} from '../sanitize.js';
import type {WindowSize} from '../screen.js';
import {renderStream} from './stream-view.js';

export interface WatchState {
  streams: readonly WatchedStream[];
  /** When they were read. */
  at: Date;
  /** `500ms`. */
  every: string;
  /** What is wrong, or has happened; for one line. */
  notice: string | undefined;
  /** The first line of the streams that is shown. */
  offset: number;
}

/** The part of a display that may change. */
export type WindowDisplay = Omit<Display, keyof WindowSize>;

/** All streams, one below the other. */
export const renderWatched = (streams: readonly WatchedStream[], display: Display): string =>
  streams
    .map(({stream, report, rates}) =>
      report === undefined
        ? `${cutEnd(`no stream "${escapeForTerminal(stream)}" at the moment`, display.columns)}\n`
        : renderStream(report, display, rates),
    )
    .join('\n');

/** How far the streams can be moved up in a window of that size. */
export const mostOffset = (streams: readonly WatchedStream[], size: WindowSize, display: WindowDisplay): number =>
  Math.max(0, linesOf(streams, {...display, ...size}).length - roomOf(size));

/** The rows of a window of that size. */
export function watchRows(state: WatchState, size: WindowSize, display: WindowDisplay): string[] {
  const {streams, at, every, notice, offset} = state;
  const {colors} = display;
  const all = linesOf(streams, {...display, ...size});
  const lines = all.slice(offset, offset + roomOf(size));
  const below = all.length - offset - lines.length;
  const keys = below + offset > 0 ? 'q quits, arrows scroll' : 'q quits';
  const head = `${at.toLocaleTimeString('en-GB')}  every ${every}  ${keys}${below > 0 ? `  ${below} more below` : ''}`;
  const rows = [colors.dim(cutEnd(head, size.columns)), '', ...lines];
  if (notice === undefined) return rows;
  const gap = Array<string>(Math.max(0, size.rows - 1 - rows.length)).fill('');
  return [...rows, ...gap, colors.warning(cutEnd(escapeForTerminal(notice), size.columns))];
}

const linesOf = (streams: readonly WatchedStream[], display: Display): string[] =>
  renderWatched(streams, display).trimEnd().split('\n');

/** Without the head, the line behind it and the notice. */
const roomOf = ({rows}: WindowSize): number => Math.max(1, rows - 3);
