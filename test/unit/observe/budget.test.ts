import {expect, it} from 'vitest';
import {RoundCounts, ServerTimeBudget, WholeCounts} from '../../../src/lib/observe/budget.js';
import {COUNT_LIMITS} from '../../../src/lib/reports/entries-behind.js';

const PLAIN = {pending: [], consumers: 0, payloadBytes: 0};

it('streams are taken up to 2 % of the time, and one at least', () => {
  const budget = new ServerTimeBudget(1_000);
  const streams = Array.from({length: 100}, (_, n) => n);
  expect(budget.take(streams, () => 1_000)).toEqual(streams.slice(0, 20));
  expect(budget.take(streams, () => 1)).toEqual(streams);
  expect(budget.take(streams, () => 1_000_000)).toEqual([0]);
  expect(budget.take([], () => 1)).toEqual([]);
  expect([budget.roundsOf(0), budget.roundsOf(20_000), budget.roundsOf(20_001)]).toEqual([1, 1, 2]);
});

it('a slower server is asked less, and a faster one more', () => {
  const budget = new ServerTimeBudget(1_000);
  const cost = budget.costOf(PLAIN);
  budget.calibrate(
    new Map([
      ['xinfo|stream', 64],
      ['xinfo|groups', 9],
    ]),
  );
  expect(budget.costOf(PLAIN)).toBe(2 * cost);
  budget.calibrate(new Map());
  expect(budget.costOf(PLAIN)).toBe(2 * cost);
  budget.calibrate(new Map([['xinfo|stream', 0.1]]));
  expect(budget.costOf(PLAIN)).toBeLessThan(cost);
});

it('pending entries, consumers and large entries cost more', () => {
  const budget = new ServerTimeBudget(1_000);
  const cost = budget.costOf(PLAIN);
  for (const size of [{pending: [100]}, {consumers: 1_000}, {payloadBytes: 1e6}])
    expect(budget.costOf({...PLAIN, ...size})).toBeGreaterThan(cost + 100);
});

it('little is counted in a round: what is near the end, and now and then something far from it', () => {
  const counts = new RoundCounts(1_000);
  expect(counts.take(10_000, 29_000)).toBeUndefined();
  expect([1, 2, 3].map(() => counts.take(10_000, 30_000))).toEqual([COUNT_LIMITS, COUNT_LIMITS, undefined]);
  const small = Array.from({length: 100}, () => counts.take(100, 0)).filter((limits) => limits !== undefined);
  expect(small.length).toBe(15);
});

it('for one reading as much is counted as for a list', () => {
  const counts = new WholeCounts();
  const taken = Array.from({length: 100}, () => counts.take(1_000_000)).filter((limits) => limits !== undefined);
  expect(taken).toEqual(Array(25).fill(COUNT_LIMITS));
});
