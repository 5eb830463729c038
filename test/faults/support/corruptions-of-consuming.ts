/**
 * Ways to spoil what consumers did in a history that was right. As with those
 * of producers: each does what its name says, or says that there is nothing to spoil.
 */
import {compareStreamIds} from '../../../src/lib/records/stream-id.js';
import {acknowledgedIn} from './collect.js';
import {type Corruption, one} from './corruptions-of-producing.js';
import {eventsOf} from './history.js';
import type {History} from './history-model.js';

const setPending = (history: History, pending: History['ending']['group']['pending']): void => {
  history.ending = {...history.ending, group: {...history.ending.group, pending}};
};
const valueAt = ({ending}: History, id: string): string => ending.stream.find((entry) => entry.id === id)!.value;
const isFinished = ({events}: History, id: string): boolean => eventsOf(events, 'succeeded').some((e) => e.id === id);

export const CONSUMING_CORRUPTIONS: Corruption[] = [
  {
    name: 'an acknowledged entry was never finished',
    finding: 'acknowledgedWithoutSuccess',
    spoil(history, random) {
      const id = one(random, acknowledgedIn(history.ending));
      history.events = history.events.filter((event) => !(event.what === 'succeeded' && event.id === id));
      return id && valueAt(history, id);
    },
  },
  {
    name: 'a pending entry that was never finished is pending no more',
    finding: 'acknowledgedWithoutSuccess',
    spoil(history, random) {
      const {pending} = history.ending.group;
      const gone = one(
        random,
        pending.filter(({id}) => !isFinished(history, id)),
      );
      setPending(
        history,
        pending.filter((each) => each !== gone),
      );
      return gone && valueAt(history, gone.id);
    },
  },
  {
    name: 'an acknowledged entry is handed over anew',
    finding: 'resurrected',
    spoil(history, random) {
      const id = one(random, eventsOf(history.events, 'acknowledged'))?.id;
      const value = id && valueAt(history, id);
      if (id && value) history.events.push({what: 'delivered', id, value, by: 'w9', deliveries: 1});
      return value;
    },
  },
  {
    name: 'an entry is handed over twice',
    finding: 'duplicateDeliveries',
    spoil(history, random) {
      const delivered = one(random, eventsOf(history.events, 'delivered'));
      if (delivered !== undefined) history.events.splice(history.events.indexOf(delivered), 0, {...delivered});
      return delivered?.value;
    },
  },
  {
    name: 'the group forgets that it has read an entry',
    finding: 'unaccounted',
    spoil(history, random) {
      const {stream, group} = history.ending;
      const delivered = new Set(eventsOf(history.events, 'delivered').map(({id}) => id));
      const id = one(
        random,
        acknowledgedIn(history.ending).filter((each) => delivered.has(each)),
      );
      if (id === undefined) return undefined;
      const before = stream.filter((entry) => compareStreamIds(entry.id, id) < 0).at(-1);
      history.ending = {...history.ending, group: {...group, lastDeliveredId: before?.id ?? '0-0'}};
      return valueAt(history, id);
    },
  },
  {
    name: 'a dead letter is still pending',
    finding: 'accountedTwice',
    spoil(history, random) {
      const letter = one(random, history.ending.dead);
      const {pending} = history.ending.group;
      if (letter !== undefined) setPending(history, [...pending, {id: letter.id, consumer: 'w1', deliveries: 3}]);
      return letter?.value;
    },
  },
  {
    name: 'an acknowledgement is undone',
    finding: 'accountedTwice',
    spoil(history, random) {
      const id = one(random, eventsOf(history.events, 'acknowledged'))?.id;
      const {pending} = history.ending.group;
      if (id !== undefined) setPending(history, [...pending, {id, consumer: 'w1', deliveries: 1}]);
      return id && valueAt(history, id);
    },
  },
];
