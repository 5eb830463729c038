import {expect, it} from 'vitest';
import {counted, countedOrNone, listed, took} from '../../../src/lib/output/sentences.js';

it('counts in the singular and the plural, with separators', () => {
  expect([0, 1, 3, 12_345].map((count) => counted(count, 'entry'))).toEqual([
    '0 entries',
    '1 entry',
    '3 entries',
    '12,345 entries',
  ]);
  expect([counted(2, 'record'), counted(2, 'dead letter'), counted(2, 'loss', 'losses')]).toEqual([
    '2 records',
    '2 dead letters',
    '2 losses',
  ]);
  expect([countedOrNone(0, 'entry'), countedOrNone(1, 'entry')]).toEqual([undefined, '1 entry']);
});

it('lists some names, and says how many more there are', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  expect([0, 1, 2, 3, 4, 5].map((count) => listed(names.slice(0, count)))).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
    'a, b and 2 more',
    'a, b and 3 more',
  ]);
});

it('says how long something took, and never that it took no time', () => {
  expect([0, 12, 94, 120, 9_940, 42_000, 200_000].map(took)).toEqual([
    'in 0.01 s',
    'in 0.01 s',
    'in 0.09 s',
    'in 0.1 s',
    'in 9.9 s',
    'in 42 s',
    'in 3m 20s',
  ]);
});
