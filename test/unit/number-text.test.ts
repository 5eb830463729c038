import {expect, it} from 'vitest';
import {withCommas} from '../../src/lib/number-text.js';

it.each([0, 7, 999, 1_000, 12_345, 123_456, 1_234_567, -999, -1_000, -123_456, 2n ** 64n - 1n])(
  'writes %s as English does',
  (value) => expect(withCommas(value)).toBe(value.toLocaleString('en')),
);
