/** `info orders` is `info --stream orders`, on each command where nothing else stands at that position. */
import {beforeEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';

const NAMES = ['orders', 'two words', 'info', '42', 'a=b', 'ord*'] as const;
const BYTES = Buffer.from([0x73, 0xff, 0xfe]);

const server = serverForAll();
beforeEach(async () => {
  await server.redis.flushall();
  for (const stream of [...NAMES, BYTES, '-dash']) {
    await server.redis.xadd(stream, '1-0', 'n', '1');
    await server.redis.xadd(stream, '2-0', 'n', '2');
    await server.redis.xgroup('CREATE', stream, 'g', '0');
    await server.redis.xreadgroup('GROUP', 'g', 'c', 'COUNT', 1, 'STREAMS', stream, '>');
  }
});

const run = (...args: string[]) => streamlog(args, {server});
/** Each once, in order. */
const streamsOf = (stdout: string): unknown[] => {
  const names = jsonLines(stdout).map(({stream}) => JSON.stringify(stream));
  return [...new Set(names)].map((name) => JSON.parse(name));
};

/** What follows the streams; each prints a record or a fact of each stream. */
const SEVERAL: [command: string, rest: string[]][] = [
  ['info', []],
  ['tail', ['--no-follow']],
  ['pending', ['--group', 'g']],
  ['consume', ['--group', 'g', '--name', 'c', '--exit']],
  ['group list', []],
];
const ONE: [command: string, rest: string[]][] = [['trim', ['--maxlen', '1']]];

describe.each([...SEVERAL, ...ONE])('%s', (command, rest) => {
  const words = command.split(' ');

  it.each(NAMES)('takes the stream "%s" by position, before and behind flags', async (name) => {
    for (const args of [
      [name, ...rest],
      [...rest, name],
    ]) {
      const {code, stdout} = await run(...words, ...args);
      // What was read as a member of the group the first time is acknowledged.
      if (stdout === '' && args[0] !== name && command === 'consume') continue;
      expect([code, streamsOf(stdout)]).toEqual([0, [name]]);
    }
  });

  it('takes a name of any bytes, and one with a dash behind --', async () => {
    const bytes = JSON.stringify({$b64: BYTES.toString('base64')});
    const found = await run(...words, bytes, ...rest);
    expect(found.code).toBe(0);
    expect(streamsOf(found.stdout)).toEqual([{$b64: BYTES.toString('base64')}]);
    const dashed = await run(...words, ...rest, '--', '-dash');
    expect(dashed.code).toBe(0);
    expect(streamsOf(dashed.stdout)).toEqual(['-dash']);
  });

  it('refuses an empty name', async () => {
    expect(await run(...words, '', ...rest)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('streamlog: STREAM takes a name; it is empty\n'),
    });
  });

  it('wins over STREAMLOG_STREAM', async () => {
    const {code, stdout} = await streamlog([...words, 'orders', ...rest], {server, env: {STREAMLOG_STREAM: '42'}});
    expect([code, streamsOf(stdout)]).toEqual([0, ['orders']]);
  });
});

describe.each(SEVERAL)('%s', (command, rest) => {
  it('adds up what was given by position and by flag, in the order in which it was typed', async () => {
    const args = ['two words', '-s', 'orders', 'info', ...rest, '--stream', '42'];
    const {code, stdout} = await run(...command.split(' '), ...args);
    expect(code).toBe(0);
    const found = streamsOf(stdout);
    const expected = ['two words', 'orders', 'info', '42'];
    // These two merge entries by ID.
    if (command === 'tail' || command === 'consume') expect(new Set(found)).toEqual(new Set(expected));
    else expect(found).toEqual(expected);
  });
});

describe.each(ONE)('%s', (command, rest) => {
  it('refuses a second stream, in whichever way it is given', async () => {
    const words = command.split(' ');
    for (const args of [
      ['orders', '-s', 'orders'],
      ['--stream=42', 'orders'],
    ])
      expect(await run(...words, ...args, ...rest)).toMatchObject({
        code: 2,
        stdout: '',
        stderr: 'streamlog: the stream is given twice\nhint: give STREAM or --stream, not both\n',
      });
    const two = await run(...words, 'orders', '42', ...rest);
    expect(two).toMatchObject({code: 2, stdout: '', stderr: expect.stringContaining('unexpected argument: 42\n')});
    expect(await server.redis.xlen('orders')).toBe(2);
  });
});

describe('ls', () => {
  it('takes a pattern by position or as --match, and not both', async () => {
    const expected = ['ord*', 'orders'];
    for (const args of [['ord*'], ['--match', 'ord*'], ['--json', 'ord*']])
      expect(streamsOf((await run('ls', ...args)).stdout).sort()).toEqual(expected);
    expect(streamsOf((await run('ls', 'ord\\*')).stdout)).toEqual(['ord*']);
    expect(await run('ls', 'a*', '--match', 'b*')).toMatchObject({
      code: 2,
      stderr: 'streamlog: the glob is given twice\nhint: give GLOB or --match, not both\n',
    });
  });
});

it('dlq list takes a stream, but not together with --dead-letter', async () => {
  await server.redis.xadd('orders:dead', '1-0', 'n', '1');
  expect((await run('dlq', 'list', 'orders')).stdout).toBe((await run('dlq', 'list', '-s', 'orders')).stdout);
  expect(await run('dlq', 'list', 'orders', '--dead-letter', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('give --stream or --dead-letter, not both'),
  });
});
