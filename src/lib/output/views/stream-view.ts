/** How streams look to a person: one in full for `info`, a list for `ls`, and what a trim took. */
import {formatAge, formatDuration} from '../../duration.js';
import type {LagFacts} from '../../reports/lag.js';
import type {Omissions, StreamSummary} from '../../reports/stream-list.js';
import type {ConsumerReport, GroupReport, StreamReport} from '../../reports/stream-report.js';
import {formatSize} from '../../size.js';
import type {GroupLoss} from '../../trimming/losses.js';
import type {Colors} from '../colors.js';
import {escapeForTerminal} from '../sanitize.js';
import {renderFacts, renderTable} from '../table.js';

export function renderStream(report: StreamReport, colors: Colors): string {
  const facts = renderFacts(
    [
      ['stream', report.stream],
      ['entries', report.length],
      ['first', idAndAge(report.firstId, report.firstAgeMs, report.firstAheadMs)],
      ['last', idAndAge(report.lastId, report.lastAgeMs, report.lastAheadMs)],
      ['last generated ID', report.lastGeneratedId],
      ['entries added', report.entriesAdded ?? 'not reported by this server'],
      ['memory', report.bytes === null ? 'not reported by this server' : formatSize(report.bytes)],
      ['groups', report.groups.length],
    ],
    colors,
  );
  const groups = report.groups.length === 0 ? '' : `\n${renderGroups(report.groups, colors)}`;
  const members = report.groups.map((group) => drawMembers(group, colors)).join('');
  return `${facts}${groups}${members}`;
}

export const renderGroups = (groups: readonly GroupReport[], colors: Colors): string =>
  renderTable(
    groups,
    [
      {heading: 'group', cell: ({name}) => name},
      {heading: 'consumers', right: true, cell: ({consumers}) => consumers},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      {heading: 'lag', right: true, cell: (group) => lagCell(group)},
      {heading: 'oldest unread', right: true, cell: (group) => unreadCell(group)},
      {heading: 'last delivered', cell: ({lastDeliveredId}) => lastDeliveredId},
    ],
    colors,
  );

export const renderConsumers = (consumers: readonly ConsumerReport[], colors: Colors): string =>
  renderTable(
    consumers,
    [
      {heading: 'consumer', cell: ({name}) => name},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      {heading: 'idle', right: true, cell: ({idleMs}) => formatDuration(idleMs)},
      {heading: 'last delivery', right: true, cell: ({inactiveMs}) => lastSuccess(inactiveMs)},
    ],
    colors,
  );

function drawMembers({name, members}: GroupReport, colors: Colors): string {
  if (members === undefined || members.length === 0) return '';
  return `\n${colors.heading(`consumers of ${escapeForTerminal(name)}`)}\n${renderConsumers(members, colors)}`;
}

const idAndAge = (id: string | null, ageMs: number | null, aheadMs: number | undefined): string =>
  id === null ? 'none' : `${id}  (${formatAge(ageMs ?? 0, aheadMs)})`;

/** Redis says -1 of a consumer that never got one. */
function lastSuccess(inactiveMs: number | undefined): string {
  if (inactiveMs === undefined) return 'unknown';
  return inactiveMs < 0 ? 'never' : `${formatDuration(inactiveMs)} ago`;
}

/** `~` before what is not proven, and what it is at least where Redis has no figure. */
export function lagCell({lag, lagExact, lagAtLeast, lagSource}: LagFacts): string {
  if (lagExact) return String(lag);
  return lagSource === 'bound' ? `~${lag} (≥${lagAtLeast})` : `~${lag}`;
}

/** The age of the oldest unread entry. */
const unreadCell = ({behindMs, lagAtMost}: Pick<GroupReport, 'behindMs' | 'lagAtMost'>): string => {
  if (behindMs === null) return '?';
  return lagAtMost === 0 ? '-' : formatDuration(behindMs);
};

/** For JSON. */
export const streamFinding = ({name: stream, ...facts}: StreamSummary) => ({stream, ...facts});

export function renderStreams(summaries: readonly StreamSummary[], colors: Colors): string {
  if (summaries.length === 0) return '';
  // SCAN may name a stream twice.
  const rows = new Map(summaries.map((summary) => [summary.name, summary]));
  return renderTable(
    [...rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    [
      {heading: 'stream', cell: ({name}) => name},
      {heading: 'entries', right: true, cell: ({length}) => length},
      {heading: 'groups', right: true, cell: ({groups}) => groups},
      {
        heading: 'last',
        right: true,
        cell: lastOf,
      },
      {heading: 'last ID', cell: ({lastId}) => lastId ?? ''},
    ],
    colors,
  );
}

function lastOf({lastAgeMs, lastAheadMs}: StreamSummary): string {
  if (lastAgeMs === undefined) return 'not read';
  return lastAgeMs === null ? 'none' : formatAge(lastAgeMs, lastAheadMs);
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

export function describeLoss(loss: GroupLoss, dryRun: boolean): string {
  const {group, exact, unread, pending, unreadAtMost = unread, pendingAtMost = pending} = loss;
  const unreadText = exact === undefined ? String(unread) : estimate(unread, unreadAtMost);
  const pendingText = exact === undefined ? String(pending) : estimate(pending, pendingAtMost);
  const removed = dryRun ? 'would be removed' : 'were removed';
  return `${unreadText} unread and ${pendingText} pending entries of group "${group}" ${removed}; --safe keeps them`;
}

function estimate(count: number, atMost: number): string {
  if (atMost === 0) return '0';
  return count === atMost ? `up to ${atMost}` : `about ${count} (up to ${atMost})`;
}
