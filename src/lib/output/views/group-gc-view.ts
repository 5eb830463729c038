/** How the answer of `group gc` looks to a person. */
import {formatDuration} from '../../duration.js';
import type {ConsumerFate} from '../../groups/gc.js';
import type {Colors} from '../colors.js';
import {renderTable} from '../table.js';

const KEPT: Record<NonNullable<ConsumerFate['kept']>, string> = {
  active: 'kept: not idle for long enough',
  pending: 'kept: has pending entries (--to hands them over)',
  heir: 'kept: gets the entries',
  gone: 'had gone meanwhile',
  interrupted: 'kept: interrupted',
};

export const renderFates = (fates: readonly ConsumerFate[], dryRun: boolean, colors: Colors): string =>
  fates.length === 0
    ? ''
    : renderTable(
        fates,
        [
          {heading: 'consumer', cell: ({consumer}) => consumer},
          {heading: 'idle', right: true, cell: ({idleMs}) => formatDuration(idleMs)},
          {heading: 'pending', right: true, cell: ({pending}) => pending},
          {heading: dryRun ? 'would hand over' : 'handed over', right: true, cell: ({moved}) => moved},
          {heading: '', cell: ({kept}) => (kept === null ? (dryRun ? 'would be removed' : 'removed') : KEPT[kept])},
        ],
        colors,
      );

/** `removed 3 of 5 consumers, handed over 12 entries`. */
export function describeFates(fates: readonly ConsumerFate[], dryRun: boolean): string {
  const removed = fates.filter(({kept}) => kept === null).length;
  const moved = fates.reduce((sum, fate) => sum + fate.moved, 0);
  const handed = moved === 0 ? '' : `, ${dryRun ? 'hand' : 'handed'} over ${moved} entries`;
  const gone = fates.reduce((sum, fate) => sum + fate.gone, 0);
  const acknowledged = gone === 0 ? '' : `, acknowledged ${gone} that are no longer in the stream`;
  return `${dryRun ? 'would remove' : 'removed'} ${removed} of ${fates.length} consumers${handed}${acknowledged}`;
}
