/**
 * Ways to spoil what producers did in a history that was right, each with what
 * the checker must then find. Pure. Invariant: a corruption does what its name
 * says, or says that the history has nothing for it to spoil.
 */
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

/** One of `items` by chance, or undefined when there is none. */
export const one = <T>(random: SeededRandom, items: readonly T[]): T | undefined =>
  items.length === 0 ? undefined : random.pick(items);

const isDead = ({ending}: History, value: string): boolean => ending.dead.some((each) => each.value === value);
const setStream = (history: History, stream: Entry[]): void => {
  history.ending = {...history.ending, stream};
};

export const PRODUCING_CORRUPTIONS: Corruption[] = [
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
];
