import {expect, it} from 'vitest';
import {nearest} from '../../src/lib/near-word.js';

const WORDS = ['maxlen', 'max-age', 'minid', 'json', 'group list', 'ls'];

it.each([
  ['maxlne', 'maxlen'],
  ['maxlen', 'maxlen'],
  ['max-ag', 'max-age'],
  ['jsom', 'json'],
  ['grup list', 'group list'],
  ['l', 'ls'],
  ['sl', 'ls'],
  ['password', undefined],
  ['x', undefined],
  ['', undefined],
  ['m'.repeat(100_000), undefined],
])('%s', (typed, near) => {
  expect(nearest(typed, WORDS)).toBe(near);
});
