/** How the answers of the `group` commands look to a person. */
import {shortDuration} from '../../duration.js';
import type {ConsumerFate} from '../../groups/gc.js';
import type {GroupPosition, SeekResult} from '../../groups/group-position.js';
import type {GroupSummary} from '../../reports/group-list.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {renderTable} from '../table.js';
import {lagCell, listedLagCell, unreadCell} from './lag-view.js';

/** A table of groups, with the names of their streams where those are not all the same. */
export function renderGroupList(groups: readonly GroupSummary[], severalStreams: boolean, display: Display): string {
  if (groups.length === 0) return '';
  const stream = {heading: 'stream', least: LEAST_NAME, cell: (group: GroupSummary) => group.stream};
  return renderTable(
    groups,
    [
      ...(severalStreams ? [stream] : []),
      {heading: 'group', least: LEAST_NAME, cell: ({group}) => group},
      {heading: 'consumers', right: true, priority: 2, cell: ({consumers}) => consumers},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      {heading: 'lag', right: true, cell: (group) => listedLagCell(group, display)},
      {heading: 'oldest unread', right: true, priority: 1, cell: (group) => unreadCell(group)},
      {heading: 'last delivered', priority: 3, cell: ({lastDeliveredId}) => lastDeliveredId},
    ],
    display,
  );
}

/** Two lines to compare: where the group stood and where it stands. */
export function renderSeek({before, after}: SeekResult, dryRun: boolean, display: Display): string {
  const rows: [when: string, stand: GroupPosition][] = [
    ['before', before],
    [dryRun ? 'would be' : 'after', after],
  ];
  return renderTable(
    rows,
    [
      {heading: '', cell: ([when]) => when},
      {heading: 'last delivered', cell: ([, {lastDeliveredId}]) => lastDeliveredId},
      {heading: 'lag', right: true, priority: 1, cell: ([, stand]) => lagCell(stand, display)},
      {heading: 'pending', right: true, priority: 2, cell: ([, {pending}]) => pending},
    ],
    display,
  );
}

export const describeAgain = ({again, exact}: SeekResult, group: string, dryRun: boolean): string =>
  `${entries(again, exact)} ${dryRun ? 'would' : 'will'} be delivered to group "${group}" again`;

export const describeSkipped = ({skipped, exact}: SeekResult, group: string, dryRun: boolean): string =>
  `group "${group}" ${dryRun ? 'would' : 'will'} never get ${entries(skipped, exact)} that it has not read`;

export const describeBeyondEnd = (group: string, stream: string, lastDeliveredId: string): string =>
  `group "${group}" is past the end of stream "${stream}": it gets no entry up to ID ${lastDeliveredId}`;

const entries = (count: number, exact: boolean): string =>
  `${exact ? '' : 'at least '}${count} ${count === 1 ? 'entry' : 'entries'}`;

const KEPT: Record<NonNullable<ConsumerFate['kept']>, string> = {
  active: 'kept: not idle for long enough',
  pending: 'kept: has pending entries (see --to)',
  heir: 'kept: receives the entries',
  gone: 'already removed',
  interrupted: 'kept: interrupted',
};

export const renderFates = (fates: readonly ConsumerFate[], dryRun: boolean, display: Display): string =>
  fates.length === 0
    ? ''
    : renderTable(
        fates,
        [
          {heading: 'consumer', least: LEAST_NAME, cell: ({consumer}) => consumer},
          {heading: 'idle', right: true, priority: 2, cell: ({idleMs}) => shortDuration(idleMs)},
          {heading: 'pending', right: true, priority: 1, cell: ({pending}) => pending},
          {heading: dryRun ? 'would hand over' : 'handed over', right: true, priority: 3, cell: ({moved}) => moved},
          {
            heading: '',
            least: LEAST_NAME,
            cell: ({kept}) => (kept === null ? (dryRun ? 'would be removed' : 'removed') : KEPT[kept]),
          },
        ],
        display,
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
