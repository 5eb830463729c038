/** `check`, as monitoring runs it: its line, its exit code, and that it ends. */
import {beforeEach, describe, expect, it} from 'vitest';
import {serverForAll, startRedis, userUrl} from '../support/redis-server.js';
import {RUNTIMES, shell, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();
beforeEach(async () => {
  await server.redis.flushall();
  for (let n = 1; n <= 20; n++) await server.redis.xadd('orders', `${n}-0`, 'n', n);
  await server.redis.xgroup('CREATE', 'orders', 'billing', '0');
  await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 5, 'STREAMS', 'orders', '>');
});

const check = async (...args: string[]) => {
  const {code, stdout, stderr} = await streamlog(['check', ...args], {server});
  return {code, stdout, stderr};
};

describe('the answer', () => {
  it.each([
    [['orders', '-w', 'lag>15'], 0, 'OK - orders/billing lag 15 | '],
    [['orders', '-w', 'lag>14'], 1, "WARNING - orders/billing lag 15 (warn >14) | 'orders/billing lag'=15;14;;0\n"],
    [
      ['orders', '-w', 'lag>1', '-c', 'pending>=5'],
      2,
      'CRITICAL - orders/billing pending 5 (critical >=5), lag 15 (warn >1) | ',
    ],
    [['orders', '-c', 'behind>5m'], 2, 'CRITICAL - orders/billing behind '],
    [['orders', '-c', 'oldest_pending>5m', '-c', 'oldest_idle>5m'], 2, 'CRITICAL - orders/billing oldest_pending '],
    [['orders', '-c', 'deliveries>1', '-c', 'consumers!=1'], 0, 'OK - orders/billing deliveries 1, consumers 1 | '],
    [['orders', '-c', 'length<20', '-c', 'groups=0'], 0, 'OK - orders length 20, groups 1 | '],
    [['orders', '-c', 'bytes>1MB', '-c', 'dead_letters>0'], 0, 'OK - orders bytes '],
    [['orders', '-c', 'last_entry>1d'], 2, 'CRITICAL - orders last_entry '],
    [['-c', 'evicted>0', '-c', 'connect>1h'], 0, 'OK - evicted 0, connect '],
    [['-c', 'memory_used_percent>90'], 3, 'UNKNOWN - memory_used_percent not known (critical >90) | '],
    [['absent', '-c', 'length<1'], 2, 'CRITICAL - absent length 0 (critical <1) | '],
    [['absent', '-c', 'groups>0'], 0, 'OK - absent groups 0 | '],
    [['absent', '-c', 'lag>1'], 3, 'UNKNOWN - no stream "absent"; streams there: orders\n'],
    [
      ['orders', '-g', 'biling', '-c', 'lag>1'],
      3,
      'UNKNOWN - no group "biling" on stream "orders"; did you mean billing?\n',
    ],
    [['orders', 'absent', '-c', 'lag>1'], 2, 'CRITICAL - orders/billing lag 15 (critical >1); no stream "absent"; '],
    [['orders', 'absent', '-c', 'lag>99'], 3, 'UNKNOWN - no stream "absent"; '],
    [['--match', 'x*', '-c', 'lag>1'], 3, 'UNKNOWN - no stream matches "x*"; see: streamlog ls\n'],
  ] as const)('to %j is %d: %s', async (args, code, line) => {
    const answer = await check(...args);
    expect(answer.stdout.slice(0, line.length)).toBe(line);
    expect(answer).toMatchObject({code, stderr: ''});
  });

  it.each([
    [['orders'], 'UNKNOWN - nothing to check; '],
    [['--nope'], 'UNKNOWN - unknown flag --nope; '],
    [['--match', 'o*', 'orders', '-c', 'lag>1'], 'UNKNOWN - give --match or streams, not both'],
    [['-c', 'lag>1', '--timeout', '5ms'], 'UNKNOWN - --timeout takes at least 100ms'],
    [['-c', 'lag>1', '-u', 'ftp://x'], 'UNKNOWN - '],
    [['-c', 'lag>1', '-C', 'nowhere'], 'UNKNOWN - '],
  ] as const)('to wrong flags %j is 3, not the 2 of other commands', async (args, line) => {
    const {code, stdout} = await check(...args);
    expect(stdout.slice(0, line.length)).toBe(line);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(code).toBe(3);
  });

  it('to a mistaken expression shows where the mistake is', async () => {
    const {code, stdout, stderr} = await check('-c', 'lag>1', '-w', 'behind>300');
    expect(stdout).toBe('UNKNOWN - behind takes a duration such as 30s, 5m or 1h, not "300"\n');
    expect(stderr).toBe(
      'streamlog: behind takes a duration such as 30s, 5m or 1h, not "300"\n  behind>300\n         ^\n',
    );
    expect(code).toBe(3);
  });

  it('is UNKNOWN of a key that holds no stream, and of a stream that may not be read', async () => {
    await server.redis.set('text', 'x');
    expect((await check('text', '-c', 'length>5')).code).toBe(3);
    const url = await userUrl(server, '~x*', '+@read', '+info', '+ping');
    expect(await check('orders', '-c', 'lag>99', '-u', url)).toMatchObject({
      code: 3,
      stdout: 'UNKNOWN - 1 stream was not looked at: not authorised\n',
    });
  });

  it('says of a growing lag that it never drains', async () => {
    expect(await check('orders', '-c', 'drain>1h')).toMatchObject({
      code: 2,
      stdout: "CRITICAL - orders/billing drain never (critical >1h) | 'orders/billing drain'=U;;3600;0\n",
    });
  });

  it('is UNKNOWN where the lag is a bound that proves nothing, and decided where it proves something', async () => {
    const adding = server.redis.pipeline();
    for (let n = 1; n <= 50_000; n++) adding.xadd('many', `${n}-0`, 'n', '');
    await adding.exec();
    await server.redis.xgroup('CREATE', 'many', 'half', '25000-0');
    await server.redis.xdel('many', '30000-0', '20000-0');

    const {stdout} = await check('many', '-c', 'lag>0', '-o', 'json');
    const [{atLeast, atMost, value}] = JSON.parse(stdout).results;
    expect(value).toBeNull();
    expect(atLeast).toBeLessThan(atMost);
    expect(atLeast).toBeLessThanOrEqual(24_999);
    expect(atMost).toBeGreaterThanOrEqual(24_999);
    expect((await check('many', '-c', `lag>${atLeast - 1}`)).code).toBe(2);
    expect((await check('many', '-c', `lag>${atMost}`)).code).toBe(0);
    expect(await check('many', '-c', 'lag>25000')).toMatchObject({
      code: 3,
      stdout: `UNKNOWN - many/half lag between ${atLeast} and ${atMost} (critical >25000) | 'many/half lag'=U;;25000;0\n`,
    });
  });

  it('looks at more pending entries than a page for their deliveries', async () => {
    for (let n = 21; n <= 400; n++) await server.redis.xadd('orders', `${n}-0`, 'n', n);
    await server.redis.xreadgroup('GROUP', 'billing', 'w1', 'STREAMS', 'orders', '>');
    await server.redis.xclaim('orders', 'billing', 'w2', 0, '390-0', 'RETRYCOUNT', 21);
    expect((await check('orders', '-c', 'deliveries>20')).code).toBe(2);
    expect((await check('orders', '-c', 'deliveries>21')).code).toBe(0);
  });
});

