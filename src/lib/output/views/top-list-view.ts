/**
 * The list of `top`: a row for each stream and group. Invariants: only rows that the window shows are laid out; no line is wider
 * than it; a row that was read long ago says so.
 */
import type {RecentMinute} from '../../observe/recent-minute.js';
import type {FactsRow} from '../../observe/snapshot-rows.js';
import {formatSize} from '../../size.js';
import {cellsOf, cutMiddle} from '../cell-width.js';
import {fitColumns, GAP, LEAST_NAME, type SizedColumn} from '../column-fit.js';
import {escapeForCell} from '../sanitize.js';
import {sparkline} from '../sparkline.js';
import {padded} from '../text-layout.js';
import {
  ageText,
  deliveriesText,
  drainText,
  isOld,
  known,
  lagText,
  needsHelp,
  rateText,
  type TopDisplay,
} from './top-figures.js';

export interface ListContext {
  minutes: Pick<RecentMinute, 'of'>;
  everyMs: number;
  groupsOnly: boolean;
  /** Names of columns, in the order in which they are wanted; undefined for all. */
  columns: readonly string[] | undefined;
}

interface TopColumn {
  heading: string;
  /** Where there is no room, the greatest goes first. */
  priority: number;
  cell(row: FactsRow, context: CellContext): string;
}

interface CellContext extends ListContext {
  display: TopDisplay;
  chartCells: number;
}

const ofStream =
  (cell: (stream: FactsRow['stream'], context: CellContext) => string) =>
  ({stream, group}: FactsRow, context: CellContext): string =>
    group === undefined ? cell(stream, context) : '';

const ofGroup =
  (cell: (group: NonNullable<FactsRow['group']>, context: CellContext) => string) =>
  ({group}: FactsRow, context: CellContext): string =>
    group === undefined ? '' : cell(group, context);

const CHART_HEADING = 'LAST 60 S';
const DRAIN_HEADING = 'DRAIN';

/** By the names that --columns takes, in the order in which they are shown. */
const COLUMNS: Record<string, TopColumn> = {
  entries: {heading: 'ENTRIES', priority: 4, cell: ofStream(({length}, {display}) => display.count(length))},
  in: {
    heading: 'IN/S',
    priority: 3,
    cell: ofStream(({addedPerSec}, {display}) => known(addedPerSec, (rate) => rateText(rate, display))),
  },
  chart: {
    heading: CHART_HEADING,
    priority: 7,
    cell: ({stream, group}, {minutes, chartCells, display}) =>
      sparkline(minutes.of(stream, group).perSec, chartCells, display.unicode),
  },
  lag: {heading: 'LAG', priority: 0, cell: ofGroup((group, {display}) => lagText(group, display))},
  behind: {heading: 'BEHIND', priority: 1, cell: ofGroup(({behindMs}) => known(behindMs, ageText))},
  out: {
    heading: 'OUT/S',
    priority: 8,
    cell: ofGroup(({deliveredPerSec}, {display}) => known(deliveredPerSec, (rate) => rateText(rate, display))),
  },
  done: {
    heading: 'DONE/S',
    priority: 9,
    cell: ofGroup(({donePerSec}, {display}) => known(donePerSec, (rate) => rateText(rate, display))),
  },
  drain: {heading: DRAIN_HEADING, priority: 2, cell: ofGroup(drainText)},
  pending: {heading: 'PENDING', priority: 5, cell: ofGroup(({pending}, {display}) => display.count(pending))},
  oldest: {
    heading: 'OLDEST',
    priority: 6,
    cell: ofGroup(({oldestPendingAgeMs}) => known(oldestPendingAgeMs, ageText)),
  },
  deliveries: {heading: 'MAX DEL', priority: 10, cell: ofGroup((group, {display}) => deliveriesText(group, display))},
  memory: {heading: 'MEMORY', priority: 11, cell: ofStream(({bytes}) => known(bytes, formatSize))},
};

export const COLUMN_NAMES: readonly string[] = Object.keys(COLUMNS);

interface Filled extends SizedColumn {
  isName: boolean;
  heading: string;
  cells: string[];
}

/** The headings, and a line for each row; `selected` is the index of one of them. */
export function listLines(
  rows: readonly FactsRow[],
  context: ListContext,
  display: TopDisplay,
  selected: number | undefined,
): string[] {
  const chartCells = display.columns >= 160 ? 20 : 10;
  const cellContext = {...context, display, chartCells};
  const names: Filled = filled(
    'STREAM/GROUP',
    rows.map((row) => nameOf(row, context)),
    0,
    true,
  );
  const columns = (context.columns ?? COLUMN_NAMES).map((name) => {
    const {heading, priority, cell} = COLUMNS[name]!;
    return filled(
      heading,
      rows.map((row) => cell(row, cellContext)),
      priority,
      false,
    );
  });
  const shown = fitColumns([names, ...columns], display.columns - GUTTER);
  const {colors} = display;
  const head = shown.map((column) => aligned(column.heading, column)).join(' '.repeat(GAP));
  return [
    colors.heading(`${' '.repeat(GUTTER)}${head}`.trimEnd()),
    ...rows.map((row, index) => {
      const isSelected = index === selected;
      const cells = shown.map((column) => {
        const text = aligned(column.cells[index]!, column);
        return isSelected ? text : painted(text, column, row, context, display);
      });
      const line = `${isSelected ? '> ' : '  '}${cells.join(' '.repeat(GAP))}`;
      return isSelected ? colors.selected(padded(line, display.columns)) : line.trimEnd();
    }),
  ];
}

/** For the sign of the row that is selected: colours may be off. */
const GUTTER = 2;

function filled(heading: string, cells: string[], priority: number, isName: boolean): Filled {
  const width = Math.max(cellsOf(heading), ...cells.map(cellsOf));
  return {heading, cells, priority, isName, width, least: isName ? LEAST_NAME : undefined};
}

function aligned(text: string, {isName, heading, width}: Filled): string {
  if (isName) return padded(cutMiddle(text, width), width);
  // A chart ends now, on the right; blanks at its beginning are a part of it.
  const fitting = cellsOf(text) > width ? cutMiddle(text, width) : text;
  return heading === CHART_HEADING ? padded(fitting, width) : ' '.repeat(width - cellsOf(fitting)) + fitting;
}

function nameOf({stream, group}: FactsRow, {everyMs, groupsOnly}: ListContext): string {
  const name = groupsOnly ? `${stream.stream}/${group!.group}` : (group?.group ?? stream.stream);
  const text = escapeForCell(name);
  const age = isOld(stream, everyMs) && (groupsOnly || group === undefined) ? ` (${ageText(stream.ageMs)})` : '';
  return `${group === undefined || groupsOnly ? '' : '  '}${text}${age}`;
}

function painted(
  text: string,
  {isName, heading}: Filled,
  {stream, group}: FactsRow,
  context: ListContext,
  display: TopDisplay,
): string {
  const {colors} = display;
  if (isOld(stream, context.everyMs)) return colors.dim(text);
  if (isName) return group === undefined ? colors.name(text) : text;
  if (heading !== DRAIN_HEADING || group === undefined) return text;
  if (needsHelp(group.trend)) return colors.failure(text);
  return group.trend === 'drained' || group.trend === 'draining' ? colors.good(text) : text;
}
