import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {StreamlogError} from '../../../src/lib/errors.js';
import {IDEMPOTENT_ADD} from '../../../src/lib/redis/producer-scripts.js';
import {IdempotentEncoder, type ProducerState, readIdempotentResult} from '../../../src/lib/redis/producer-state.js';
import {MOST_FIELDS_IN_SCRIPT} from '../../../src/lib/redis/script.js';
import {readCommands} from './commands.js';
import {marked, pairs, partsOf} from './records.js';

const CONTEXT = {command: 'XADD', stream: 'events'};
const FENCE: ProducerState = {
  key: '{events}:streamlog:producer:events:p',
  keepSeconds: 60,
  digest: 'd',
  wantsIds: true,
  atomic: false,
};

describe('an outcome', () => {
  it('has the mark, the IDs and no reason when all went well', () => {
    expect(readIdempotentResult('9007199254740991\n1-1 1-2\n', CONTEXT)).toEqual({
      lastSequence: Number.MAX_SAFE_INTEGER,
      ids: ['1-1', '1-2'],
    });
    expect(readIdempotentResult('0\n\n', CONTEXT)).toEqual({lastSequence: 0, ids: []});
  });

  it('has IDs that follow each other as a run', () => {
    expect(readIdempotentResult('6\n5-7+3 5-99 6-0+2\n', CONTEXT).ids).toEqual([
      '5-7',
      '5-8',
      '5-9',
      '5-99',
      '6-0',
      '6-1',
    ]);
  });

  it.each([
    'OK',
    '',
    '1',
    '1\n',
    '-1\n\n',
    '1\nOK\n',
    '1\n5\n',
    '1\n5-7+\n',
    '1\n5-7+-1\n',
    '1\n5-7+99999999999\n',
    '1\n 5-7\n',
    '1\n5-7+1e3\n',
  ])('%j is none', (text) => {
    expect(() => readIdempotentResult(text, CONTEXT)).toThrow('Protocol error');
  });

  it.each([
    ['GAP', 'gap'],
    ['VANISHED', 'gone'],
    ['DIFFERENT', 'different'],
    ['MISSING', 'no stream'],
  ])('%s', (word, stopped) => {
    expect(readIdempotentResult(`4\n1-1\n${word}`, CONTEXT)).toEqual({lastSequence: 4, ids: ['1-1'], stopped});
  });

  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'temporary', 'OOM'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'data', 'WRONGTYPE'],
    ['ERR The ID specified in XADD is equal or smaller than the target stream top item', 'data', 'SMALLER_ID'],
    ["NOPERM this user has no permissions to run the 'xadd' command", 'denied', 'NOPERM'],
    ['ERR user_script:33: too many results to unpack', 'data', 'ERR'],
  ])('%s', (why, kind, code) => {
    const {stopped, ...rest} = readIdempotentResult(`4\n\n${why}`, CONTEXT);
    expect(rest).toEqual({lastSequence: 4, ids: []});
    expect(stopped).toBeInstanceOf(StreamlogError);
    expect(stopped).toMatchObject({kind, code});
  });
});

it('a call says how many arguments each record has, for any records', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(pairs, fc.boolean()), {minLength: 1, maxLength: 5}), fc.boolean(), (all, trims) => {
      const encoder = new IdempotentEncoder('events', FENCE);
      const options = trims ? {trim: {kind: 'maxLen', maxLen: 5, approximate: false} as const} : {};
      const clause = trims ? ['MAXLEN', '=', '5'] : [];
      for (const [fields, isMarked] of all) encoder.add({fields: isMarked ? marked(fields) : fields, id: '*', options});
      const {bytes, byteLength, ...call} = encoder.take(7, 3);
      expect(byteLength).toBe(Buffer.concat(bytes).length);
      expect(call).toEqual({first: 7, records: all.length, atomic: false});
      const records = all.flatMap(([fields]) => [
        ...[String(clause.length + 1 + 2 * fields.length), ...clause, '*'],
        ...partsOf(fields),
      ]);
      const head = ['EVALSHA', IDEMPOTENT_ADD.sha, '2', 'events', FENCE.key, '7', '60', 'd', 'ids', '', '3', ''];
      expect(readCommands(Buffer.concat(bytes))).toEqual([[...head, ...records]]);
      expect([encoder.records, encoder.byteLength]).toEqual([0, 0]);
    }),
  );
});

it('a call with a record of more fields than Lua can pass on is a transaction, and the next one is not', () => {
  const fields = (count: number): [string, string][] => Array.from({length: count}, (_, n) => [String(n), '']);
  const encoder = new IdempotentEncoder('events', FENCE);
  for (const count of [3_949, 3_950, 1]) {
    encoder.add({fields: fields(count), id: '*', options: {}});
    expect(encoder.take(1, undefined).transaction === undefined, String(count)).toBe(count <= MOST_FIELDS_IN_SCRIPT);
  }
  expect(MOST_FIELDS_IN_SCRIPT).toBe(3_949);
});
