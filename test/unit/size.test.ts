import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {formatSize, parseSize} from '../../src/lib/size.js';

describe('reading a size', () => {
  it.each([
    ['0', 0],
    ['912', 912],
    ['912B', 912],
    ['64KB', 65_536],
    ['64kb', 65_536],
    ['64 KB', 65_536],
    ['100MB', 104_857_600],
    ['1.5GB', 1_610_612_736],
  ])('reads %s as %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', 'KB', '-1', '+1', ' 1KB', '1KB ', '1K', '1KiB', '1TB', '1e3', '0x10', '1,5MB', '.5MB', '1MB2KB'])(
    'refuses %j',
    (text) => expect(parseSize(text)).toBeUndefined(),
  );

  it('refuses what no number holds exactly', () => {
    expect(parseSize('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseSize('9007199254740992')).toBeUndefined();
    expect(parseSize(`${'9'.repeat(400)}GB`)).toBeUndefined();
  });
});

describe('showing a size', () => {
  it.each([
    [0, '0 B'],
    [1_023, '1023 B'],
    [1_024, '1.0 KB'],
    [65_536, '64.0 KB'],
    [1_048_575, '1.0 MB'],
    [1_048_576, '1.0 MB'],
    [1_073_741_823, '1.0 GB'],
    [1_610_612_736, '1.5 GB'],
    [5_000 * 1024 ** 3, '5000.0 GB'],
  ])('shows %d bytes as %s', (bytes, text) => expect(formatSize(bytes)).toBe(text));

  it('shows what can be read again, off by less than a tenth of the unit', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31 - 1), (bytes) => {
        const shown = formatSize(bytes);
        const unit = parseSize(`1${shown.split(' ')[1]}`)!;
        expect(Math.abs(parseSize(shown)! - bytes)).toBeLessThanOrEqual(unit * 0.05 + 1);
      }),
    );
  });
});
