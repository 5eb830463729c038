import {expect, it} from 'vitest';
import {hotSlot, slotsApart} from '../../../src/lib/doctor/cluster-slots.js';
import {streamFacts} from '../snapshots.js';
import {COMMANDS} from './server-nodes.js';

const rates = (...streams: [name: string, addedPerSec: number | null, entriesAdded?: number | null][]) =>
  streams.map(([stream, addedPerSec, entriesAdded = 1_000]) => streamFacts({stream, addedPerSec, entriesAdded}));

it('finds the slot that gets most adds, with all streams in it', () => {
  const found = hotSlot(rates(['{a}:x', 500], ['{a}:y', 300], ['b', 200]), 2_000, COMMANDS);
  expect(found).toHaveLength(1);
  expect(found[0]!.seen).toEqual({slot: 15_495, streams: ['{a}:x', '{a}:y'], addedPerSec: 800, percent: 80});
  expect(found[0]!.what).toBe('80 % of all adds, 800 a second, go to slot 15495 ({a}:x and {a}:y)');
});

it.each([
  ['adds are spread', rates(['a', 600], ['b', 400])],
  ['adds are few', rates(['a', 199])],
  ['nothing is known before Redis 7.0', rates(['a', 900], ['b', null, null])],
  ['there may be as many in a new stream', rates(['a', 600], ['b', null, 800])],
  ['there is no stream', []],
])('finds nothing where %s', (_, streams) => {
  expect(hotSlot(streams, 2_000, COMMANDS)).toEqual([]);
});

it('takes a new stream for as busy as it can be', () => {
  expect(hotSlot(rates(['a', 900], ['b', null, 20]), 2_000, COMMANDS)[0]!.seen.percent).toBe(98);
});

it('finds a dead letter stream in another slot than its stream', () => {
  const at = 'config.toml:3';
  expect(slotsApart({deadLetter: '{orders}:failed', streams: ['orders'], at})).toEqual([]);
  const found = slotsApart({deadLetter: 'failed', streams: ['orders', '{failed}:orders'], at});
  expect(found).toMatchObject([{id: 'D19', stream: 'orders', seen: {deadLetter: 'failed', at}}]);
});
