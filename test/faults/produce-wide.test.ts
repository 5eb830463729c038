/**
 * Entries with more fields than a script can pass on (docs/adr/0007): each is
 * added once and in its place, whatever gets lost, is refused or is killed.
 */
import {mkdtemp, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {type RedisServer, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {type Finished, type Running, startStreamlog, streamlog} from '../support/run-cli.js';
import {type FaultProxy, startProxy} from './support/proxy.js';

const WIDE = 4_000;
/** The first field is the number of the record. */
const record = (n: number, fields: number): string =>
  `${JSON.stringify(Object.fromEntries(Array.from({length: fields}, (_, at) => (at === 0 ? ['n', n] : [`f${at}`, at]))))}\n`;
const input = (...fields: number[]): string => fields.map((count, index) => record(index + 1, count)).join('');
/** Wide ones first and last, behind each other, and among narrow ones. */
const MIXED = [WIDE, 1, 2, WIDE, WIDE, 3, 1, WIDE];

describe.each(serverPrograms())('wide entries on $name', ({name, program}) => {
  let server: RedisServer;
  let proxy: FaultProxy;
  let turn = 0;
  beforeAll(async () => {
    server = await startRedis({program});
    proxy = await startProxy(server);
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });
  let stream: string;
  beforeEach(() => {
    stream = `s${++turn}`;
  });
  const produce = (text: string, ...args: string[]): Promise<Finished> =>
    streamlog(['produce', '-s', stream, '--exactly-once', ...args], {server, input: text});
  const lengths = async (): Promise<number[]> =>
    (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields.length / 2);
  const numbers = async (): Promise<number[]> =>
    (await server.redis.xrange(stream, '-', '+')).map(([, [, n]]) => Number(n));
  const ids = async (): Promise<string> =>
    (await server.redis.xrange(stream, '-', '+')).map(([id]) => `${id}\n`).join('');
  const upTo = (count: number): number[] => Array.from({length: count}, (_, index) => index + 1);

  it('of any number of fields are added in their order, and nothing else is left', async () => {
    const counts = [3_949, 3_950, 1, 4_000, 10_000, 2, 100_000];
    const {code, stdout, stderr} = await produce(input(...counts));
    expect([code, stderr]).toEqual([0, 'streamlog: read 7, added 7, rejected 0, unconfirmed 0\n']);
    expect(await lengths()).toEqual(counts);
    expect(stdout).toBe(await ids());
    expect(await server.redis.keys(`*${stream}*`)).toEqual([stream]);
    expect(await server.redis.xinfo('GROUPS', stream)).toEqual([]);
  });

  // At each step on one server, and where it matters most on the others.
  const ALL_CUTS = [
    ['evalsha', 1],
    ['watch', 2],
    ['hmget', 3],
    ['multi', 2],
    ['xadd', 1],
    ['xadd', 3],
    ['exec', 1],
    ['exec', 4],
  ] as const;
  const CUTS = name === 'system' ? ALL_CUTS : ALL_CUTS.slice(-2);
  it.each(CUTS)('F2: a request that is lost, %s %i, adds nothing twice', async (command, n) => {
    const cut = proxy.cutBefore(command, n);
    const {code, stdout} = await produce(input(...MIXED), '--url', proxy.url);
    await cut;
    expect([code, await lengths()]).toEqual([0, MIXED]);
    expect(await numbers()).toEqual(upTo(MIXED.length));
    expect(stdout).toBe(await ids());
  });

  it.each([...CUTS, ['discard', 2], ['eval', 4]] as const)(
    'F1: a reply that is lost, %s %i, adds nothing twice, and its IDs are known',
    async (command, n) => {
      const cut = proxy.cutAfter(command, n);
      const {code, stdout, stderr} = await produce(input(...MIXED), '--url', proxy.url);
      await cut;
      expect([code, await lengths()]).toEqual([0, MIXED]);
      expect(await numbers()).toEqual(upTo(MIXED.length));
      expect(stdout).toBe(await ids());
      expect(stderr).not.toContain('twice');
    },
  );

  it('F32: a run that is killed is completed by the next one, with --resume and with --producer-id', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'streamlog-test-')), 'wide.ndjson');
    const counts = Array.from({length: 30}, (_, at) => (at % 3 === 0 ? WIDE : 2));
    await writeFile(file, input(...counts));
    for (const args of [['--resume'], ['--producer-id', 'p', '--batch', '3']]) {
      await server.redis.del(stream);
      const start = (): Running =>
        startStreamlog(['produce', '-s', stream, '--exactly-once', '--file', file, ...args], {server});
      for (const target of [1, 20]) {
        const running = start();
        await until(async () => (await server.redis.xlen(stream)) >= target, 'some are added');
        running.process.kill('SIGKILL');
        await running.finished;
      }
      expect((await start().finished).code).toBe(0);
      expect(await numbers()).toEqual(upTo(30));
      expect(await lengths()).toEqual(counts);
    }
  });

  it('with --atomic all are there or none, those that are not wide too', async () => {
    const done = await produce(input(...MIXED), '--atomic');
    expect([done.code, await numbers(), done.stdout]).toEqual([0, upTo(MIXED.length), await ids()]);
    // Two more IDs there are, and no third.
    await server.redis.del(stream);
    await server.redis.xadd(stream, '18446744073709551615-18446744073709551613', 'n', '0');
    const refused = await produce(input(2, WIDE, 1), '--atomic');
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain('added 0, rejected 3, unconfirmed 0');
    expect(await numbers()).toEqual([0]);
  });

  it('one that Redis rejects is named, and those before it are added', async () => {
    const at = (ms: number, fields: number): string =>
      `${JSON.stringify({stream, id: `${ms}-1`, fields: JSON.parse(record(ms, fields))})}\n`;
    const text = at(5, 2) + at(6, WIDE) + at(4, WIDE) + at(7, 1);
    const refused = await produce(text, '--input', 'envelope', '--keep-ids');
    expect(refused.code).toBe(65);
    expect(refused.stderr).toContain('line 3');
    expect(await numbers()).toEqual([5, 6]);
    expect(await ids()).toBe('5-1\n6-1\n');
  });

  it('trims behind them as behind others, and makes no stream with --no-create', async () => {
    expect((await produce(input(...MIXED), '--maxlen', '3')).code).toBe(0);
    expect(await numbers()).toEqual([6, 7, 8]);
    await server.redis.del(stream);
    expect((await produce(input(WIDE), '--no-create')).code).toBe(66);
    expect((await produce(input(...MIXED), '--maxlen', '3', '--atomic')).code).toBe(0);
    expect(await numbers()).toEqual([6, 7, 8]);
  });

  it('are refused where the user may not run a command that it takes, and then nothing is added', async () => {
    const missing = ['multi', 'exec', 'watch', 'discard', 'xlen', 'xrevrange', 'xadd', 'eval'];
    for (const command of missing) {
      await server.redis.call('ACL', 'SETUSER', 'narrow', 'reset', 'on', '>secret', '~*', '+@all', `-${command}`);
      const env = {STREAMLOG_USERNAME: 'narrow', STREAMLOG_PASSWORD: 'secret'};
      const refused = await streamlog(['produce', '-s', stream, '--exactly-once'], {server, env, input: input(WIDE)});
      expect([command, refused.code]).toEqual([command, 77]);
      expect(refused.stderr).toContain(command.toUpperCase());
      expect(await server.redis.exists(stream)).toBe(0);
    }
    // The way round that takes none of the groups.
    await server.redis.call('ACL', 'SETUSER', 'narrow', 'reset', 'on', '>secret', '~*', '+@all', '-xgroup', '-xinfo');
    const env = {STREAMLOG_USERNAME: 'narrow', STREAMLOG_PASSWORD: 'secret'};
    const done = await streamlog(['produce', '-s', stream, '--exactly-once'], {server, env, input: input(WIDE, 1)});
    expect([done.code, done.stdout]).toEqual([0, await ids()]);
  });

  it('take no more rights than these, and leave no group where one could be made and not destroyed', async () => {
    const needs = 'xadd evalsha eval script|load hset hmget hkeys expire multi exec discard watch xlen xrevrange';
    for (const more of ['', ' xgroup|create', ' xgroup|create xinfo xclaim xautoclaim']) {
      await server.redis.del(stream);
      const rules = (needs + more).split(' ').map((rule) => `+${rule}`);
      await server.redis.call('ACL', 'SETUSER', 'narrow', 'reset', 'on', '>secret', '~*', ...rules);
      const env = {STREAMLOG_USERNAME: 'narrow', STREAMLOG_PASSWORD: 'secret'};
      const args = ['produce', '-s', stream, '--exactly-once', '--producer-id', `p${more}`];
      for (const last of [WIDE, 1])
        expect((await streamlog(args, {server, env, input: input(WIDE, last)})).code, more).toBe(0);
      expect(await lengths(), more).toEqual([WIDE, WIDE]);
      expect(await server.redis.xinfo('GROUPS', stream)).toEqual([]);
    }
  });

  /** The names of what the server has run since it was asked last, what scripts run included. */
  const commandsRun = async (): Promise<string[]> => {
    const stats = await server.redis.info('commandstats');
    await server.redis.config('RESETSTAT');
    return [...stats.matchAll(/^cmdstat_(\S+?):/gm)].map(([, command]) => command!);
  };

  it('no script reads them, at the start of runs, between them, or where they were deleted', async () => {
    await commandsRun();
    expect((await produce(input(WIDE, 1, WIDE), '--producer-id', 'p')).code).toBe(0);
    expect((await produce(input(WIDE, 1, WIDE, WIDE), '--producer-id', 'p')).code).toBe(0);
    // That of others are first and last in the stream.
    expect((await produce(input(1, 1), '--producer-id', 'q')).code).toBe(0);
    expect((await produce(input(WIDE), '--producer-id', 'r')).code).toBe(0);
    const read = ['xrange', 'xinfo|stream'];
    expect((await commandsRun()).filter((command) => read.includes(command))).toEqual(['xrange']);
    await server.redis.xdel(stream, (await server.redis.xrevrange(stream, '+', '-', 'COUNT', 1))[0]![0]);
    await commandsRun();
    expect((await produce(input(WIDE, WIDE), '--producer-id', 'r')).stderr).toContain('already there 1');
    expect((await commandsRun()).filter((command) => read.includes(command))).toEqual([]);
    expect(await server.redis.xinfo('GROUPS', stream)).toEqual([]);
  });

  it('others are added without any group', async () => {
    await commandsRun();
    expect((await produce(input(1, 2, 3, 3_949), '--batch', '1', '--producer-id', 'p')).code).toBe(0);
    // At the end of the run, once.
    await server.redis.config('RESETSTAT');
    expect((await produce(input(1, 2, 3, 3_949), '--batch', '1')).code).toBe(0);
    const run = await commandsRun();
    expect(run).toContain('xadd');
    expect(run.filter((command) => command.startsWith('xgroup') || command === 'multi')).toEqual([]);
  });

  it('wait for replicas as others do', async () => {
    const alone = await produce(input(WIDE, 1, WIDE), '--durability', 'replicas:1', '--retry-for', '100ms');
    expect(alone.code).toBe(75);
    expect([alone.stdout, alone.stderr]).toEqual(['', expect.stringContaining('unconfirmed 3')]);
    // The first was added, and nothing behind it.
    expect(await numbers()).toEqual([1]);
  });

  it('none is added twice where Redis has dropped what it knew of their producer during the run', async () => {
    const running = startStreamlog(['produce', '-s', stream, '--exactly-once'], {server});
    running.process.stdin.write(input(WIDE));
    await until(() => running.stdout() !== '', 'the first is confirmed');
    await server.redis.del(...(await server.redis.keys(`{${stream}}:streamlog:*`)));
    await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    running.process.stdin.end(record(2, WIDE));
    const {code, stderr} = await running.finished;
    expect([code, await numbers()], stderr).toEqual([70, [1]]);
  });

  it('a key of another type is refused, and stays what it is', async () => {
    await server.redis.set(stream, 'text');
    for (const args of [[], ['--atomic']])
      expect((await produce(input(WIDE, 1), ...args)).stderr).toContain('is not a stream');
    expect(await server.redis.get(stream)).toBe('text');
  });

  it('go through a server that forgets its scripts', async () => {
    const running = startStreamlog(['produce', '-s', stream, '--exactly-once'], {server});
    running.process.stdin.write(input(WIDE));
    await until(async () => (await server.redis.xlen(stream)) === 1, 'the first is added');
    await server.redis.script('FLUSH');
    running.process.stdin.end(record(2, WIDE) + record(3, 1));
    expect((await running.finished).code).toBe(0);
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it('a producer whose last entry was wide knows when its stream is another one', async () => {
    expect((await produce(input(1, WIDE), '--producer-id', 'p')).code).toBe(0);
    expect((await produce(input(1, WIDE), '--producer-id', 'p')).stderr).toContain('already there 2');
    await server.redis.del(stream);
    await server.redis.xadd(stream, '*', 'other', '1');
    expect((await produce(input(1, WIDE), '--producer-id', 'p')).code).toBe(70);
  });
});

describe.each(serverPrograms())('without memory, on $name', ({program}) => {
  it('wide entries are waited for, and added in their place when there is some', async () => {
    const server = await startRedis({program});
    try {
      const {redis} = server;
      await redis.config('SET', 'maxmemory', '1');
      const running = startStreamlog(['produce', '-s', 'full', '--exactly-once'], {server});
      running.process.stdin.end(input(...MIXED));
      await until(() => running.stderr().includes('OOM'), 'it says why it waits');
      await redis.config('SET', 'maxmemory', '0');
      expect((await running.finished).code).toBe(0);
      expect((await redis.xrange('full', '-', '+')).map(([, [, n]]) => Number(n))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    } finally {
      await server.stop();
    }
  });
});
