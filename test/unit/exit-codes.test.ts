import {expect, it} from 'vitest';
import {EXIT_CODES, exitCodeOf, type Outcome} from '../../src/lib/exit-codes.js';

it.each<[Outcome, number]>([
  ['done', 0],
  ['bug', 1],
  ['usage', 2],
  ['data', 65],
  ['notFound', 66],
  ['unreachable', 69],
  ['incomplete', 70],
  ['io', 74],
  ['temporary', 75],
  ['denied', 77],
  ['configuration', 78],
  ['interrupted', 130],
  ['terminated', 143],
])('%s is %d, as scripts rely on', (outcome, code) => expect(exitCodeOf(outcome)).toBe(code));

it('gives no number twice, so that a script can tell outcomes apart', () => {
  const codes = Object.values(EXIT_CODES).map(({code}) => code);
  expect(new Set(codes).size).toBe(codes.length);
});
