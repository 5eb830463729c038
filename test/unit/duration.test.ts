import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {formatDuration, parseDuration} from '../../src/lib/duration.js';

describe('reading a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['1h30m', 5_400_000],
    ['1m500ms', 60_500],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['0.4ms', 0],
  ])('reads %s as %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 's', '-1s', '+1s', ' 1s', '1s ', '1 s', '1S', '1w', '.5s', '1.s', '1e3s', '1s2', 'off', '1h-30m'])(
    'refuses %j',
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );

  it('refuses what no number of milliseconds holds exactly', () => {
    expect(parseDuration('104249991d')).toBe(104_249_991 * 86_400_000);
    expect(parseDuration('104249992d')).toBeUndefined();
    expect(parseDuration(`${'9'.repeat(400)}d`)).toBeUndefined();
  });

  it('adds the parts of a sum', () => {
    const part = fc.nat(1_000);
    fc.assert(
      fc.property(part, part, part, part, part, (d, h, m, s, ms) => {
        expect(parseDuration(`${d}d${h}h${m}m${s}s${ms}ms`)).toBe((((d * 24 + h) * 60 + m) * 60 + s) * 1_000 + ms);
      }),
    );
  });
});

describe('showing a duration', () => {
  it.each([
    [0, '0ms'],
    [850, '850ms'],
    [999.4, '999ms'],
    [999.5, '1s'],
    [1_000, '1s'],
    [42_999, '42s'],
    [60_000, '1m'],
    [200_000, '3m 20s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h'],
    [5_430_000, '1h 30m'],
    [86_399_999, '23h 59m'],
    [187_200_000, '2d 4h'],
    [400 * 86_400_000, '400d'],
    // The clocks of Redis and of this machine may differ.
    [-20, '0ms'],
  ])('shows %d ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('shows what can be read again, never more than there was and less by less than the smaller unit', () => {
    fc.assert(
      fc.property(fc.nat(10 * 86_400_000), (ms) => {
        const shown = parseDuration(formatDuration(ms).replaceAll(' ', ''))!;
        expect(ms - shown).toBeGreaterThanOrEqual(0);
        expect(ms - shown).toBeLessThan(ms < 1_000 ? 1 : ms < 3_600_000 ? 1_000 : ms < 86_400_000 ? 60_000 : 3_600_000);
      }),
    );
  });
});
