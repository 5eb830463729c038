import {describe, expect, it} from 'vitest';
import {type GroupCounters, RateMeter, type StreamCounters} from '../../../src/lib/observe/rates.js';
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
      reading(1, null, group({entriesRead: null}), group({name: 'moved', entriesRead: 9, lastDeliveredId: '2-0'})),
    );
    const unknown = {deliveredPerSec: null, donePerSec: null};
    expect([addedPerSec, groups.get('g'), groups.get('moved')]).toEqual([null, unknown, unknown]);
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
