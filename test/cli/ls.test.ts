import {beforeEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {type RedisServer, serverForAll, until} from '../support/redis-server.js';
import {shell, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';
import {startCluster} from '../support/topologies.js';

const server = serverForAll();
beforeEach(() => server.redis.flushall());

interface Line {
  stream: string | {$b64: string};
  length: number;
  groups: number;
  lastId: string | null;
  lastAgeMs: number | null;
  [more: string]: unknown;
}

const ls = (...args: string[]) => streamlog(['ls', ...args], {server});
const lines = (stdout: string): Line[] => jsonLines(stdout);
const names = (stdout: string): unknown[] =>
  lines(stdout)
    .map(({stream}) => stream)
    .sort();

it('prints a line for each stream, and for nothing else', async () => {
  await server.redis.xadd('orders', '1-0', 'a', 'b');
  await server.redis.xadd('orders', '2-7', 'a', 'b');
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  await server.redis.set('text', 'x');
  await server.redis.sadd('set', 'x');

  const {code, stdout, stderr} = await ls();

  expect(lines(stdout)).toEqual([
    {
      stream: 'orders',
      length: 2,
      groups: 1,
      lastId: '2-7',
      lastAgeMs: expect.any(Number),
      pending: 0,
      lag: 2,
      lagExact: true,
      lagAtLeast: 2,
      lagAtMost: 2,
      lagSource: 'redis',
      behindMs: expect.any(Number),
      deadLetters: {stream: '{orders}:dead', length: 0},
    },
  ]);
  expect(lines(stdout)[0]!.lastAgeMs).toBeGreaterThan(1_600_000_000_000);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

it('an empty stream has no last entry', async () => {
  await server.redis.xgroup('CREATE', 'empty', 'g', '$', 'MKSTREAM');

  expect(lines((await ls()).stdout)).toMatchObject([
    {stream: 'empty', length: 0, groups: 1, lastId: null, lastAgeMs: null, lag: 0, lagExact: true, behindMs: 0},
  ]);
});

it('the age of an entry from a clock that is ahead is not negative', async () => {
  await server.redis.xadd('ahead', '99999999999999-0', 'a', 'b');

  expect(lines((await ls()).stdout)[0]).toMatchObject({lastAgeMs: 0, lastAheadMs: expect.any(Number)});
});

it('has the lag of the group that is furthest behind, what is pending with all, dead letters, and memory when asked', async () => {
  const {redis} = server;
  for (let n = 1; n <= 6; n++) await redis.xadd('orders', `${n}-0`, 'a', 'b');
  await redis.xgroup('CREATE', 'orders', 'ahead', '0');
  await redis.xgroup('CREATE', 'orders', 'behind', '1-0');
  await redis.xreadgroup('GROUP', 'ahead', 'w', 'COUNT', 5, 'STREAMS', 'orders', '>');
  await redis.xreadgroup('GROUP', 'behind', 'w', 'COUNT', 2, 'STREAMS', 'orders', '>');
  for (let n = 1; n <= 2; n++) await redis.xadd('{orders}:dead', `${n}-0`, 'a', 'b');
  await redis.xadd('plain', '1-0', 'a', 'b');

  const found = new Map(lines((await ls('--bytes')).stdout).map((line) => [line.stream, line]));

  const orders = found.get('orders')!;
  expect(orders).toMatchObject({pending: 7, lag: 3, lagExact: true, deadLetters: {stream: '{orders}:dead', length: 2}});
  expect(Number(orders.behindMs) - orders.lastAgeMs!).toBe(2);
  expect(orders.bytes).toBe(await redis.memory('USAGE', 'orders'));
  expect(found.get('plain')).toMatchObject({groups: 0, pending: 0, lag: null, lagExact: null, behindMs: null});
  expect(lines((await ls()).stdout)[0]).not.toHaveProperty('bytes');
  const {text} = await onTerminal(['ls', '--bytes'], {server, env: {NO_COLOR: '1'}, columns: 140});
  expect(text).toMatch(/^orders +6 +[\d.]+ \w?B +2 +7 +3 .* 2 +\S.* 6-0$/m);
  expect(text).toMatch(/^plain +1 +[\d.]+ \w?B +0 +- +- +- +0 /m);
});

it('--sort puts the most first, names and last entries as one reads them, and what is not known last', async () => {
  const {redis} = server;
  for (const [name, count] of [
    ['few', 1],
    ['many', 9],
    ['some', 4],
  ] as const)
    for (let n = 1; n <= count; n++) await redis.xadd(name, `${n}-0`, 'a', 'b'.repeat(10 * count));
  await redis.xgroup('CREATE', 'some', 'g', '0');
  await redis.xgroup('CREATE', 'many', 'g', '7-0');
  await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 2, 'STREAMS', 'many', '>');
  const sorted = async (...args: string[]) => lines((await ls('--sort', ...args)).stdout).map(({stream}) => stream);

  expect(await sorted('name')).toEqual(['few', 'many', 'some']);
  expect(await sorted('entries')).toEqual(['many', 'some', 'few']);
  expect(await sorted('entries', '--reverse')).toEqual(['few', 'some', 'many']);
  expect(await sorted('last')).toEqual(['many', 'some', 'few']);
  expect(await sorted('lag')).toEqual(['some', 'many', 'few']);
  expect(await sorted('lag', '--reverse')).toEqual(['many', 'some', 'few']);
  expect(await sorted('pending')).toEqual(['many', 'few', 'some']);
  expect(await sorted('bytes')).toEqual(['many', 'some', 'few']);
  expect(await ls('--sort', 'size')).toMatchObject({code: 2, stdout: ''});
});

it('says what is not known: the lag of entries that are too large, what the user may not ask', async () => {
  const {redis} = server;
  for (let n = 1; n <= 3; n++) await redis.xadd('large', `${n}-0`, 'a', 'x'.repeat(600_000));
  await redis.xgroup('CREATE', 'large', 'g', '1-0');
  const {stdout, stderr} = await ls();
  expect(lines(stdout)).toMatchObject([
    {length: 3, lag: 2, lagExact: false, lagAtLeast: 0, lagAtMost: 3, lagSource: 'redis', behindMs: null},
  ]);
  expect(stderr).toContain('the last ID of 1 stream not shown');
  await redis.flushall();
  await redis.xadd('a', '1-0', 'a', 'b');
  await redis.xgroup('CREATE', 'a', 'g', '0');
  await redis.call('ACL', 'SETUSER', 'partly', 'reset', 'on', '>pw', '~a', '+scan', '+xinfo|stream');
  const limited = await streamlog(['ls', '--bytes', '--username', 'partly'], {server, env: {STREAMLOG_PASSWORD: 'pw'}});
  await redis.call('ACL', 'DELUSER', 'partly');
  expect(lines(limited.stdout)).toMatchObject([
    {length: 1, groups: 1, lastId: '1-0', pending: null, lag: null, deadLetters: null, bytes: null},
  ]);
});

it('bounds a lag that takes too long to count, and counts less for each stream than info does', async () => {
  await server.redis.eval("for i = 1, 5000 do redis.call('XADD', KEYS[1], i .. '-0', 'a', 'b') end", 1, 'long');
  await server.redis.call('XGROUP', 'CREATE', 'long', 'g', '2500-0');
  const [{lag, lagAtLeast, lagAtMost, ...facts}] = lines((await ls()).stdout) as [Line];
  expect(facts).toMatchObject({lagExact: false, lagSource: 'bound', behindMs: expect.any(Number)});
  expect(Number(lagAtLeast)).toBeGreaterThanOrEqual(1_000);
  expect(Number(lagAtMost)).toBeLessThanOrEqual(4_000);
  expect(Math.abs(Number(lag) - 2_500)).toBeLessThan(100);
});

it('--match takes a glob', async () => {
  for (const name of ['orders:1', 'orders:2', 'events', 'Łódź:1']) await server.redis.xadd(name, '1-0', 'a', 'b');

  expect(names((await ls('--match', 'orders:*')).stdout)).toEqual(['orders:1', 'orders:2']);
  expect(names((await ls('--match', 'Ł*')).stdout)).toEqual(['Łódź:1']);
  expect(await ls('--match', 'none*')).toMatchObject({code: 0, stdout: ''});
});

it('names that are not UTF-8 keep their bytes', async () => {
  const name = Buffer.from([0x62, 0xff, 0xfe]);
  await server.redis.xadd(name, '1-0', 'a', 'b');

  const {stdout} = await ls();

  expect(stdout).toContain('{"stream":{"$b64":"Yv/+"},"length":1,');
});

it('lists all of many streams once', async () => {
  const pipeline = server.redis.pipeline();
  const expected = Array.from({length: 5_000}, (_, index) => `stream:${index}`).sort();
  for (const name of expected) pipeline.xadd(name, '1-0', 'a', 'b');
  for (let index = 0; index < 5_000; index++) pipeline.set(`other:${index}`, 'x');
  await pipeline.exec();

  expect(names((await ls()).stdout)).toEqual(expected);
  expect((await shell('streamlog ls | head -2 | wc -l; echo "$PIPESTATUS"', {server})).stdout).toBe('2\n0\n');
});

it('shows a table on a terminal, in the order of names', async () => {
  for (const name of ['b', 'c', 'a']) await server.redis.xadd(name, '99999999999999-0', 'a', 'b');

  const {code, text} = await onTerminal(['ls'], {server, columns: 120, env: {NO_COLOR: '1'}});

  expect(text.split('\n').map((line) => line.split(/\s{2,}/).slice(0, 2))).toEqual([
    ['stream', 'entries'],
    ['a', '1'],
    ['b', '1'],
    ['c', '1'],
    [''],
  ]);
  expect(text).toMatch(/^a .* in 3111y +99999999999999-0$/m);
  expect(code).toBe(0);
});

it('two names that look alike on a terminal are two streams', async () => {
  for (const name of [Buffer.from([0xff]), Buffer.from([0xfe])]) await server.redis.xadd(name, '1-0', 'a', 'b');

  const {text} = await onTerminal(['ls'], {server});

  expect(text.split('\n')).toHaveLength(4);
});

it('a hostile name does nothing to a terminal, and is unchanged in a pipe', async () => {
  await server.redis.xadd(HOSTILE, '1-0', 'a', 'b');

  for (const args of [['ls'], ['ls', '--json']]) {
    const {text} = await onTerminal(args, {server, columns: 200});
    expect(text).toContain('evil');
    expect(unsafeIn(text)).toEqual([]);
  }
  expect(names((await ls()).stdout)).toEqual([HOSTILE]);
});

it('says so on a terminal when there are none', async () => {
  expect((await onTerminal(['ls'], {server})).text).toBe('streamlog: no streams\n');
  expect(await ls()).toMatchObject({code: 0, stdout: '', stderr: ''});
});

describe('a user who may look at some streams only', () => {
  it.each([
    ['and may run scripts', ['+@scripting']],
    ['and may run none', []],
  ])('%s gets those, and is told how many are left out', async (_, rights) => {
    const {redis} = server;
    for (const name of ['a:1', 'a:2', 'b:1', 'b:2', 'b:3']) await redis.xadd(name, '1-0', 'a', 'b');
    await redis.call('ACL', 'SETUSER', 'partly', 'reset', 'on', '>pw', '~a:*', '+@read', '+ping', '+scan', ...rights);
    const {code, stdout, stderr} = await streamlog(['ls', '--username', 'partly'], {
      server,
      env: {STREAMLOG_PASSWORD: 'pw'},
    });
    await redis.call('ACL', 'DELUSER', 'partly');
    expect(code).toBe(0);
    expect(names(stdout).sort()).toEqual(['a:1', 'a:2']);
    expect(lines(stdout)[0]).toMatchObject({length: 1, groups: 0, lastId: '1-0'});
    expect(stderr).toBe('streamlog: warning: 3 streams not listed: the Redis user may not read them\n');
  });
});

it('reads no entries: those of megabytes cost no more than others, and their last ID is left out', async () => {
  const {redis} = server;
  for (let index = 0; index < 20; index++) await redis.xadd(`large ${index}`, '1-0', 'a', Buffer.alloc(1_000_000));
  await redis.xgroup('CREATE', 'large 7', 'g', '0');
  for (let index = 0; index < 20; index++) await redis.xadd(`small ${index}`, '1-0', 'a', Buffer.alloc(50_000));
  const sent = async (): Promise<number> =>
    Number(/total_net_output_bytes:(\d+)/.exec(String(await redis.info('stats')))![1]);
  const before = await sent();
  const {code, stdout, stderr} = await ls();
  expect(code).toBe(0);
  expect((await sent()) - before).toBeLessThan(100_000);
  const found = new Map(lines(stdout).map(({stream, ...facts}) => [stream, facts]));
  expect(found.get('large 7')).toMatchObject({length: 1, groups: 1, behindMs: null});
  expect(found.get('large 7')).not.toHaveProperty('lastId');
  expect(found.get('small 7')).toMatchObject({length: 1, groups: 0, lastId: '1-0'});
  expect(stderr).toContain('the last ID of 20 streams not shown: their entries are too large to be read for a list');
  const {text} = await onTerminal(['ls', '--match', 'large 7'], {server, env: {NO_COLOR: '1'}});
  expect(text).toMatch(/large 7 +1 +1 .* not read/);
});

it('of a cluster with a dead master lists what the others have, and ends with 75', async () => {
  const cluster = await startCluster({
    args: ['--cluster-require-full-coverage', 'no', '--cluster-node-timeout', '500'],
  });
  try {
    const holders = new Map<string, RedisServer>();
    for (const name of ['one', 'two', 'three', 'four', 'five', 'six']) {
      const node = await cluster.nodeOf(name);
      await node.redis.xadd(name, '1-0', 'a', 'b');
      holders.set(name, node);
    }
    const dead = holders.get('one')!;
    const alive = [...holders].filter(([, node]) => node !== dead).map(([name]) => name);
    expect(alive.length).toBeGreaterThan(0);
    dead.process.kill('SIGKILL');
    await until(async () => {
      const states = await Promise.all(
        cluster.nodes.filter((node) => node !== dead).map(({redis}) => redis.call('CLUSTER', 'NODES')),
      );
      return states.every((state) => / master,fail /.test(String(state)) || /,fail /.test(String(state)));
    }, 'the others know that it is dead');
    const {code, stdout, stderr} = await streamlog(['ls', '--url', cluster.url], {});
    expect(names(stdout).sort()).toEqual(alive.sort());
    expect(stderr).toMatch(/^streamlog: the list is incomplete, 1 master of the cluster did not answer: /m);
    expect(code).toBe(75);
  } finally {
    await cluster.stop();
  }
});
