import {describe, expect, it} from 'vitest';
import {formatAge} from '../../../src/lib/duration.js';
import {ageMs, aheadMs, isTime} from '../../../src/lib/records/entry-time.js';

const NOW = Date.UTC(2026, 10, 30);
const YEARS_10 = 10 * 365 * 86_400_000;

describe('an ID', () => {
  it.each([
    ['a counter', 5, false],
    ['Unix seconds', NOW / 1_000, false],
    ['the last millisecond of 1999', Date.UTC(2000, 0, 1) - 1, false],
    ['the year 2000', Date.UTC(2000, 0, 1), true],
    ['now', NOW, true],
    ['ten years ahead', NOW + YEARS_10, true],
    ['more than ten years ahead', NOW + YEARS_10 + 1, false],
    ['microseconds', NOW * 1_000, false],
  ])('of %s may be a time, or is plainly none', (_, ms, expected) => expect(isTime(`${ms}-0`, NOW)).toBe(expected));

  it('is as old as its time, and never younger than now', () => {
    expect(ageMs(`${NOW - 5}-3`, NOW)).toBe(5);
    expect(ageMs(`${NOW + 5_000}-0`, NOW)).toBe(0);
  });

  it('is ahead by more than clocks differ, or not at all', () => {
    expect(aheadMs(`${NOW + 999}-0`, NOW)).toBeUndefined();
    expect(aheadMs(`${NOW + 1_000}-0`, NOW)).toBe(1_000);
    expect(aheadMs(`${NOW - 1}-0`, NOW)).toBeUndefined();
  });
});

it.each([
  [0, undefined, '0ms ago'],
  [200_000, undefined, '3m 20s ago'],
  [0, 7_200_000, 'in 2h'],
  [400 * 86_400_000, undefined, '400d ago'],
  [0, 73.5 * 365.25 * 86_400_000, 'in 73y'],
])('an age of %d ms, or one ahead by %s, is shown as %s', (age, ahead, text) =>
  expect(formatAge(age, ahead)).toBe(text),
);
