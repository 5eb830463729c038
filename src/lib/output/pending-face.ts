/** How the summary of `pending` looks to a person, and what to do about consumers that may be dead. */
import {formatDuration} from '../duration.js';
import type {PendingConsumer, PendingReport} from '../groups/pending-report.js';
import {shellWord} from '../shell-word.js';
import type {Colors} from './colors.js';
import {renderFacts, renderTable} from './table.js';

/** From here on a consumer may be dead, and its entries another's to take. */
const LONG_IDLE_MS = 60_000;

export function drawPending({stream, group, consumers, ...report}: PendingReport, colors: Colors): string {
  const facts = renderFacts(
    [
      ['stream', stream],
      ['group', group],
      ['pending', report.pending],
      ['lowest ID', report.lowestId ?? 'none'],
      ['highest ID', report.highestId ?? 'none'],
    ],
    colors,
  );
  return consumers.length === 0 ? facts : `${facts}\n${drawConsumers(consumers, colors)}`;
}

const drawConsumers = (consumers: readonly PendingConsumer[], colors: Colors): string =>
  renderTable(
    consumers,
    [
      {heading: 'consumer', cell: ({name}) => name},
      {heading: 'pending', right: true, cell: ({pending}) => pending},
      {heading: 'oldest idle', right: true, cell: ({oldestIdleMs}) => formatDuration(oldestIdleMs)},
      {heading: 'most deliveries', right: true, cell: ({maxDeliveries}) => maxDeliveries},
    ],
    colors,
  );

/** For each consumer that may be dead, the command that takes its entries over. */
export const claimHints = ({stream, group, consumers}: PendingReport): string[] =>
  consumers
    .filter(({oldestIdleMs}) => oldestIdleMs > LONG_IDLE_MS)
    .map(({name, oldestIdleMs}) => {
      const options = [option('stream', stream), option('group', group), option('consumer', name)].join(' ');
      return (
        `"${name}" has had an entry for ${formatDuration(oldestIdleMs)}; to hand over what idles: ` +
        `streamlog claim ${options} --to NAME --min-idle ${LONG_IDLE_MS / 1_000}s`
      );
    });

// A name that starts with a dash would be read as another option.
const option = (name: string, value: string): string =>
  value.startsWith('-') ? `--${name}=${shellWord(value)}` : `--${name} ${shellWord(value)}`;
