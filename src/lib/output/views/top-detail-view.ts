/** One stream or group on the whole screen: what to type, charts of the last minute, consumers, and pending entries. */
import type {GroupDetail} from '../../observe/group-detail.js';
import type {Minute, RecentMinute} from '../../observe/recent-minute.js';
import type {FactsRow} from '../../observe/snapshot-rows.js';
import {formatSize} from '../../size.js';
import {cellsOf, cutEnd, cutMiddle} from '../cell-width.js';
import {escapeForTerminal} from '../sanitize.js';
import {chart, greatestOf, type Series} from '../sparkline.js';
import {renderFacts} from '../table.js';
import {padded} from '../text-layout.js';
import {renderConsumers} from './stream-view.js';
import {commandLines, suggestions} from './top-commands.js';
import {
  ageText,
  deliveriesText,
  drainText,
  known,
  lagText,
  needsHelp,
  rateText,
  type TopDisplay,
} from './top-figures.js';
import {pendingTable} from './top-pending.js';

export interface DetailContext {
  minutes: Pick<RecentMinute, 'of'>;
  /** Undefined before it was read, and of a stream. */
  detail: GroupDetail | undefined;
  /** Words that say which server it is. */
  server: readonly string[];
}

export function detailLines({stream, group}: FactsRow, context: DetailContext, display: TopDisplay): string[] {
  const minute = context.minutes.of(stream, group);
  const charts: Chart[] =
    group === undefined
      ? [rateChart('in/s', minute, display), amountChart('entries', minute, display)]
      : [
          rateChart(`in/s of ${escapeForTerminal(stream.stream)}`, context.minutes.of(stream), display),
          rateChart('out/s', minute, display),
          amountChart('lag', minute, display),
        ];
  return [
    titleLine({stream, group}, display),
    ...factLines({stream, group}, display),
    '',
    ...commands({stream, group}, context, display),
    '',
    ...chartLines(charts, display),
    ...(group === undefined ? [] : ['', ...consumerLines(context, display, 10), '', ...pendingLines(context, display)]),
  ];
}

export const consumersView = (row: FactsRow, context: DetailContext, display: TopDisplay): string[] => [
  titleLine(row, display),
  '',
  ...consumerLines(context, display, Number.POSITIVE_INFINITY),
];

export const pendingView = (row: FactsRow, context: DetailContext, display: TopDisplay): string[] => [
  titleLine(row, display),
  '',
  ...pendingLines(context, display),
];

type Shown = Pick<FactsRow, 'stream' | 'group'>;

function titleLine({stream, group}: Shown, {colors, columns}: TopDisplay): string {
  const [streamName, groupName] = [stream.stream, group?.group].map((name) => escapeForTerminal(name ?? ''));
  const name = group === undefined ? `stream ${streamName}` : `group ${groupName} of stream ${streamName}`;
  return colors.heading(cutMiddle(name, columns));
}

function factLines({stream, group}: Shown, display: TopDisplay): string[] {
  const {count, colors} = display;
  if (group === undefined) {
    return linesOf(
      renderFacts(
        [
          ['entries', stream.length],
          ['in', known(stream.addedPerSec, (rate) => `${rateText(rate, display)}/s`)],
          ['first', known(stream.firstId, (id) => `${id}${agoOf(stream.firstAgeMs)}`)],
          ['last', known(stream.lastId, (id) => `${id}${agoOf(stream.lastAgeMs)}`)],
          ['memory', known(stream.bytes, formatSize)],
          ['dead letters', known(stream.deadLetters, ({length}) => count(length))],
        ],
        display,
      ),
    );
  }
  const behind = group.behindMs === null || group.behindMs === 0 ? '' : `, the oldest ${ageText(group.behindMs)} old`;
  const drain = drainText(group);
  const oldest = known(group.oldestPendingAgeMs, ageText);
  const [state, ...facts] = linesOf(
    renderFacts(
      [
        ['state', group.trend === 'draining' ? `draining, done in ${drain}` : drain],
        ['lag', `${lagText(group, display)}${behind}`],
        ['out, done', `${perSec(group.deliveredPerSec, display)}, ${perSec(group.donePerSec, display)}`],
        ['pending', group.pending === 0 ? 'none' : `${count(group.pending)}, the oldest ${oldest} old`],
        ['max deliveries', deliveriesText(group, display)],
        ['consumers', group.consumers],
        ['last delivered', group.lastDeliveredId],
      ],
      display,
    ),
  );
  return [needsHelp(group.trend) ? colors.failure(state!) : state!, ...facts];
}

