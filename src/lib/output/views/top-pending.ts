/** Pending entries of a group as a table, for `top`. */
import type {PendingEntry} from '../../records/pending-entry.js';
import {LEAST_NAME} from '../column-fit.js';
import type {Display} from '../display.js';
import {renderTable} from '../table.js';
import {ageText} from './top-figures.js';

export const pendingTable = (entries: readonly PendingEntry[], display: Display): string =>
  renderTable(
    entries,
    [
      {heading: 'pending ID', cell: ({id}) => id},
      {heading: 'consumer', least: LEAST_NAME, priority: 1, cell: ({consumer}) => consumer},
      {
        heading: 'idle',
        right: true,
        cell: ({idleMs, givenBack}) => (givenBack ? 'given back' : ageText(idleMs)),
      },
      {
        heading: 'deliveries',
        right: true,
        priority: 2,
        cell: ({deliveries, exactDeliveries}) => display.count(exactDeliveries ?? deliveries),
      },
    ],
    display,
  );
