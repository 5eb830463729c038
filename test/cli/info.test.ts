import {beforeAll, describe, expect, it} from 'vitest';
import {jsonLines, wholeLines} from '../support/json-lines.js';
import {noStream} from '../support/no-stream.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
beforeAll(async () => {
  const {redis} = server;
  for (const id of ['1-0', '61001-0', '61002-5']) await redis.xadd('orders', id, 'n', id);
  await redis.xgroup('CREATE', 'orders', 'billing', '0');
  await redis.xgroup('CREATE', 'orders', 'audit', '$');
  await redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 1, 'STREAMS', 'orders', '>');
});

const info = (...args: string[]): Promise<Finished> => streamlog(['info', ...args], {server});

/** A lag that is proven by what XINFO says. */
const exactLag = (lag: number) => ({lag, lagExact: true, lagAtLeast: lag, lagAtMost: lag, lagSource: 'redis'});

describe('info', () => {
  it('tells of the stream and its groups, as one JSON object', async () => {
    const {code, stdout, stderr} = await info('-s', 'orders');
    expect([code, stderr]).toEqual([0, '']);
    const {firstAgeMs, lastAgeMs, bytes, ...facts} = JSON.parse(stdout);
    expect(facts).toEqual({
      stream: 'orders',
      length: 3,
      firstId: '1-0',
      lastId: '61002-5',
      lastGeneratedId: '61002-5',
      entriesAdded: 3,
      groups: [
        {name: 'audit', consumers: 0, pending: 0, ...exactLag(0), lastDeliveredId: '61002-5', behindMs: 0},
        {
          name: 'billing',
          consumers: 1,
          pending: 1,
          ...exactLag(2),
          lastDeliveredId: '1-0',
          behindMs: firstAgeMs - 61_000,
        },
      ],
    });
    expect(firstAgeMs - lastAgeMs).toBe(61_001);
    expect(bytes).toBe(await server.redis.memory('USAGE', 'orders'));
  });

  it('tells of their consumers on request', async () => {
    const {groups} = JSON.parse((await info('-s', 'orders', '--consumers')).stdout);
    expect(groups[0].members).toEqual([]);
    expect(groups[1].members).toEqual([expect.objectContaining({name: 'w1', pending: 1, idleMs: expect.any(Number)})]);
  });

  it('tells of several streams, a line each, and of none when one is missing: 66', async () => {
    await server.redis.xadd('more', '1-0', 'a', '1');
    const {stdout} = await info('-s', 'orders', '-s', 'more');
    expect(jsonLines(stdout).map(({stream}) => stream)).toEqual(['orders', 'more']);
    expect(await info('-s', 'orders', '-s', 'missing')).toMatchObject({
      code: 66,
      stdout: '',
      stderr: noStream('missing'),
    });
  });

  it('tells of a stream whose entries were all deleted', async () => {
    await server.redis.xadd('emptied', '5-0', 'a', '1');
    await server.redis.xdel('emptied', '5-0');
    expect(JSON.parse((await info('-s', 'emptied')).stdout)).toMatchObject({
      length: 0,
      firstId: null,
      lastId: null,
      lastGeneratedId: '5-0',
      entriesAdded: 1,
    });
  });

  it('never has a negative age, and says how far an ID is ahead of the clock', async () => {
    await server.redis.xadd('future', `${Date.now() + 3_700_000}-0`, 'a', '1');
    await server.redis.xadd('future', '18446744073709551615-18446744073709551615', 'a', '1');
    const {firstAheadMs, ...facts} = JSON.parse((await info('-s', 'future')).stdout);
    expect(facts).toMatchObject({firstAgeMs: 0, lastAgeMs: 0});
    expect(firstAheadMs).toBeGreaterThan(3_600_000);
    const shown = await onTerminal(['info', '-s', 'future'], {server, env: {NO_COLOR: '1'}});
    expect(shown.code).toBe(0);
    expect(shown.text).toMatch(/first +\d+-0 {2}\(in 1h \d+m\)/);
    expect(shown.text).toMatch(/last +18446744073709551615-18446744073709551615 {2}\(in \d+y\)/);
  });

  it('is behind by the age of the oldest entry that was not read and is still there', async () => {
    const {redis} = server;
    const nowMs = Date.now();
    for (const seconds of [90, 60, 30]) await redis.xadd('ages', `${nowMs - seconds * 1_000}-0`, 'a', '1');
    await redis.xgroup('CREATE', 'ages', 'all', '0');
    await redis.xgroup('CREATE', 'ages', 'none', '$');
    await redis.xgroup('CREATE', 'ages', 'some', `${nowMs - 90_000}-0`);
    const behind = async (): Promise<Record<string, number>> => {
      const {lastAgeMs, groups} = JSON.parse((await info('-s', 'ages')).stdout);
      // Relative to the last entry, so that the time that the test takes does not count.
      const before = ({lag, behindMs}: {lag: number; behindMs: number}) =>
        lag === 0 ? behindMs : behindMs - lastAgeMs;
      return Object.fromEntries(
        groups.map((group: {name: string; lag: number; behindMs: number}) => [group.name, before(group)]),
      );
    };
    expect(await behind()).toEqual({all: 60_000, none: 0, some: 30_000});
    await redis.xdel('ages', `${nowMs - 60_000}-0`);
    expect(await behind()).toEqual({all: 60_000, none: 0, some: 0});
    const {text} = await onTerminal(['info', '-s', 'ages'], {server, env: {NO_COLOR: '1'}});
    expect(text).toMatch(/oldest unread/);
    expect(text).toMatch(/none +0 +0 +0 +- /);
  });

  it('does not have the oldest unread entry copied where entries take many megabytes', async () => {
    const {redis} = server;
    const value = 'x'.repeat(3 * 1024 * 1024);
    for (let n = 1; n <= 6; n++) await redis.xadd('huge', `${n}-0`, 'a', value);
    await redis.xgroup('CREATE', 'huge', 'middle', '3-0');
    await redis.xgroup('CREATE', 'huge', 'start', '0');
    const [middle, start] = JSON.parse((await info('-s', 'huge')).stdout).groups;
    expect([middle.behindMs, typeof start.behindMs]).toEqual([null, 'number']);
    expect((await onTerminal(['info', '-s', 'huge'], {server, env: {NO_COLOR: '1'}})).text).toMatch(/middle .* \? /);
  });

  it('marks a lag that is not proven, on a terminal as in JSON', async () => {
    const {redis} = server;
    const pipeline = redis.pipeline();
    for (let ms = 1; ms <= 24_000; ms++) pipeline.xadd('not proven', `${ms}-0`, 'a', '1');
    pipeline.xgroup('CREATE', 'not proven', 'unknown', '12000-0');
    pipeline.call('XGROUP', 'CREATE', 'not proven', 'claimed', '12000-0', 'ENTRIESREAD', '11990');
    await pipeline.exec();
    const groups = JSON.parse((await info('-s', 'not proven')).stdout).groups;
    const bounds = {lagExact: false, lagAtLeast: 10_001, lagAtMost: 13_999};
    expect(groups).toMatchObject([
      {name: 'claimed', lag: 12_010, lagSource: 'redis', ...bounds},
      {name: 'unknown', lagSource: 'bound', ...bounds},
    ]);
    const {text} = await onTerminal(['info', '-s', 'not proven'], {server, env: {NO_COLOR: '1'}});
    expect(text).toMatch(/claimed +0 +0 +~12,010 /);
    expect(text).toMatch(/unknown +0 +0 +~1[12],\d{3} \(≥10,001\) /);
  });

  it('leaves the memory out, and says so, for a user who may not ask for it', async () => {
    const {redis} = server;
    await redis.xadd('unmeasured', '1-0', 'a', '1');
    await redis.call('ACL', 'SETUSER', 'limited', 'on', '>pw', '~*', '+@read', '-memory', '+ping');
    const env = {STREAMLOG_PASSWORD: 'pw'};
    const {code, stdout, stderr} = await streamlog(['info', '-s', 'unmeasured', '--username', 'limited'], {
      server,
      env,
    });
    expect([code, JSON.parse(stdout)]).toMatchObject([0, {length: 1, bytes: null}]);
    expect(stderr).toContain('the memory of stream "unmeasured" is not shown');
    await redis.call('ACL', 'DELUSER', 'limited');
  });

  it('shows the same on a terminal, and what is hostile does nothing there', async () => {
    const {text} = await onTerminal(['info', '-s', 'orders', '--consumers'], {server, env: {NO_COLOR: '1'}});
    for (const fact of ['orders', '61002-5', 'billing', 'audit', 'w1']) expect(text).toContain(fact);
    const {redis} = server;
    await redis.xadd(HOSTILE, '*', 'n', '1');
    await redis.xgroup('CREATE', HOSTILE, HOSTILE, '0');
    await redis.xreadgroup('GROUP', HOSTILE, HOSTILE, 'COUNT', 1, 'STREAMS', HOSTILE, '>');
    const shown = await onTerminal(['info', '--stream', HOSTILE, '--consumers'], {server});
    expect([shown.code, unsafeIn(shown.text)]).toEqual([0, []]);
    const piped = await info('--stream', HOSTILE, '--consumers');
    expect(JSON.parse(piped.stdout)).toMatchObject({
      stream: HOSTILE,
      groups: [{name: HOSTILE, members: [{name: HOSTILE}]}],
    });
  });
});

describe('info --watch', () => {
  it('shows changes as they come, and ends when its reader has gone', async () => {
    await server.redis.xadd('watched', '*', 'a', '1');
    const running = startStreamlog(['info', '-s', 'watched', '--watch', '20ms'], {server});
    const lengths = (): unknown[] => jsonLines(wholeLines(running.stdout())).map(({length}) => length);
    await until(() => lengths().includes(1), 'the first state is shown');
    await server.redis.xadd('watched', '*', 'a', '2');
    await until(() => lengths().includes(2), 'the second state is shown');
    running.process.stdout.destroy();
    expect(await running.finished).toMatchObject({code: 0, stderr: ''});
  });

  it('ends with 66 when the stream goes away', async () => {
    await server.redis.xadd('dropped', '*', 'a', '1');
    const running = startStreamlog(['info', '-s', 'dropped', '--watch', '20ms'], {server});
    await until(() => running.stdout() !== '', 'it is shown');
    await server.redis.del('dropped');
    expect((await running.finished).code).toBe(66);
  });
});
