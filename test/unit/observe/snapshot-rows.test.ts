import {describe, expect, it} from 'vitest';
import {RecentMinute} from '../../../src/lib/observe/recent-minute.js';
import {ROW_ORDERS, type RowOptions, rowKey, snapshotRows} from '../../../src/lib/observe/snapshot-rows.js';
import {BAD_DAY, groupFacts, streamFacts} from '../snapshots.js';

const OPTIONS: RowOptions = {order: 'lag', isReversed: false, filter: '', groupsOnly: false, limit: 1_000};
const rows = (options: Partial<RowOptions> = {}): string =>
  snapshotRows(BAD_DAY.streams, {...OPTIONS, ...options})
    .map(
      ({stream, group}) =>
        (group === undefined || options.groupsOnly ? stream.stream : '') + (group ? `/${group.group}` : ''),
    )
    .join(' ');

describe('rows', () => {
  it('are in the order of the greatest figure, each group below its stream', () => {
    expect(rows()).toBe('orders /billing /search /audit mail /search old');
    expect(rows({order: 'pending', groupsOnly: true})).toBe('orders/billing mail/search orders/audit orders/search');
    expect(rows({order: 'bytes'})).toBe('orders /audit /billing /search mail /search old');
    expect(rows({order: 'name', isReversed: true})).toBe('orders /search /billing /audit old mail /search');
  });

  it('end with what is not known, in every order', () => {
    for (const order of ROW_ORDERS)
      if (order !== 'name') for (const isReversed of [true, false]) expect(rows({order, isReversed})).toMatch(/old$/);
  });

  it('are those that have the filter in their names; a stream that has it comes with all its groups', () => {
    expect(rows({filter: 'SEARCH'})).toBe('orders /search mail /search');
    expect(rows({filter: 'ord'})).toBe('orders /billing /search /audit');
    expect(rows({filter: '*'})).toBe('');
  });

  it('are limited to so many streams', () => {
    expect(rows({limit: 1})).toBe('orders /billing /search /audit');
    expect(rows({limit: 1, groupsOnly: true})).toBe('orders/billing');
  });

  it('have keys of their own whatever their names are', () => {
    expect(new Set([rowKey('a', 'b'), rowKey('a/b'), rowKey('a', ''), rowKey('a'), rowKey('3:a', 'b')]).size).toBe(5);
  });
});

describe('the last minute', () => {
  const of = (rate: number | null) => ({
    streams: [streamFacts({stream: 's', addedPerSec: rate, length: 5, groups: [groupFacts({group: 'g', lag: 7})]})],
  });

  it('has a value for each second, the newest last', () => {
    const minutes = new RecentMinute();
    for (let second = 0; second < 100; second++) minutes.take(of(second), second * 1_000);
    const {perSec, amount} = minutes.of({stream: 's'});
    expect(perSec).toEqual(Array.from({length: 60}, (_, n) => n + 40));
    expect(amount).toEqual(Array(60).fill(5));
    expect(minutes.of({stream: 's'}, {group: 'g'}).amount.at(-1)).toBe(7);
  });

  it('fills seconds between readings, and has one value for several readings in a second', () => {
    const minutes = new RecentMinute();
    for (const [atMs, rate] of [
      [0, 1],
      [200, 2],
      [3_500, 3],
      [3_900, null],
    ] as const)
      minutes.take(of(rate), atMs);
    expect(minutes.of({stream: 's'}).perSec.slice(-5)).toEqual([null, 2, 3, 3, null]);
  });

  it('forgets what is gone', () => {
    const minutes = new RecentMinute();
    minutes.take(of(1), 0);
    minutes.take({streams: []}, 1_000);
    minutes.take(of(2), 2_000);
    expect(minutes.of({stream: 's'}).perSec.slice(-2)).toEqual([null, 2]);
  });
});
