import {describe, expect, it} from 'vitest';
import {
  type DrainFacts,
  drainOf,
  type GroupCounters,
  RateMeter,
  type StreamCounters,
} from '../../../src/lib/observe/rates.js';
import {seededRandom} from '../../support/seeded-random.js';

const group = (facts: Partial<GroupCounters> = {}): GroupCounters => ({
  name: 'g',
  entriesRead: 0,
  pending: 0,
  lastDeliveredId: '0-0',
  ...facts,
});
const reading = (seconds: number, entriesAdded: number | null, ...groups: GroupCounters[]): StreamCounters => ({
  atMs: seconds * 1_000,
  entriesAdded,
  groups,
});

describe('rates', () => {
  it('take two readings', () => {
    const meter = new RateMeter();
    expect(meter.take(reading(0, 100, group()))).toEqual({addedPerSec: null, groups: new Map()});
    const {addedPerSec, groups} = meter.take(
      reading(2, 180, group({entriesRead: 50, pending: 10, lastDeliveredId: '5-0'})),
    );
    expect(addedPerSec).toBe(40);
    expect(groups.get('g')).toEqual({deliveredPerSec: 25, donePerSec: 20});
  });

  it('count what was pending before and was acknowledged since as done', () => {
    const meter = new RateMeter();
    meter.take(reading(0, 10, group({entriesRead: 10, pending: 10, lastDeliveredId: '9-0'})));
    const {groups} = meter.take(reading(1, 10, group({entriesRead: 10, pending: 4, lastDeliveredId: '9-0'})));
    expect(groups.get('g')).toEqual({deliveredPerSec: 0, donePerSec: 6});
  });

  it('are those of the last seconds: after a half-life, half of a change is seen', () => {
    const meter = new RateMeter();
    let added = 0;
    const take = (second: number, more: number): number | null => {
      added += more;
      return meter.take(reading(second, added)).addedPerSec;
    };
    for (let second = 0; second <= 5; second++) take(second, 100);
    let last: number | null = null;
    for (let second = 6; second <= 15; second++) last = take(second, 200);
    expect(last).toBeCloseTo(150, 6);
    for (let second = 16; second <= 25; second++) last = take(second, 200);
    expect(last).toBeCloseTo(175, 6);
  });

  it('do not depend on how often one looks', () => {
    const rateAfter = (readings: number): number | null => {
      const meter = new RateMeter();
      meter.take(reading(0, 0));
      meter.take(reading(1, 10));
      let last: number | null = null;
      for (let n = 1; n <= readings; n++)
        last = meter.take(reading(1 + (10 * n) / readings, 10 + (500 * n) / readings)).addedPerSec;
      return last;
    };
    expect(rateAfter(100)).toBeCloseTo(rateAfter(1)!, 6);
  });

  it('are unknown for one reading where a counter went back, and begin anew', () => {
    const meter = new RateMeter();
    meter.take(reading(0, 100, group({entriesRead: 90, lastDeliveredId: '9-0'})));
    meter.take(reading(1, 200, group({entriesRead: 150, lastDeliveredId: '15-0'})));
    const after = meter.take(reading(2, 5, group({entriesRead: 1, lastDeliveredId: '1-0'})));
    expect([after.addedPerSec, after.groups.get('g')]).toEqual([null, {deliveredPerSec: null, donePerSec: null}]);
    const next = meter.take(reading(3, 12, group({entriesRead: 4, lastDeliveredId: '4-0'})));
    expect([next.addedPerSec, next.groups.get('g')]).toEqual([7, {deliveredPerSec: 3, donePerSec: 3}]);
  });

  it('are unknown where the server does not count, and where a group was moved back', () => {
    const meter = new RateMeter();
    meter.take(
      reading(0, null, group({entriesRead: null}), group({name: 'moved', entriesRead: 5, lastDeliveredId: '5-0'})),
    );
    const {addedPerSec, groups} = meter.take(
      reading(
        1,
        null,
        group({entriesRead: null, lastDeliveredId: '3-0'}),
        group({name: 'moved', entriesRead: 9, lastDeliveredId: '2-0'}),
      ),
    );
    const unknown = {deliveredPerSec: null, donePerSec: null};
    expect([addedPerSec, groups.get('g'), groups.get('moved')]).toEqual([null, unknown, unknown]);
  });

  it('are 0 for a group that stands still, also where the server does not count', () => {
    const meter = new RateMeter();
    meter.take(reading(0, null, group({entriesRead: null, pending: 5, lastDeliveredId: '5-0'})));
    const {groups} = meter.take(reading(1, null, group({entriesRead: null, pending: 3, lastDeliveredId: '5-0'})));
    expect(groups.get('g')).toEqual({deliveredPerSec: 0, donePerSec: 2});
  });

  it('are never negative, and of a group that was made anew not those of the old one', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const meter = new RateMeter();
      let at = 0;
      for (let step = 0; step < 30; step++) {
        at += random.below(3);
        const any = (): number | null => (random.oneIn(6) ? null : random.below(50));
        const groups = ['a', 'b', 'c']
          .filter(() => !random.oneIn(4))
          .map((name) =>
            group({name, entriesRead: any(), pending: random.below(20), lastDeliveredId: `${random.below(9)}-0`}),
          );
        const rates = meter.take(reading(at, any(), ...groups));
        const all = [rates.addedPerSec, ...[...rates.groups.values()].flatMap((each) => Object.values(each))];
        for (const rate of all) if (rate !== null) expect(rate, `seed ${seed}`).toBeGreaterThanOrEqual(0);
      }
    }
  });
});

