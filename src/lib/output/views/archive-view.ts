/** How archives of streams look to a person: a row for each, and a sentence for all. */
import type {ArchiveOutcome} from '../../archive/archive-streams.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {counted, took} from '../sentences.js';
import {renderTable} from '../table.js';

export const renderArchives = (archives: readonly ArchiveOutcome[], display: Display): string =>
  archives.length === 0
    ? ''
    : renderTable(
        archives,
        [
          {heading: 'stream', least: LEAST_NAME, cell: ({stream}) => stream},
          {heading: 'directory', least: LEAST_NAME, priority: 2, cell: ({directory}) => directory},
          {heading: 'archived', right: true, cell: ({archived}) => archived},
          ...(archives.some(({skipped}) => skipped > 0)
            ? [{heading: 'left out', right: true, priority: 3, cell: ({skipped}: ArchiveOutcome) => skipped}]
            : []),
          {heading: 'files', right: true, priority: 1, cell: ({files}) => files},
          {heading: 'up to', priority: 1, cell: ({lastId}) => lastId},
          ...(archives.some(({complete}) => complete !== undefined)
            ? [{heading: 'complete', priority: 1, cell: ({complete}: ArchiveOutcome) => (complete ? 'yes' : 'no')}]
            : []),
        ],
        display,
      );

/** `archived 1,204,110 entries of orders, finished 24 files in 31 s` */
export function describeArchives(archives: readonly ArchiveOutcome[], ms: number): string {
  const archived = archives.reduce((sum, one) => sum + one.archived, 0);
  const files = archives.reduce((sum, one) => sum + one.files, 0);
  const of = archives.length === 1 ? archives[0]!.stream : counted(archives.length, 'stream');
  return `archived ${counted(archived, 'entry')} of ${of}, finished ${counted(files, 'file')} ${took(ms)}`;
}
