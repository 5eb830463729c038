/** How streams look to a person: one in full for `info`, a list for `ls`, and what a trim took. */
import {formatAge, shortAge, shortDuration} from '../../duration.js';
import type {GroupRates, StreamRates} from '../../observe/rates.js';
import type {Omissions} from '../../reports/omissions.js';
import type {StreamSummary} from '../../reports/stream-list.js';
import type {ConsumerReport, GroupReport, StreamReport} from '../../reports/stream-report.js';
import {formatSize} from '../../size.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {renderFacts, renderHeading, renderTable} from '../table.js';
import {knownCell, lagCell, listedLagCell, rateCell, unreadCell} from './lag-view.js';

/** With `rates`, also how fast things go. */
export function renderStream(report: StreamReport, display: Display, rates?: StreamRates): string {
  const facts = renderFacts(
    [
      ['stream', report.stream],
      ['entries', report.length],
      ['first', idAndAge(report.firstId, report.firstAgeMs, report.firstAheadMs)],
      ['last', idAndAge(report.lastId, report.lastAgeMs, report.lastAheadMs)],
      ['last generated ID', report.lastGeneratedId],
      ['entries added', entriesAdded(report, rates, display)],
      ['memory', report.bytes === null ? 'not reported by this server' : formatSize(report.bytes)],
      ['groups', report.groups.length],
    ],
    display,
  );
  const groups = report.groups.length === 0 ? '' : `\n${renderGroups(report.groups, display, rates)}`;
  const members = report.groups.map((group) => drawMembers(group, display)).join('');
  return `${facts}${groups}${members}`;
}

function renderGroups(groups: readonly GroupReport[], display: Display, rates?: StreamRates): string {
  const rate = (heading: string, name: keyof GroupRates, priority: number) => ({
    heading,
    right: true,
    priority,
    cell: (group: GroupReport) => rateCell(rates?.groups.get(group.name)?.[name], display),
  });
  return renderTable(
    groups,
    [
      {heading: 'group', least: LEAST_NAME, cell: ({name}) => name},
      {heading: 'consumers', right: true, priority: 2, cell: ({consumers}) => consumers},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      {heading: 'lag', right: true, cell: (group) => lagCell(group, display)},
      {heading: 'oldest unread', right: true, priority: 1, cell: (group) => unreadCell(group)},
      ...(rates === undefined ? [] : [rate('delivered', 'deliveredPerSec', 1), rate('done', 'donePerSec', 2)]),
      {heading: 'last delivered', priority: 3, cell: ({lastDeliveredId}) => lastDeliveredId},
    ],
    display,
  );
}

function entriesAdded(
  {entriesAdded: added}: StreamReport,
  rates: StreamRates | undefined,
  display: Display,
): string | number {
  if (added === null) return 'not reported by this server';
  return rates === undefined ? added : `${display.count(added)}  (${rateCell(rates.addedPerSec, display)})`;
}

export const renderConsumers = (consumers: readonly ConsumerReport[], display: Display): string =>
  renderTable(
    consumers,
    [
      {heading: 'consumer', least: LEAST_NAME, cell: ({name}) => name},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      {heading: 'idle', right: true, priority: 1, cell: ({idleMs}) => shortDuration(idleMs)},
      {heading: 'last delivery', right: true, priority: 2, cell: ({inactiveMs}) => lastSuccess(inactiveMs)},
    ],
    display,
  );

function drawMembers({name, members}: GroupReport, display: Display): string {
  if (members === undefined || members.length === 0) return '';
  return `\n${renderHeading(`consumers of ${name}`, display)}${renderConsumers(members, display)}`;
}

const idAndAge = (id: string | null, ageMs: number | null, aheadMs: number | undefined): string =>
  id === null ? 'none' : `${id}  (${shortAge(ageMs ?? 0, aheadMs)})`;

/** Redis says -1 of a consumer that never got one. */
function lastSuccess(inactiveMs: number | undefined): string {
  if (inactiveMs === undefined) return 'unknown';
  return inactiveMs < 0 ? 'never' : shortAge(inactiveMs, undefined);
}

/** For JSON. */
export const streamFinding = ({name: stream, ...facts}: StreamSummary) => ({stream, ...facts});

/** In the order given. */
export function renderStreams(summaries: readonly StreamSummary[], display: Display): string {
  if (summaries.length === 0) return '';
  const measured = summaries.some(({bytes}) => bytes !== undefined);
  const memory = {
    heading: 'memory',
    right: true,
    priority: 1,
    cell: ({bytes}: StreamSummary) => knownCell(bytes, formatSize),
  };
  return renderTable(
    summaries,
    [
      {heading: 'stream', least: LEAST_NAME, cell: ({name}) => name},
      {heading: 'entries', right: true, cell: ({length}) => length},
      ...(measured ? [memory] : []),
      {heading: 'groups', right: true, priority: 6, cell: ({groups}) => groups},
      {
        heading: 'pending',
        right: true,
        priority: 3,
        cell: ({groups, pending}) => (groups === 0 ? '-' : knownCell(pending, display.count)),
      },
      {heading: 'lag', right: true, cell: (stream) => (stream.groups === 0 ? '-' : listedLagCell(stream, display))},
      {
        heading: 'oldest unread',
        right: true,
        priority: 2,
        cell: (stream) => (stream.groups === 0 ? '-' : unreadCell(stream)),
      },
      {
        heading: 'dead',
        right: true,
        priority: 4,
        cell: ({deadLetters}) => knownCell(deadLetters?.length, display.count),
      },
      {heading: 'last', right: true, priority: 3, cell: lastOf},
      {heading: 'last ID', priority: 7, cell: ({lastId}) => lastId ?? ''},
    ],
    display,
  );
}

function lastOf({lastAgeMs, lastAheadMs}: StreamSummary): string {
  if (lastAgeMs === undefined) return 'not read';
  return lastAgeMs === null ? 'none' : shortAge(lastAgeMs, lastAheadMs);
}

/** What a list leaves out, a sentence each. */
export function describeOmissions({denied, large}: Omissions): string[] {
  const streams = (count: number): string => (count === 1 ? '1 stream' : `${count} streams`);
  return [
    ...(denied === 0 ? [] : [`${streams(denied)} not listed: the Redis user may not read them`]),
    ...(large === 0
      ? []
      : [`the last ID of ${streams(large)} not shown: their entries are too large to be read for a list`]),
  ];
}

/** For a stream of which nothing has an age yet. */
export const describeAhead = (stream: string, firstId: string, aheadMs: number): string =>
  `no entry of stream "${stream}" has an age: the time of the first one, ${firstId}, is ${formatAge(0, aheadMs)}`;