const perSec = (rate: number | null, display: TopDisplay): string =>
  known(rate, (value) => `${rateText(value, display)}/s`);

const agoOf = (ageMs: number | null): string => (ageMs === null ? '' : `  (${ageText(ageMs)} ago)`);

const linesOf = (text: string): string[] => text.trimEnd().split('\n');

function commands({stream, group}: Shown, {server}: DetailContext, {colors, columns}: TopDisplay): string[] {
  return suggestions(stream, group, server).flatMap(({reason, words}) => [
    colors.dim(cutEnd(`${reason}:`, columns)),
    ...(commandLines(words, columns) ?? [cutEnd('  (a command that is wider than this window)', columns)]),
  ]);
}

interface Chart {
  title: string;
  series: Series;
  /** The label of a height. */
  label(value: number): string;
}

const rateChart = (title: string, {perSec: series}: Minute, display: TopDisplay): Chart => ({
  title,
  series,
  label: (value) => rateText(value, display),
});

const amountChart = (title: string, {amount: series}: Minute, {count}: TopDisplay): Chart => ({
  title,
  series,
  label: (value) => count(Math.round(value)),
});

const CHART_ROWS = 8;
const MOST_CELLS = 60;
const LEAST_CELLS = 20;
const BETWEEN = 3;

/** Side by side, as many as there is room for. */
function chartLines(charts: readonly Chart[], display: TopDisplay): string[] {
  const labelCells = Math.max(...charts.map(({series, label}) => cellsOf(label(greatestOf(series)))));
  const widthOf = (count: number): number =>
    Math.floor((display.columns - (count - 1) * BETWEEN) / count) - labelCells - 1;
  let together = charts.length;
  while (together > 1 && widthOf(together) < LEAST_CELLS) together--;
  const cells = Math.max(1, Math.min(MOST_CELLS, widthOf(together)));
  const lines: string[] = [];
  for (let at = 0; at < charts.length; at += together) {
    const blocks = charts.slice(at, at + together).map((one) => chartBlock(one, {cells, labelCells}, display));
    for (let row = 0; row < blocks[0]!.length; row++)
      lines.push(
        blocks
          .map((block) => block[row])
          .join(' '.repeat(BETWEEN))
          .trimEnd(),
      );
  }
  return lines;
}

/** The title, the chart with its greatest value and 0 beside it, and the time below. */
function chartBlock(
  {title, series, label}: Chart,
  {cells, labelCells}: {cells: number; labelCells: number},
  {unicode, colors}: TopDisplay,
): string[] {
  const now = series.at(-1) ?? null;
  const indent = ' '.repeat(labelCells + 1);
  const width = labelCells + 1 + cells;
  const heading = padded(cutEnd(`${title}: ${known(now, label)}`, width), width);
  const bars = chart(series, {cells, rows: CHART_ROWS, unicode});
  const side = bars.map((_, row) => (row === 0 ? label(greatestOf(series)) : row === CHART_ROWS - 1 ? label(0) : ''));
  const times =
    cells < '60 s ago'.length + 'now'.length + 1 ? '' : `60 s ago${'now'.padStart(cells - '60 s ago'.length)}`;
  return [
    colors.heading(heading),
    ...bars.map((bar, row) => `${side[row]!.padStart(labelCells)} ${bar}`),
    colors.dim(padded(`${indent}${times}`, width)),
  ];
}

function consumerLines({detail}: DetailContext, display: TopDisplay, most: number): string[] {
  const {colors, count, columns} = display;
  if (detail === undefined) return [colors.dim('consumers: not read')];
  const {consumers, consumerCount} = detail;
  if (consumers === null) return [cutEnd(`${count(consumerCount)} consumers: too many to be asked for here`, columns)];
  if (consumers.length === 0) return ['no consumers'];
  const shown = consumers.slice(0, most);
  const more = consumerCount - shown.length;
  return [
    ...linesOf(renderConsumers(shown, display)),
    ...(more > 0 ? [colors.dim(cutEnd(`and ${count(more)} more with less or as much pending`, columns))] : []),
  ];
}

function pendingLines({detail}: DetailContext, display: TopDisplay): string[] {
  if (detail === undefined) return [display.colors.dim('pending entries: not read')];
  return detail.pending.length === 0 ? ['nothing is pending'] : linesOf(pendingTable(detail.pending, display));
}
