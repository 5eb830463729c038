/** How a stream looks to a person: its facts, then its groups, then their consumers. */
import {formatAge, formatDuration} from '../../duration.js';
import type {LagFacts} from '../../reports/lag.js';
import type {ConsumerReport, GroupReport, StreamReport} from '../../reports/stream-report.js';
import {formatSize} from '../../size.js';
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
      {heading: 'behind', right: true, cell: ({behindMs}) => formatDuration(behindMs)},
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
