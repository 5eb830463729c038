/** How the summary of `pending` looks to a person, and what to do about consumers that may be dead. */
import {formatDuration} from '../../duration.js';
import type {PendingConsumer, PendingReport} from '../../groups/pending-report.js';
import {shellWord} from '../../shell-word.js';
import type {Colors} from '../colors.js';
import {renderFacts, renderTable} from '../table.js';

/** From here on a consumer may be dead, and its entries another's to take. */
const LONG_IDLE_MS = 60_000;

export function renderPending({stream, group, consumers, ...report}: PendingReport, colors: Colors): string {
  const facts = renderFacts(
    [
      ['stream', stream],
      ['group', group],
      ['pending', report.pending],
      ...(givenBackOf(report) === '0' ? [] : [['given back', givenBackOf(report)] as [string, string]]),
      ['lowest ID', report.lowestId ?? 'none'],
      ...(report.highestId === undefined ? [] : [['highest ID', report.highestId ?? 'none'] as [string, string]]),
    ],
    colors,
  );
  return consumers.length === 0 ? facts : `${facts}\n${drawConsumers(consumers, colors)}`;
}

function drawConsumers(consumers: readonly PendingConsumer[], colors: Colors): string {
  const someGivenBack = consumers.some((consumer) => givenBackOf(consumer) !== '0');
  return renderTable(
    consumers,
    [
      {heading: 'consumer', cell: ({name}) => name},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      ...(someGivenBack
        ? [{heading: 'given back', right: true, cell: (consumer: PendingConsumer) => givenBackOf(consumer)}]
        : []),
      {heading: 'oldest idle', right: true, cell: oldestIdleOf},
      {heading: 'most deliveries', right: true, cell: mostDeliveriesOf},
    ],
    colors,
  );
}

// A bound has a sign, and what is not known is said to be so.
const UNKNOWN = 'unknown';

function givenBackOf({givenBack, givenBackAtLeast}: {givenBack?: number; givenBackAtLeast?: number}): string {
  if (givenBack !== undefined) return String(givenBack);
  return givenBackAtLeast === undefined || givenBackAtLeast === 0 ? '0' : `>= ${givenBackAtLeast}`;
}

function oldestIdleOf({oldestIdleMs, oldestIdleAtLeastMs}: PendingConsumer): string {
  if (oldestIdleMs !== undefined) return oldestIdleMs === null ? 'none' : formatDuration(oldestIdleMs);
  return oldestIdleAtLeastMs === undefined || oldestIdleAtLeastMs === null
    ? UNKNOWN
    : `>= ${formatDuration(oldestIdleAtLeastMs)}`;
}

function mostDeliveriesOf({maxDeliveries, maxDeliveriesAtLeast}: PendingConsumer): string {
  if (maxDeliveries !== undefined) return String(maxDeliveries);
  return maxDeliveriesAtLeast === undefined ? UNKNOWN : `>= ${maxDeliveriesAtLeast}`;
}

/** Says how to have the figures that are bounds; undefined where none is. */
export const exactHint = (reports: readonly PendingReport[]): string | undefined =>
  reports.some(({consumers}) => consumers.some(({oldestIdleMs}) => oldestIdleMs === undefined))
    ? 'only the counts of pending entries are exact, since there are many; --exact looks at each of them'
    : undefined;

/** For each consumer that may be dead, the command that takes its entries over. */
export const claimHints = ({stream, group, consumers}: PendingReport): string[] =>
  consumers
    .map(({name, oldestIdleMs, oldestIdleAtLeastMs}) => ({name, idleMs: oldestIdleMs ?? oldestIdleAtLeastMs ?? 0}))
    .filter(({idleMs}) => idleMs > LONG_IDLE_MS)
    .map(({name, idleMs}) => {
      const options = [option('stream', stream), option('group', group), option('consumer', name)].join(' ');
      return (
        `"${name}" has had an entry for ${formatDuration(idleMs)}; to hand over what idles: ` +
        `streamlog claim ${options} --to NAME --min-idle ${LONG_IDLE_MS / 1_000}s`
      );
    });

// A name that starts with a dash would be read as another option.
const option = (name: string, value: string): string =>
  value.startsWith('-') ? `--${name}=${shellWord(value)}` : `--${name} ${shellWord(value)}`;
