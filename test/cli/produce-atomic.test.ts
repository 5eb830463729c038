/** `produce --atomic`: all records of an input, or none, and nothing in between. */
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, shell, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();
let stream: string;
let turn = 0;

beforeEach(() => {
  stream = `s${++turn}`;
});

const produce = (input: string, ...args: string[]): Promise<Finished> =>
  streamlog(['produce', '-s', stream, '--atomic', ...args], {server, input});
const lines = (count: number): string => Array.from({length: count}, (_, n) => `{"n":${n}}\n`).join('');
const values = async (): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, [, value]]) => value!);

/** Neither an entry nor a key that was made for one. */
const expectNothing = async (): Promise<void> => {
  expect(await server.redis.keys(`*${stream}*`)).toEqual([]);
};

describe('all', () => {
  it('records are there, in order, with their IDs printed, and nothing else is left on the server', async () => {
    const {code, stdout, stderr} = await produce(lines(3_000));
    expect([code, stderr]).toEqual([0, 'streamlog: read 3000, added 3000, rejected 0, unconfirmed 0\n']);
    const entries = await server.redis.xrange(stream, '-', '+');
    expect(entries.map(([, [, value]]) => value)).toEqual(Array.from({length: 3_000}, (_, n) => String(n)));
    expect(stdout).toBe(entries.map(([id]) => `${id}\n`).join(''));
    expect(await server.redis.keys(`*${stream}*`)).toEqual([stream]);
  });

  it('are seen at once by those who wait for entries', async () => {
    const reader = server.redis.duplicate();
    try {
      const waiting = reader.xread('COUNT', 10_000, 'BLOCK', 0, 'STREAMS', stream, '0');
      expect((await produce(lines(5_000), '-q')).code).toBe(0);
      const [[, seen]] = (await waiting) as [[string, unknown[]]];
      expect(seen).toHaveLength(5_000);
    } finally {
      reader.disconnect();
    }
  });

  it('records that never left are counted as rejected', async () => {
    const {code, stderr} = await produce('{"n":0}\n{"n":1}\nbad\n');
    expect(code).toBe(65);
    expect(stderr).toContain('read 3, added 0, rejected 2, unconfirmed 0, bad lines 1');
    await expectNothing();
  });

  it('good lines of an input whose bad ones are skipped', async () => {
    expect((await produce('{"n":0}\nbad\n{"n":1}\n', '--on-bad-line', 'skip')).code).toBe(65);
    expect(await values()).toEqual(['0', '1']);
  });

  it('100,000 records, and no more', async () => {
    expect((await produce(lines(100_000), '-q')).code).toBe(0);
    expect(await server.redis.xlen(stream)).toBe(100_000);
    await server.redis.del(stream);
    const {code, stderr} = await produce(lines(100_001));
    expect(code).toBe(65);
    expect(stderr).toMatch(/added 0, rejected \d+, unconfirmed 0\nstreamlog: --atomic takes at most 100,000 records/);
    await expectNothing();
  });

  it('no records of an empty input', async () => {
    expect((await produce('')).code).toBe(0);
    await expectNothing();
  });
});

describe('none', () => {
  it('with a bad line at the end', async () => {
    const {code, stdout, stderr} = await produce(`${lines(1_200)}bad\n`);
    expect([code, stdout]).toEqual([65, '']);
    expect(stderr).toMatch(
      /line 1201 column 1: .*\nhint: nothing was added; --on-bad-line skip adds the other lines\n$/,
    );
    await expectNothing();
  });

  it('of more than 64MB', async () => {
    const {code, stderr} = await shell(
      `yes '{"n":"${'x'.repeat(1_000)}"}' | head -70000 | streamlog produce -s ${stream} --atomic`,
      {server},
    );
    expect(code).toBe(65);
    expect(stderr).toContain('and 64MB; nothing was added');
    await expectNothing();
  });

  it('when Redis has no memory', async () => {
    await server.redis.config('SET', 'maxmemory', '1');
    const {code, stderr} = await produce(lines(10), '--retry-for', '100ms');
    await server.redis.config('SET', 'maxmemory', '0');
    expect(code).toBe(75);
    expect(stderr).toContain('read 10, added 0, rejected 0, unconfirmed 10');
    await expectNothing();
  });

  it('into a key that holds no stream', async () => {
    await server.redis.set(stream, 'x');
    const {code, stderr} = await produce(lines(10));
    expect(code).toBe(65);
    expect(stderr).toContain('read 10, added 0, rejected 10, unconfirmed 0\nstreamlog: "');
    expect(await server.redis.keys(`*${stream}*`)).toEqual([stream]);
  });

  it('when an ID is refused half-way: what was added is taken back, with the stream that was made', async () => {
    const {code, stdout, stderr} = await streamlog(
      ['produce', '-s', stream, '--atomic', 'a=1', '--id', '5-1', '--count', '3'],
      {server},
    );
    expect([code, stdout]).toEqual([65, '']);
    expect(stderr).toContain('read 3, added 0, rejected 3, unconfirmed 0');
    await expectNothing();
  });

  it('where there is no stream and none may be made', async () => {
    expect((await produce(lines(3), '--no-create')).code).toBe(66);
    await expectNothing();
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('when a %s cuts the input off', async (signal) => {
    const running = startStreamlog(['produce', '-s', stream, '--atomic'], {server});
    running.process.stdin.write(lines(100));
    await until(
      async () => String(await server.redis.client('LIST')).includes('cmd=eval'),
      'it has asked for its fence',
    );
    running.process.kill(signal);
    const {code, stderr} = await running.finished;
    expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
    // In words that differ when it has not yet heard what its fence is.
    expect(stderr).toContain('nothing was added');
    await expectNothing();
  });
});

it.each([
  ['--resume', '--file', 'x'],
  ['--keep-ids', '--input', 'envelope'],
])('goes with no %s: 2', async (...args) => {
  const {code, stderr} = await produce(lines(1), ...args);
  expect(code).toBe(2);
  expect(stderr).toContain('--atomic');
  await expectNothing();
});
