/**
 * The screen of `top`, and its table for `--once`, as lines. Invariants: pure: the same snapshot, state and size make the same lines;
 * none is wider than the window; while Redis is away, all is grey and a line says so.
 */
import type {GroupDetail} from '../../observe/group-detail.js';
import type {RecentMinute} from '../../observe/recent-minute.js';
import type {Snapshot} from '../../observe/snapshot.js';
import {type FactsRow, snapshotRows} from '../../observe/snapshot-rows.js';
import {formatSize} from '../../size.js';
import {cellsOf, cutEnd} from '../cell-width.js';
import {colors} from '../colors.js';
import {escapeForTerminal} from '../sanitize.js';
import {counted} from '../sentences.js';
import {selectedIndex, type TopState} from '../top-state.js';
import {alarmLine} from './top-alarms.js';
import {consumersView, detailLines, pendingView} from './top-detail-view.js';
import {ageText, type TopDisplay} from './top-figures.js';
import {helpLines} from './top-help-view.js';
import {COLUMN_NAMES, listLines} from './top-list-view.js';

export interface TopOptions {
  /** `1s`. */
  every: string;
  everyMs: number;
  groupsOnly: boolean;
  /** At most so many streams. */
  limit: number;
  columns: readonly string[] | undefined;
  /** The context that is used, and whether it is read-only. */
  context: string | undefined;
  isReadonly: boolean;
  /** Words that say to another command which server it is. */
  server: readonly string[];
}

/** What is known now. */
export interface TopModel {
  snapshot: Snapshot;
  minutes: Pick<RecentMinute, 'of'>;
  detail: GroupDetail | undefined;
  /** Undefined while Redis answers. */
  awayMs: number | undefined;
}

const LEAST_COLUMNS = 40;
/** Above the list: the head, the alarms, the status, the headings; and the keys below it. */
const AROUND_LIST = 5;
/** The same without headings. */
const AROUND_VIEW = 4;

export const topRows = ({streams}: Snapshot, state: TopState, {groupsOnly, limit}: TopOptions): FactsRow[] =>
  snapshotRows(streams, {...state, groupsOnly, limit});

/** Lines that there is room for between what stands above and below. */
export const roomOf = ({view}: TopState, rows: number): number =>
  Math.max(1, rows - (view === 'list' ? AROUND_LIST : AROUND_VIEW));

/** How far a view other than the list can be moved up. */
export const mostOffset = (model: TopModel, state: TopState, options: TopOptions, display: TopDisplay): number =>
  state.view === 'list'
    ? 0
    : Math.max(0, viewLines(model, state, options, display).length - roomOf(state, display.rows));

export function topLines(model: TopModel, state: TopState, options: TopOptions, display: TopDisplay): string[] {
  const {columns} = display;
  if (columns < LEAST_COLUMNS)
    return [cutEnd(`too narrow: top needs ${LEAST_COLUMNS} columns`, columns), cutEnd('q quits', columns)];
  if (model.awayMs === undefined) return screenLines(model, state, options, display);
  // One colour for all; those of the parts would end it.
  const plain = {...display, colors: colors(false)};
  return screenLines(model, state, options, plain).map((line, index) =>
    index === STATUS_LINE ? display.colors.failure(line) : display.colors.dim(line),
  );
}

const STATUS_LINE = 2;

function screenLines(model: TopModel, state: TopState, options: TopOptions, display: TopDisplay): string[] {
  const {columns, rows, colors} = display;
  const body =
    state.view === 'list' ? visibleList(model, state, options, display) : visibleView(model, state, options, display);
  const lines = [
    headLine(model.snapshot, options, display),
    colors.warning(alarmLine(model.snapshot, display)),
    statusLine(model, state, display),
    ...body,
  ];
  const gap = Array<string>(Math.max(0, rows - 1 - lines.length)).fill('');
  return [...lines.slice(0, Math.max(0, rows - 1)), ...gap, colors.dim(cutEnd(keysLine(state), columns))];
}

/** The selected row is in the middle, where there are more than the window has. */
function visibleList(model: TopModel, state: TopState, options: TopOptions, display: TopDisplay): string[] {
  const all = topRows(model.snapshot, state, options);
  if (all.length === 0) return [cutEnd(emptyText(model.snapshot, state), display.columns)];
  const room = roomOf(state, display.rows);
  const selected = selectedIndex(state, all);
  const first = Math.max(0, Math.min(selected - Math.floor(room / 2), all.length - room));
  return listLines(all.slice(first, first + room), {...options, minutes: model.minutes}, display, selected - first);
}

function emptyText({discovered, streams}: Snapshot, {filter}: TopState): string {
  if (!discovered && streams.length === 0) return 'looking for streams';
  return filter === '' || streams.length === 0
    ? 'no streams'
    : `no stream or group has "${escapeForTerminal(filter)}" in its name`;
}

