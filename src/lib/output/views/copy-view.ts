/** How copies of streams look to a person: a row for each, and a sentence for all. */
import type {CopyOutcome} from '../../copy/copy-streams.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {counted, listed, took} from '../sentences.js';
import {renderTable} from '../table.js';

export const renderCopies = (copies: readonly CopyOutcome[], display: Display): string =>
  copies.length === 0
    ? ''
    : renderTable(
        copies,
        [
          {heading: 'stream', least: LEAST_NAME, cell: ({stream}) => stream},
          {heading: 'copy', least: LEAST_NAME, priority: 2, cell: ({target}) => target},
          {heading: 'copied', right: true, cell: ({copied}) => copied},
          ...(copies.some(({skipped}) => skipped > 0)
            ? [{heading: 'left out', right: true, priority: 3, cell: ({skipped}: CopyOutcome) => skipped}]
            : []),
          {heading: 'up to', priority: 1, cell: ({lastId}) => lastId},
          ...(copies.some(({complete}) => complete !== undefined)
            ? [{heading: 'complete', priority: 1, cell: ({complete}: CopyOutcome) => (complete ? 'yes' : 'no')}]
            : []),
          ...(copies.some(({verified}) => verified !== undefined)
            ? [{heading: 'the same', right: true, priority: 1, cell: ({verified}: CopyOutcome) => verified ?? '-'}]
            : []),
        ],
        display,
      );

/** `copied 1,204,110 entries of 3 streams to 10.0.4.7:6379 in 31 s`; `server` is undefined where it is that of the source. */
export function describeCopies(copies: readonly CopyOutcome[], server: string | undefined, ms: number): string {
  const copied = copies.reduce((sum, one) => sum + one.copied, 0);
  const of = copies.length === 1 ? copies[0]!.stream : counted(copies.length, 'stream');
  const to = server ?? listed([...new Set(copies.map(({target}) => target))]);
  return `copied ${counted(copied, 'entry')} of ${of} to ${to} ${took(ms)}`;
}
