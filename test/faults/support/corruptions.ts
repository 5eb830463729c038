/**
 * Ways to spoil a history that was right, each with what the checker must then
 * find. Pure. Invariant: a corruption does what its name says, or says that the
 * history has nothing for it to spoil.
 */
import {compareStreamIds} from '../../../src/lib/stream-id.js';
import {acknowledgedIn} from './collect.js';
import {eventsOf} from './history.js';
import type {History} from './history-model.js';
import type {SeededRandom} from './seed.js';
import type {Finding} from './verdict.js';

export interface Corruption {
  name: string;
  finding: Finding;
  /** Spoils `history`; the value that must be found, or undefined where there is none to spoil. */
  spoil(history: History, random: SeededRandom): string | undefined;
}

interface Entry {
  id: string;
  value: string;
}

const one = <T>(random: SeededRandom, items: readonly T[]): T | undefined =>
  items.length === 0 ? undefined : random.pick(items);
const isDead = ({ending}: History, value: string): boolean => ending.dead.some((each) => each.value === value);
const setStream = (history: History, stream: Entry[]): void => {
  history.ending = {...history.ending, stream};
};
const setPending = (history: History, pending: History['ending']['group']['pending']): void => {
  history.ending = {...history.ending, group: {...history.ending.group, pending}};
};
const valueAt = ({ending}: History, id: string): string => ending.stream.find((entry) => entry.id === id)!.value;
const isFinished = ({events}: History, id: string): boolean => eventsOf(events, 'succeeded').some((e) => e.id === id);

export const CORRUPTIONS: Corruption[] = [
  {
    name: 'a confirmed entry vanishes',
    finding: 'lost',
    spoil(history, random) {
      const confirmed = eventsOf(history.events, 'confirmed').filter(({value}) => !isDead(history, value));
      const value = one(random, confirmed)?.value;
      setStream(
        history,
        history.ending.stream.filter((entry) => entry.value !== value),
      );
      return value;
    },
  },
  {
    name: 'an entry comes from nowhere',
    finding: 'unexpected',
    spoil(history) {
      setStream(history, [...history.ending.stream, {id: '1800000000000-0', value: 'nobody-1'}]);
      return 'nobody-1';
    },
  },
  {
    name: 'an entry is handed over with the value of another',
    finding: 'unexpected',
    spoil(history, random) {
      const delivered = one(random, eventsOf(history.events, 'delivered'));
      const others = eventsOf(history.events, 'attempted').filter(({value}) => value !== delivered?.value);
      const other = one(random, others);
      if (delivered === undefined || other === undefined) return undefined;
      delivered.value = other.value;
      return other.value;
    },
  },
  {
    name: 'an entry is added once more',
    finding: 'duplicatedInStream',
    spoil(history, random) {
      const value = one(random, history.ending.stream)?.value;
      if (value !== undefined) setStream(history, [...history.ending.stream, {id: '1800000000000-0', value}]);
      return value;
    },
  },
  {
    name: 'two entries of one producer change places',
    finding: 'outOfOrder',
    spoil(history, random) {
      const {stream} = history.ending;
      const first = one(random, stream.slice(0, -1));
      const producer = first?.value.split('-')[0];
      const firstAt = stream.findIndex(({value}) => value === first?.value);
      const later = stream.slice(firstAt + 1).filter(({value}) => value.split('-')[0] === producer);
      const second = one(
        random,
        later.filter(({value}) => value !== first?.value),
      );
      if (first === undefined || second === undefined) return undefined;
      const swapped = new Map([
        [first.value, second.value],
        [second.value, first.value],
      ]);
      setStream(
        history,
        stream.map(({id, value}) => ({id, value: swapped.get(value) ?? value})),
      );
      return first.value;
    },
  },
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