function visibleView(model: TopModel, state: TopState, options: TopOptions, display: TopDisplay): string[] {
  const lines = viewLines(model, state, options, display);
  const room = roomOf(state, display.rows);
  const offset = Math.min(state.offset, Math.max(0, lines.length - room));
  return lines.slice(offset, offset + room);
}

function viewLines(model: TopModel, state: TopState, options: TopOptions, display: TopDisplay): string[] {
  if (state.view === 'help') return helpLines(display);
  const row = topRows(model.snapshot, state, options).find(({key}) => key === state.selected);
  if (row === undefined) return ['it is gone'];
  const view = {list: detailLines, detail: detailLines, consumers: consumersView, pending: pendingView}[state.view];
  return view(row, {minutes: model.minutes, detail: model.detail, server: options.server}, display);
}

/** The parts for which there is room; the first ones stay. */
function headLine(snapshot: Snapshot, {every, context, isReadonly}: TopOptions, {columns, colors}: TopDisplay): string {
  const {server, streams, at} = snapshot;
  const groups = streams.reduce((sum, stream) => sum + (stream.groups?.length ?? 0), 0);
  const which = [context, isReadonly ? 'read-only' : undefined].filter((part) => part !== undefined).join(', ');
  const name = [server.name, server.version].filter((part) => part !== null).join(' ');
  const address = `${name === '' ? '' : `${name} at `}${server.address}${which === '' ? '' : ` (${which})`}`;
  const {memoryBytes, maxMemoryBytes} = server;
  const limit = maxMemoryBytes === null || maxMemoryBytes === 0 ? '' : ` of ${formatSize(maxMemoryBytes)}`;
  // In the order of the line; the greatest number goes first.
  const parts: [text: string, priority: number][] = [
    ['streamlog top', 3],
    [escapeForTerminal(address), 2],
    [new Date(at).toLocaleTimeString('en-GB'), 0],
    [`${counted(streams.length, 'stream')}, ${counted(groups, 'group')}`, 1],
    ...(memoryBytes === null ? [] : [[`${formatSize(memoryBytes)}${limit}`, 4] as [string, number]]),
    [`every ${every}`, 5],
  ];
  const textOf = (kept: typeof parts): string => kept.map(([text]) => text).join('   ');
  let kept = parts;
  for (let gone = 5; gone > 0 && cellsOf(textOf(kept)) > columns; gone--)
    kept = kept.filter(([, priority]) => priority !== gone);
  return colors.heading(cutEnd(textOf(kept), columns));
}

function statusLine(
  {snapshot, awayMs}: TopModel,
  {isTyping, filter, isPaused}: TopState,
  {columns, colors}: TopDisplay,
): string {
  const {server, roundMs, skipped} = snapshot;
  if (awayMs !== undefined)
    return cutEnd(
      ` Redis at ${escapeForTerminal(server.address)} is away since ${ageText(awayMs)}; trying again`,
      columns,
    );
  if (isTyping) return cutEnd(` filter: ${escapeForTerminal(filter)}_   (Enter keeps it, Esc removes it)`, columns);
  const notes = [
    ...(isPaused ? ['paused; Space goes on'] : []),
    ...(filter === '' ? [] : [`filter: ${escapeForTerminal(filter)}; Esc removes it`]),
    ...(snapshot.discovered ? [] : ['still looking for streams']),
    ...(roundMs !== null && roundMs > SLOW_ROUND_MS
      ? [`reading ${counted(snapshot.streams.length, 'stream')} takes ${ageText(roundMs)} a round; --match narrows`]
      : []),
    ...skipped.flatMap(({streams, reason}) =>
      reason === 'limit' ? [`${counted(streams, 'stream')} more; --max-streams raises the limit`] : [],
    ),
  ];
  return notes.length === 0 ? '' : colors.dim(cutEnd(` ${notes.join('; ')}`, columns));
}

const SLOW_ROUND_MS = 2_000;

function keysLine({view, order, isReversed}: TopState): string {
  if (view !== 'list') return ' q quit  ? help  Esc back  arrows scroll  c consumers  p pending  Space pause';
  return ` q quit  ? help  s sort: ${order}${isReversed ? ' reversed' : ''}  / filter  Enter details  c consumers  p pending  Space pause`;
}

/** The table of `--once`, as a text: all rows, and nothing about keys. */
export function renderTop(model: TopModel, state: TopState, options: TopOptions, display: TopDisplay): string {
  const rows = topRows(model.snapshot, state, options);
  const alarms = alarmLine(model.snapshot, display);
  const list =
    rows.length === 0
      ? [emptyText(model.snapshot, state)]
      : listLines(
          rows,
          {...options, minutes: model.minutes, columns: options.columns ?? WITHOUT_CHART},
          display,
          undefined,
        );
  const lines = [
    headLine(model.snapshot, options, display),
    ...(alarms === '' ? [] : [display.colors.warning(alarms)]),
    '',
    ...list,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** There has been no minute yet. */
const WITHOUT_CHART = COLUMN_NAMES.filter((name) => name !== 'chart');
