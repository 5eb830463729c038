/** The fence script on real servers: what is in the stream, and where the mark is, whatever stops it. */
import type {Redis} from 'ioredis';
import {beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {IDEMPOTENT_ADD} from '../../src/lib/redis/producer-scripts.js';
import {type IdempotentResult, readIdempotentResult} from '../../src/lib/redis/producer-state.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';

const STREAM = 'events';
const FENCE = '{events}:streamlog:producer:events:p';

interface Call {
  digest?: string;
  ids?: boolean;
  atomic?: boolean;
  forget?: number;
  again?: boolean;
  options?: string[];
}

describe.each(serverPrograms())('the fence on $name', ({program}) => {
  const server = serverForAll({program});
  let redis: Redis;
  beforeAll(async () => {
    redis = server.redis;
  });
  beforeEach(() => redis.flushall());

  /** Adds records, given by the ID that each asks for; what a record holds is its number. */
  async function add(first: number, wanted: string[], call: Call = {}, client = redis): Promise<IdempotentResult> {
    const {digest = '', ids = false, atomic = false, forget = '', again = false, options = []} = call;
    const records = wanted.flatMap((id, index) => [3 + options.length, ...options, id, 'n', first + index]);
    const args = [
      first,
      1_000,
      digest,
      ids ? 'ids' : '',
      atomic ? 'atomic' : '',
      forget,
      again ? 'again' : '',
      ...records,
    ];
    const text = await client.eval(IDEMPOTENT_ADD.lua, 2, STREAM, FENCE, ...args);
    return readIdempotentResult(String(text), {command: 'XADD', stream: STREAM});
  }
  const run = async (commands: readonly string[][]): Promise<void> => {
    for (const [name, ...args] of commands) await redis.call(name!, ...args);
  };
  const stars = (count: number): string[] => Array(count).fill('*');
  const numbers = async (): Promise<number[]> =>
    (await redis.xrange(STREAM, '-', '+')).map(([, [, number]]) => Number(number));
  const idsInStream = async (): Promise<string[]> => (await redis.xrange(STREAM, '-', '+')).map(([id]) => id);

  it('adds what is behind the mark, and skips what is at it or before it', async () => {
    expect(await add(1, stars(3))).toEqual({lastSequence: 3, ids: []});
    expect(await add(1, stars(3))).toEqual({lastSequence: 3, ids: []});
    expect(await add(2, stars(4))).toEqual({lastSequence: 5, ids: []});
    expect(await numbers()).toEqual([1, 2, 3, 4, 5]);
    expect(await redis.ttl(FENCE)).toBeGreaterThan(990);
  });

  it('adds nothing behind a gap', async () => {
    await add(1, stars(2));
    expect(await add(4, stars(2))).toEqual({lastSequence: 2, ids: [], stopped: 'gap'});
    expect(await numbers()).toEqual([1, 2]);
  });

  it('adds nothing for another digest', async () => {
    await add(1, stars(2), {digest: 'one'});
    expect(await add(3, stars(2), {digest: 'two'})).toMatchObject({lastSequence: 2, stopped: 'different'});
    expect(await add(3, stars(1), {digest: 'one'})).toEqual({lastSequence: 3, ids: []});
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it('stands at the record before the one that was refused, and goes on there', async () => {
    const broken = ['5-1', '5-2', '5-2', '5-3'];
    expect(await add(1, broken, {ids: true})).toMatchObject({
      lastSequence: 2,
      ids: ['5-1', '5-2'],
      stopped: {code: 'SMALLER_ID', kind: 'data'},
    });
    expect(await redis.hget(FENCE, 'mark')).toBe('2');
    expect(await add(1, broken, {ids: true})).toMatchObject({lastSequence: 2, ids: ['5-1', '5-2']});
    // Once the cause is mended.
    expect(await add(1, ['5-1', '5-2', '5-3', '5-4'], {ids: true})).toEqual({
      lastSequence: 4,
      ids: ['5-1', '5-2', '5-3', '5-4'],
    });
    expect(await numbers()).toEqual([1, 2, 3, 4]);
  });

  it('all or none: takes back what it had added, and the stream that it had made', async () => {
    const broken = ['5-1', '5-2', '5-2'];
    expect(await add(1, broken, {atomic: true, ids: true})).toMatchObject({
      lastSequence: 0,
      ids: [],
      stopped: {code: 'SMALLER_ID'},
    });
    expect(await redis.exists(STREAM)).toBe(0);
    await redis.xadd(STREAM, '1-1', 'n', '0');
    expect(await add(1, broken, {atomic: true})).toMatchObject({lastSequence: 0, stopped: {code: 'SMALLER_ID'}});
    expect(await numbers()).toEqual([0]);
    expect(await add(1, ['6-1', '6-2', '6-3'], {atomic: true})).toEqual({lastSequence: 3, ids: []});
    expect(await numbers()).toEqual([0, 1, 2, 3]);
  });

  it('shows nothing to those who wait for entries before all are there, and nothing of what was taken back', async () => {
    const reader = redis.duplicate();
    try {
      const waiting = reader.xread('BLOCK', 0, 'STREAMS', STREAM, '0');
      await add(1, ['5-1', '5-2', '5-2'], {atomic: true});
      await add(1, ['6-1', '6-2', '6-3'], {atomic: true});
      const [[, seen]] = (await waiting) as [[string, [string, string[]][]]];
      expect(seen.map(([id]) => id)).toEqual(['6-1', '6-2', '6-3']);
    } finally {
      reader.disconnect();
    }
  });

  it('answers a repeated call with the same IDs, until it may forget them', async () => {
    const first = await add(1, stars(2), {ids: true});
    const second = await add(3, stars(2), {ids: true});
    expect([...first.ids, ...second.ids]).toEqual(await idsInStream());
    expect(await add(1, stars(2), {ids: true})).toEqual({...first, lastSequence: 4});
    expect(await add(3, stars(2), {ids: true})).toEqual(second);
    await add(5, stars(1), {ids: true, forget: 1});
    expect((await redis.hkeys(FENCE)).filter((field) => field.startsWith('ids:')).sort()).toEqual(['ids:3', 'ids:5']);
  });

  it.each([
    ['deleted', []],
    ['begun anew', [['XADD', STREAM, '*', 'n', 'other']]],
    ['begun anew with lower IDs', [['XADD', STREAM, '1-1', 'n', '0']]],
  ])('says that the stream is gone when it was %s, or adds all again where that is wanted', async (_, commands) => {
    await redis.xadd(STREAM, '*', 'n', 'of another');
    const {ids} = await add(1, stars(2), {ids: true});
    await redis.del(STREAM);
    await run(commands);
    const found = await numbers();
    expect(await add(1, stars(2), {ids: true})).toEqual({lastSequence: 2, ids, stopped: 'gone'});
    expect(await numbers()).toEqual(found);
    const again = await add(1, stars(2), {ids: true, again: true});
    expect(again).toMatchObject({lastSequence: 2});
    expect((await idsInStream()).slice(-2)).toEqual(again.ids);
    expect(await add(1, stars(2), {ids: true, again: true})).toEqual(again);
  });

  it('says that the stream is gone as soon as it is deleted, whatever the call is about to add', async () => {
    await add(1, stars(2));
    await redis.del(STREAM);
    expect(await add(3, stars(2))).toMatchObject({lastSequence: 2, stopped: 'gone'});
    expect(await redis.exists(STREAM)).toBe(0);
  });

  it.each([
    ['trimmed', [['XTRIM', STREAM, 'MAXLEN', '0']]],
    [
      'trimmed, and more has come',
      [
        ['XTRIM', STREAM, 'MAXLEN', '0'],
        ['XADD', STREAM, '*', 'n', '9'],
      ],
    ],
    ['deleted one by one', [['XDEL', STREAM, '5-1', '5-2']]],
    [
      'in a copy of the stream',
      [
        ['COPY', STREAM, 'copy'],
        ['RENAME', 'copy', STREAM],
      ],
    ],
  ])('adds nothing again when the entries were %s', async (_, commands) => {
    await redis.xadd(STREAM, '4-0', 'n', 'of another');
    await add(1, ['5-1', '5-2']);
    await run(commands);
    const found = await idsInStream();
    for (const again of [false, true]) expect(await add(1, stars(2), {again})).toEqual({lastSequence: 2, ids: []});
    expect(await idsInStream()).toEqual(found);
  });

  it('tells a stream that began anew from one that was trimmed by how many entries it has had', async () => {
    for (let n = 0; n < 20; n++) await redis.xadd(STREAM, '*', 'n', n);
    await add(1, stars(2));
    await redis.del(STREAM);
    for (let n = 0; n < 10; n++) await redis.xadd(STREAM, '*', 'n', n);
    await redis.xtrim(STREAM, 'MAXLEN', 0);
    expect(await add(1, stars(2))).toMatchObject({lastSequence: 2, stopped: 'gone'});
  });

  it('does not ask what the user may not ask', async () => {
    await redis.call(
      'ACL',
      'SETUSER',
      'limited',
      'reset',
      'on',
      '>secret',
      '~*',
      '&*',
      '+@all',
      '-xrange',
      '-xinfo',
      '-exists',
      '-xlen',
    );
    const limited = redis.duplicate({username: 'limited', password: 'secret', enableReadyCheck: false});
    try {
      expect(await add(1, stars(2), {}, limited)).toEqual({lastSequence: 2, ids: []});
      expect(await add(1, stars(3), {}, limited)).toEqual({lastSequence: 3, ids: []});
    } finally {
      limited.disconnect();
    }
  });

  it('keeps IDs that follow each other as the first and their number', async () => {
    const following = Array.from({length: 50}, (_, sequence) => `99999999999998-${sequence}`);
    const some = [...following, '99999999999999-5', '99999999999999-6', '99999999999999-9'];
    const {ids} = await add(1, some, {ids: true});
    expect(ids).toEqual(await idsInStream());
    expect((await redis.hget(FENCE, 'ids:1'))!.length).toBeLessThan(120);
    expect((await add(1, stars(53), {ids: true})).ids).toEqual(ids);
  });

  it('keeps nothing for a user who may not have it expire', async () => {
    await redis.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '~*', '&*', '+@all', '-expire');
    const limited = redis.duplicate({username: 'limited', password: 'secret', enableReadyCheck: false});
    try {
      await expect(add(1, stars(2), {}, limited)).rejects.toThrow(/expire/);
      expect(await redis.exists(STREAM, FENCE)).toBe(0);
    } finally {
      limited.disconnect();
    }
  });

  it('says so where something else is in the place of its state', async () => {
    await redis.xadd(FENCE, '*', 'a', 'stranger');
    await expect(add(1, stars(2))).rejects.toThrow('STATETYPE');
    expect(await redis.exists(STREAM)).toBe(0);
  });

  it('adds nothing where there is no stream and none may be made', async () => {
    expect(await add(1, stars(2), {options: ['NOMKSTREAM']})).toEqual({lastSequence: 0, ids: [], stopped: 'no stream'});
    expect(await redis.exists(STREAM)).toBe(0);
  });

  it('adds nothing to a key that holds no stream', async () => {
    await redis.set(STREAM, 'x');
    expect(await add(1, stars(2))).toMatchObject({lastSequence: 0, stopped: {code: 'WRONGTYPE'}});
    await expect(add(1, stars(2), {atomic: true})).rejects.toThrow('WRONGTYPE');
    expect(await redis.get(STREAM)).toBe('x');
  });

  it.each([
    ['the fence', '~events +@all'],
    ['HSET', '~* +@all -hset'],
    ['EXPIRE', '~* +@all -expire'],
    ['XADD', '~* +@all -xadd'],
  ])('adds nothing for a user who is denied %s', async (_, rules) => {
    await expectNothingFor(rules);
  });

  it('adds nothing with --atomic for a user who could not take it back', async () => {
    await expectNothingFor('~* +@all -xdel', {atomic: true});
  });

  async function expectNothingFor(rules: string, call: Call = {}): Promise<void> {
    await redis.call('ACL', 'SETUSER', 'limited', 'reset', 'on', '>secret', '+eval', '&*', ...rules.split(' '));
    const limited = redis.duplicate({username: 'limited', password: 'secret', enableReadyCheck: false});
    try {
      const outcome = await add(1, ['5-1', '5-2', '5-2'], call, limited).catch((error) => error);
      if (!(outcome instanceof Error)) expect(outcome).toMatchObject({lastSequence: 0, stopped: {kind: 'denied'}});
      expect(await redis.exists(STREAM)).toBe(0);
      expect((await redis.hget(FENCE, 'mark')) ?? '0').toBe('0');
    } finally {
      limited.disconnect();
    }
  }

  it('adds nothing without memory, and all of it as soon as there is some', async () => {
    await redis.config('SET', 'maxmemory', '1');
    for (const atomic of [false, true]) await expect(add(1, stars(3), {atomic})).rejects.toThrow('OOM');
    await redis.config('SET', 'maxmemory', '0');
    expect(await redis.exists(STREAM, FENCE)).toBe(0);
    expect(await add(1, stars(3))).toEqual({lastSequence: 3, ids: []});
  });

  it('stays right when memory runs out behind its first write', async () => {
    const big = 'x'.repeat(100_000);
    const memory = async (what: string): Promise<number> =>
      Number(new RegExp(`${what}:(\\d+)`).exec(await redis.info('memory'))![1]);
    const args = Array.from({length: 200}, () => [3, '*', 'n', big]).flat();
    // Room for the arguments of the call, and not for the entries that come of them.
    const limit = (await memory('used_memory')) + 28_000_000;
    await redis.config('SET', 'maxmemory', String(limit));
    const text = await redis.eval(IDEMPOTENT_ADD.lua, 2, STREAM, FENCE, 1, 1_000, '', '', '', '', '', ...args);
    await redis.config('SET', 'maxmemory', '0');
    expect(text).toMatch(/^200 \d+-\d+\n\n$/);
    expect(await memory('used_memory_peak')).toBeGreaterThan(limit);
    expect(await redis.hget(FENCE, 'mark')).toBe('200');
    expect(await redis.xlen(STREAM)).toBe(200);
  });
});
