import {expect, it} from 'vitest';
import {readSlowLog} from '../../../src/lib/redis/slow-log.js';

const text = (...words: string[]): Buffer[] => words.map((word) => Buffer.from(word));

it('has when a command was run, how long it took, and its words', () => {
  const reply = [
    [14, 1_780_000_000, 28_123, text('XINFO', 'STREAM', 'orders', 'FULL'), ...text('127.0.0.1:50000', 'worker')],
    [13, 1_779_999_000, 12, text('xadd', 'orders', '*'), ...text('127.0.0.1:50000', '')],
  ];
  expect(readSlowLog(reply)).toEqual([
    {atMs: 1_780_000_000_000, tookMs: 28.123, words: ['XINFO', 'STREAM', 'orders', 'FULL']},
    {atMs: 1_779_999_000_000, tookMs: 0.012, words: ['xadd', 'orders', '*']},
  ]);
});

it.each([
  ['a number', 5],
  ['an entry that is none', [5]],
  ['an entry of Redis before 2.6', [[1, 2, 3]]],
  ['a time that is none', [[1, Buffer.from('now'), 3, []]]],
  ['words that are none', [[1, 2, 3, 4]]],
])('takes %s for no reply of Redis', (_, reply) => {
  expect(() => readSlowLog(reply)).toThrow('is not Redis');
});
