/** How the counts of `nack` look to a person. */
import type {GiveBackCount} from '../../groups/giving-back.js';
import type {Colors} from '../colors.js';
import {renderTable} from '../table.js';

export const describeGiveBackCount = ({
  stream,
  group,
  givenBack,
  notPending,
  withAnother,
  deliveredAgain,
  gone,
}: GiveBackCount): string => {
  const rest = [
    [notPending, 'not pending'],
    [withAnother, 'with another consumer'],
    [deliveredAgain, 'delivered again since'],
    [gone, 'no longer in the stream'],
  ] as const;
  const counts = [`${givenBack} given back`, ...rest.filter(([n]) => n > 0).map(([n, what]) => `${n} ${what}`)];
  return `${counts.join(', ')} in group "${group}" on stream "${stream}"`;
};

export const renderGiveBackCounts = (counts: readonly GiveBackCount[], colors: Colors): string =>
  counts.length === 0
    ? ''
    : renderTable(
        counts,
        [
          {heading: 'stream', cell: ({stream}) => stream},
          {heading: 'group', cell: ({group}) => group},
          {heading: 'given back', right: true, cell: ({givenBack}) => givenBack},
          {heading: 'not pending', right: true, cell: ({notPending}) => notPending},
          {heading: 'with another', right: true, cell: ({withAnother}) => withAnother},
          {heading: 'delivered again', right: true, cell: ({deliveredAgain}) => deliveredAgain},
          {heading: 'gone', right: true, cell: ({gone}) => gone},
        ],
        colors,
      );
