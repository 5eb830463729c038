/** How the counts of `delete` look to a person. */
import type {DeleteCount} from '../../delete-entries.js';
import type {Colors} from '../colors.js';
import {renderTable} from '../table.js';

export const describeDeleteCount = ({stream, deleted, missing}: DeleteCount, dryRun: boolean): string =>
  `${deleted} ${dryRun ? 'would go' : 'deleted'}, ${missing} missing on stream "${stream}"`;

export const renderDeleteCounts = (counts: readonly DeleteCount[], dryRun: boolean, colors: Colors): string =>
  counts.length === 0
    ? ''
    : renderTable(
        counts,
        [
          {heading: 'stream', cell: ({stream}) => stream},
          {heading: dryRun ? 'would delete' : 'deleted', right: true, cell: ({deleted}) => deleted},
          {heading: 'missing', right: true, cell: ({missing}) => missing},
        ],
        colors,
      );
