import {expect, it} from 'vitest';
import {CarriedCounts, type CarriedInfo} from '../../../src/lib/observe/lag-carried.js';
import {FIRST_ID} from '../../../src/lib/records/stream-id.js';
import type {EntryCount} from '../../../src/lib/reports/entries-behind.js';
import {type SeededRandom, seededRandom} from '../../support/seeded-random.js';

/** A stream of which an entry is the milliseconds of its ID, with the counters that Redis 7 keeps of it. */
class ModelStream {
  entries: number[] = [];
  added = 0;
  last = 0;
  maxDeleted = 0;

  get info(): CarriedInfo {
    const [first] = this.entries;
    return {
      length: this.entries.length,
      firstEntry: first === undefined ? undefined : {id: `${first}-0`, fields: []},
      lastGeneratedId: `${this.last}-0`,
      entriesAdded: this.added,
      maxDeletedId: `${this.maxDeleted}-0`,
    };
  }

  behind(id: number): number {
    return this.entries.filter((entry) => entry > id).length;
  }

  add(count: number): void {
    for (let n = 0; n < count; n++) this.entries.push(++this.last);
    this.added += count;
  }

  delete(id: number): void {
    if (!this.entries.includes(id)) return;
    this.entries = this.entries.filter((entry) => entry !== id);
    this.maxDeleted = Math.max(this.maxDeleted, id);
  }

  trim(length: number): void {
    this.entries = this.entries.slice(Math.max(0, this.entries.length - length));
  }
}

/** What follows from the IDs alone. */
const known = (length: number): EntryCount => ({
  estimate: Math.floor(length / 2),
  atLeast: 1,
  atMost: length - 1,
  counted: false,
});

function happen(stream: ModelStream, random: SeededRandom): void {
  const happenings = [
    () => stream.add(random.below(20)),
    () => stream.add(random.below(3)),
    () => stream.delete(1 + random.below(stream.last + 1)),
    () => stream.trim(random.below(80)),
    () => {
      if (!random.oneIn(10)) return;
      // DEL, and another stream under its name: with IDs that go on, as those of a clock, or begin anew.
      const from = random.oneIn(2) ? stream.last : 0;
      Object.assign(stream, new ModelStream());
      stream.last = from;
      stream.add(1 + random.below(5));
    },
  ];
  random.pick(happenings)();
}

it('bounds are true, and often one number, after any history', () => {
  let [narrowed, exact] = [0, 0];
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const stream = new ModelStream();
    const carried = new CarriedCounts();
    stream.add(10);
    for (let step = 0; step < 60; step++) {
      happen(stream, random);
      carried.take(stream.info, FIRST_ID);
      const between = stream.entries.slice(1, -1);
      for (let n = 0; n < 3 && between.length > 0; n++) {
        const id = random.pick(between);
        const truth = stream.behind(id);
        const start = known(stream.entries.length);
        const {atLeast, atMost, estimate} = carried.narrow(`${id}-0`, start);
        const where = `seed ${seed}, step ${step}, ID ${id}`;
        expect(atLeast, where).toBeLessThanOrEqual(truth);
        expect(atMost, where).toBeGreaterThanOrEqual(truth);
        expect(estimate >= atLeast && estimate <= atMost, where).toBe(true);
        narrowed += Number(atLeast > start.atLeast || atMost < start.atMost);
        exact += Number(atLeast === atMost);
        if (random.oneIn(3)) carried.note(`${id}-0`, {estimate: truth, atLeast: truth, atMost: truth, counted: true});
      }
    }
  }
  expect(narrowed).toBeGreaterThan(5_000);
  expect(exact).toBeGreaterThan(1_000);
});

it('a server that does not count is not believed to', () => {
  const carried = new CarriedCounts();
  const stream = new ModelStream();
  stream.add(10);
  const uncounted = {...stream.info, entriesAdded: undefined, maxDeletedId: undefined};
  carried.take(uncounted, FIRST_ID);
  carried.note('5-0', {estimate: 5, atLeast: 5, atMost: 5, counted: true});
  carried.take(uncounted, FIRST_ID);
  expect(carried.narrow('5-0', known(10))).toEqual(known(10));
});

it('what is kept does not grow for ever', () => {
  const carried = new CarriedCounts();
  const stream = new ModelStream();
  for (let reading = 0; reading < 20_000; reading++) {
    stream.add(1);
    carried.take(stream.info, FIRST_ID);
  }
  const {atLeast, atMost} = carried.narrow('19990-0', known(20_000));
  expect([atLeast, atMost]).toEqual([10, 10]);
  // Older ones are less narrow.
  const old = carried.narrow('9000-0', known(20_000));
  expect(old.atLeast <= 11_000 && old.atMost >= 11_000).toBe(true);
});
