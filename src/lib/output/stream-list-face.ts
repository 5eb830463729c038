/** How `ls` looks: findings for JSON, and a table in the order of the names for a person. */
import type {StreamSummary} from '../reports/stream-list.js';
import {formatAge} from './age.js';
import type {Colors} from './colors.js';
import {renderTable} from './table.js';

/** For JSON. */
export const streamFinding = ({name, ...facts}: StreamSummary): object => ({stream: name, ...facts});

export function drawStreams(summaries: readonly StreamSummary[], colors: Colors): string {
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
        cell: ({lastAgeMs, lastAheadMs}) => (lastAgeMs === null ? 'none' : formatAge(lastAgeMs, lastAheadMs)),
      },
      {heading: 'last ID', cell: ({lastId}) => lastId ?? ''},
    ],
    colors,
  );
}
