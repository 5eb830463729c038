/** How `ls` looks: findings for JSON, and a table in the order of the names for a person. */
import {formatAge} from '../../duration.js';
import type {Omissions, StreamSummary} from '../../reports/stream-list.js';
import type {Colors} from '../colors.js';
import {renderTable} from '../table.js';

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
