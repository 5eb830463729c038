/** Names of streams are bytes that somebody chose: taken as they are, and shown so that no terminal acts upon them. */
import {describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();

const NAMES: [what: string, name: string][] = [
  // One argument may have 128 KiB on Linux, so a name of a megabyte cannot be typed.
  ['as long as an argument may be', 'k'.repeat(130_000)],
  ['with a newline', 'a\nb'],
  ['with an empty hash tag', '{}'],
  ['with a hash tag', '{a}b'],
  ['with a brace that never closes', '{a'],
  ['of glob characters', '*?[a-z]\\'],
  ['with a leading dash', '-x'],
  ['of space', ' '],
  ['__proto__', '__proto__'],
  ['of hostile characters', HOSTILE],
];

describe('a stream whose name is', () => {
  it.each(NAMES)('%s is added to, read and left alone by others', async (_, name) => {
    const {redis} = server;
    await redis.flushall();
    const add = await streamlog(['produce', `--stream=${name}`, 'a=1'], {server});
    expect([add.code, add.stderr]).toEqual([0, '']);
    const bulk = await streamlog(['produce', `--stream=${name}`, '-q'], {server, input: '{"a":2}\n'});
    expect([bulk.code, bulk.stderr]).toEqual([0, '']);
    expect(await redis.keys('*')).toEqual([name]);
    expect((await redis.xrange(name, '-', '+')).map(([, fields]) => fields)).toEqual([
      ['a', '1'],
      ['a', '2'],
    ]);
    const {code, stdout} = await streamlog(['range', `--stream=${name}`], {server});
    expect(code).toBe(0);
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({stream: name, fields: {a: '1'}});
  });

  it('missing is said in words that a terminal does not act upon', async () => {
    await server.redis.flushall();
    for (const args of [
      ['produce', '--no-create', `--stream=${HOSTILE}`, 'a=1'],
      ['produce', `--${HOSTILE}`],
      ['produce', HOSTILE],
      ['produce', `--id=${HOSTILE}`, 'a=1'],
      ['produce', `--file=${HOSTILE}`],
      ['produce', `--input=${HOSTILE}`],
      ['produce', `--maxlen=${HOSTILE}`, 'a=1'],
    ]) {
      const {code, text} = await onTerminal(args, {server, env: {NO_COLOR: '1'}});
      expect(code, text).toBeGreaterThan(1);
      expect(unsafeIn(text), text).toEqual([]);
    }
  });

  it('one of another type is not written over: 65', async () => {
    await server.redis.set(HOSTILE, 'kept');
    const {code, text} = await onTerminal(['produce', `--stream=${HOSTILE}`, 'a=1'], {server, env: {NO_COLOR: '1'}});
    expect(code).toBe(65);
    expect(unsafeIn(text)).toEqual([]);
    expect(await server.redis.get(HOSTILE)).toBe('kept');
  });
});