describe('the shape', () => {
  it('of many is the worst and then a line for each, with names that cannot break it', async () => {
    await server.redis.xadd(HOSTILE, '1-0', 'n', '1');
    await server.redis.xgroup('CREATE', HOSTILE, 'a|b', '0');
    const {code, stdout} = await check('--match', '*', '-c', 'lag>10', '-w', 'lag>0');
    const [first, ...others] = stdout.trimEnd().split('\n');
    expect(first).toMatch(/^CRITICAL - orders\/billing lag 15 \(critical >10\); and 1 more of 2 \| [^|]+$/);
    expect(others).toHaveLength(2);
    expect(others[0]).toBe('CRITICAL - orders/billing lag 15 (critical >10)');
    expect(others[1]).toMatch(/^WARNING - [^|]*\/a\\x7cb lag 1 \(warn >0\)$/);
    expect(unsafeIn(stdout)).toEqual([]);
    expect(code).toBe(2);
  });

  it('is the same on a terminal', async () => {
    const {text} = await onTerminal(['check', 'orders', '-w', 'lag>14'], {server});
    expect(text).toContain("WARNING - orders/billing lag 15 (warn >14) | 'orders/billing lag'=15;14;;0");
  });

  it('is one object with -o json, failures included', async () => {
    expect(JSON.parse((await check('orders', '-w', 'lag>14', '-o', 'json')).stdout)).toEqual({
      state: 'warning',
      code: 1,
      message: 'orders/billing lag 15 (warn >14)',
      results: [
        {
          state: 'warning',
          stream: 'orders',
          group: 'billing',
          metric: 'lag',
          unit: 'count',
          value: 15,
          atLeast: 15,
          atMost: 15,
          warn: ['lag>14'],
          critical: [],
          because: 'lag>14',
        },
      ],
    });
    const failed = await check('absent', '-w', 'lag>14', '--json');
    expect(JSON.parse(failed.stdout)).toEqual({
      state: 'unknown',
      code: 3,
      message: 'no stream "absent"; streams there: orders',
      results: [],
    });
    expect(failed.code).toBe(3);
  });

  it('is a line for each result with -o csv and -o tsv', async () => {
    const {stdout} = await check('orders', '-c', 'lag>99', '-c', 'length<1', '-o', 'csv');
    expect(stdout.split('\r\n').map((line) => line.split(',').slice(0, 6))).toEqual([
      ['state', 'stream', 'group', 'metric', 'unit', 'value'],
      ['ok', 'orders', '', 'length', 'count', '20'],
      ['ok', 'orders', 'billing', 'lag', 'count', '15'],
      [''],
    ]);
  });
});

describe.each(RUNTIMES)('with %s', (_, command) => {
  it('a Redis that is not there is CRITICAL', async () => {
    const {code, stdout, stderr} = await shell(`${command} check -c 'lag>1' -u unix:///nonexistent/redis.sock`);
    expect(stdout).toMatch(/^CRITICAL - cannot reach Redis at \/nonexistent\/redis.sock .*\n$/);
    expect(stderr).toBe('');
    expect(code).toBe(2);
  });

  it('a Redis that does not answer is CRITICAL, within the timeout', async () => {
    const stopped = await startRedis();
    try {
      stopped.process.kill('SIGSTOP');
      const {code, stdout} = await shell(`timeout 20 ${command} check -c 'lag>1' --timeout 1s`, {server: stopped});
      expect(stdout).toMatch(/^CRITICAL - .*\n$/);
      expect(code).toBe(2);
    } finally {
      stopped.process.kill('SIGCONT');
      await stopped.stop();
    }
  });
});