describe('the trend of a lag', () => {
  const behind = (count: number) => ({count, atLeast: count, atMost: count});
  const drain = (facts: Partial<DrainFacts>) =>
    drainOf({lag: behind(1_000), addedPerSec: 100, deliveredPerSec: 100, unmovedMs: 0, ...facts});

  it('is drained without a lag, whatever the rates', () => {
    expect(drain({lag: behind(0), addedPerSec: null})).toEqual({drainMs: 0, trend: 'drained'});
  });

  it('is draining where more is delivered than added, and says until when', () => {
    expect(drain({deliveredPerSec: 150})).toEqual({drainMs: 20_000, trend: 'draining'});
  });

  it('is growing where less is', () => {
    expect(drain({deliveredPerSec: 90})).toEqual({drainMs: null, trend: 'growing'});
    expect(drain({deliveredPerSec: 0})).toEqual({drainMs: null, trend: 'growing'});
  });

  it('is steady within one percent', () => {
    expect(drain({deliveredPerSec: 99.5})).toEqual({drainMs: null, trend: 'steady'});
    expect(drain({deliveredPerSec: 100.5})).toEqual({drainMs: 2_000_000, trend: 'steady'});
    expect(drain({addedPerSec: 0, deliveredPerSec: 0})).toEqual({drainMs: null, trend: 'steady'});
  });

  it('is stalled where nothing was delivered for a minute, though there is something', () => {
    expect(drain({deliveredPerSec: 0, unmovedMs: 60_000})).toEqual({drainMs: null, trend: 'stalled'});
    const maybe = {count: 1, atLeast: 0, atMost: 5};
    expect(drain({lag: maybe, deliveredPerSec: 0, unmovedMs: 60_000}).trend).not.toBe('stalled');
  });

  it('is unknown without rates or a lag', () => {
    for (const facts of [{lag: null}, {addedPerSec: null}, {deliveredPerSec: null}])
      expect(drain(facts)).toEqual({drainMs: null, trend: 'unknown'});
  });

  it('never has a time below 0, and one exactly where the group gains', () => {
    for (let seed = 1; seed <= 1_000; seed++) {
      const random = seededRandom(seed);
      const any = (): number | null => (random.oneIn(8) ? null : random.below(1_000) / 10);
      const atLeast = random.below(100);
      const atMost = atLeast + random.below(3);
      const facts = {
        lag: {count: atLeast, atLeast, atMost},
        addedPerSec: any(),
        deliveredPerSec: any(),
        unmovedMs: random.below(70_000),
      };
      const {drainMs, trend} = drainOf(facts);
      const gains = (facts.deliveredPerSec ?? 0) > (facts.addedPerSec ?? Number.POSITIVE_INFINITY);
      if (drainMs !== null) expect(drainMs).toBeGreaterThanOrEqual(0);
      if (trend === 'draining') expect(drainMs).not.toBeNull();
      if (trend === 'growing' || trend === 'stalled' || trend === 'unknown') expect(drainMs).toBeNull();
      if (trend === 'steady') expect(drainMs !== null).toBe(gains);
    }
  });
});
