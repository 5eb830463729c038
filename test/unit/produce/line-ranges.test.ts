import {expect, it} from 'vitest';
import {describeLines} from '../../../src/lib/produce/line-ranges.js';

it.each([
  [[7], 'line 7'],
  [[3, 4, 5, 9], 'lines 3-5, 9'],
  [[1, 3], 'lines 1, 3'],
])('%j is %s', (lines, text) => {
  expect(describeLines(lines)).toBe(text);
});

it('ends a long list with how many more there are', () => {
  const odd = Array.from({length: 25}, (_, n) => 2 * n + 1);
  expect(describeLines([...odd, 50])).toMatch(/^lines 1, 3, .*, 39 and 6 more$/);
});
