/** How the counts of `ack`, `nack` and `delete` look to a person: a sentence, or a row of a table, for each stream and group. */
import type {AckCount, DeleteCount, GiveBackCount, GroupKey} from '../../groups/named-entries.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {counted} from '../sentences.js';
import {renderTable} from '../table.js';

export const describeAckCount = (count: AckCount): string =>
  sentence(count, `${count.acknowledged} acknowledged, ${count.notPending} not pending`, [
    [count.withAnother, 'with another consumer than the record names'],
  ]);

/** Where there is nothing else to count: `acknowledged 3 entries of orders in group billing`. */
export const describeAllDone = (done: string, count: number, {stream, group}: GroupKey): string =>
  `${done} ${counted(count, 'entry')} of ${stream} in group ${group}`;

export const describeGiveBackCount = (count: GiveBackCount): string =>
  sentence(count, `${count.givenBack} released`, [
    [count.notPending, 'not pending'],
    [count.withAnother, 'with another consumer'],
    [count.deliveredAgain, 'delivered again since'],
    [count.gone, 'no longer in the stream'],
  ]);

export const describeDeleteCount = ({stream, deleted, missing}: DeleteCount, dryRun: boolean): string =>
  `${deleted} ${dryRun ? 'would be deleted' : 'deleted'}, ${missing} missing on stream "${stream}"`;

const sentence = (
  {stream, group}: {stream: string; group: string},
  done: string,
  rest: readonly (readonly [count: number, what: string])[],
): string => {
  const others = rest.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `${[done, ...others].join(', ')} in group "${group}" on stream "${stream}"`;
};

export const renderAckCounts = (counts: readonly AckCount[], display: Display): string =>
  renderCounts(counts, {acknowledged: 'acknowledged', notPending: 'not pending', withAnother: 'with another'}, display);

export const renderGiveBackCounts = (counts: readonly GiveBackCount[], display: Display): string =>
  renderCounts(
    counts,
    {
      givenBack: 'released',
      notPending: 'not pending',
      withAnother: 'with another',
      deliveredAgain: 'delivered again',
      gone: 'gone',
    },
    display,
  );

export const renderDeleteCounts = (counts: readonly DeleteCount[], dryRun: boolean, display: Display): string =>
  renderCounts(counts, {deleted: dryRun ? 'would delete' : 'deleted', missing: 'missing'}, display);

type Count = {readonly stream: string; readonly group?: string};

/** A row for each of `counts`, with the numbers that have a heading. */
function renderCounts<Row extends Count>(
  counts: readonly Row[],
  headings: {readonly [Name in Exclude<keyof Row, 'stream' | 'group'>]: string},
  display: Display,
): string {
  if (counts.length === 0) return '';
  const numbers = Object.entries(headings) as [Exclude<keyof Row, 'stream' | 'group'>, string][];
  return renderTable(
    counts,
    [
      {heading: 'stream', least: LEAST_NAME, cell: ({stream}) => stream},
      ...(counts[0]!.group === undefined
        ? []
        : [{heading: 'group', least: LEAST_NAME, cell: ({group}: Row) => group!}]),
      ...numbers.map(([name, heading], priority) => ({
        heading,
        right: true,
        priority,
        cell: (row: Row) => row[name] as number,
      })),
    ],
    display,
  );
}
