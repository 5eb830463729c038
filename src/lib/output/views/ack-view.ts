/** How the counts of `ack` look to a person. */
import type {AckCount} from '../../groups/acknowledging.js';
import type {Colors} from '../colors.js';
import {renderTable} from '../table.js';

export function describeAckCount({stream, group, acknowledged, notPending, withAnother}: AckCount): string {
  const another = withAnother > 0 ? `, ${withAnother} with another consumer than the record names` : '';
  return `${acknowledged} acknowledged, ${notPending} not pending${another} in group "${group}" on stream "${stream}"`;
}

export const renderAckCounts = (counts: readonly AckCount[], colors: Colors): string =>
  counts.length === 0
    ? ''
    : renderTable(
        counts,
        [
          {heading: 'stream', cell: ({stream}) => stream},
          {heading: 'group', cell: ({group}) => group},
          {heading: 'acknowledged', right: true, cell: ({acknowledged}) => acknowledged},
          {heading: 'not pending', right: true, cell: ({notPending}) => notPending},
          {heading: 'with another', right: true, cell: ({withAnother}) => withAnother},
        ],
        colors,
      );
