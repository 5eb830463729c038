import {hostname} from 'node:os';
import {describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {noStream} from '../support/no-stream.js';
import {serverForAll, startRedis, until} from '../support/redis-server.js';
import {type Finished, type Running, shell, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();

interface Record {
  stream: string;
  id: string;
  fields: {n: string};
  group: string;
  consumer: string;
  deliveries: number;
}

const consume = (args: readonly string[]): Promise<Finished> => streamlog(['consume', ...args], {server});
const follow = (args: readonly string[]): Running => startStreamlog(['consume', ...args], {server});
const records = (text: string): Record[] => jsonLines(text);
const ids = (text: string): string[] => records(text).map(({id}) => id);
const numbered = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => `${from + index}-0`);

/** Adds the entries `from`-0 to `to`-0. */
async function add(stream: string, from: number, to = from): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (const id of numbered(from, to)) pipeline.xadd(stream, id, 'n', id);
  await pipeline.exec();
}

const pendingCount = async (stream: string, group = 'streamlog'): Promise<number> =>
  Number(((await server.redis.xpending(stream, group)) as [number])[0]);
const pendingIds = async (stream: string, consumer?: string): Promise<string[]> => {
  const of = consumer === undefined ? [] : [consumer];
  const rows = await server.redis.call('XPENDING', stream, 'streamlog', '-', '+', 10_000, ...of);
  return (rows as [string][]).map(([id]) => id);
};
/** Makes the group and delivers `count` entries to `consumer`, which never acknowledges them. */
async function leaveBehind(stream: string, consumer: string, count: number): Promise<void> {
  await server.redis.xgroup('CREATE', stream, 'streamlog', '0').catch(() => {});
  await server.redis.xreadgroup('GROUP', 'streamlog', consumer, 'COUNT', count, 'STREAMS', stream, '>');
}
async function interrupted(running: Running): Promise<Finished> {
  running.process.kill('SIGINT');
  return running.finished;
}

describe('what is consumed', () => {
  it('everything from the start, each once, printed as records and acknowledged', async () => {
    await add('all', 1, 1_000);
    const {code, stdout, stderr} = await consume(['-s', 'all', '--name', 'w1', '--exit']);
    expect([code, stderr]).toEqual([0, '']);
    expect(records(stdout)[0]).toEqual({
      stream: 'all',
      id: '1-0',
      fields: {n: '1-0'},
      group: 'streamlog',
      consumer: 'w1',
      deliveries: 1,
    });
    expect(ids(stdout)).toEqual(numbered(1, 1_000));
    expect(await pendingCount('all')).toBe(0);
    expect((await consume(['-s', 'all', '--exit'])).stdout).toBe('');
  });

  it('what is added while it waits', async () => {
    const running = follow(['-s', 'later', '--name', 'w1']);
    for (const n of [1, 2, 3]) {
      await until(async () => (await server.redis.exists('later')) === 1, 'the group is made with its stream');
      await add('later', n);
      await until(() => ids(running.stdout()).length === n, 'the entry is printed');
    }
    expect((await interrupted(running)).code).toBe(130);
    expect(await pendingCount('later')).toBe(0);
  });

  it.each([
    ['0', numbered(1, 9)],
    ['start', numbered(1, 9)],
    ['end', []],
    ['$', []],
    ['-2', ['8-0', '9-0']],
    ['7', ['7-0', '8-0', '9-0']],
    ['7-1', ['8-0', '9-0']],
    ['@1970-01-01T00:00:00.009Z', ['9-0']],
    ['-100', numbered(1, 9)],
  ])('a new group begins at --from %s', async (from, expected) => {
    const stream = `from ${from}`;
    await add(stream, 1, 9);
    expect(ids((await consume(['-s', stream, '--from', from, '--exit'])).stdout)).toEqual(expected);
    await add(stream, 10);
    // A group that is there goes on where it is.
    expect(ids((await consume(['-s', stream, '--from', '0', '--exit'])).stdout)).toEqual(['10-0']);
  });

  it('nothing of a stream or group that is missing with --no-create: 66, and nothing is made', async () => {
    expect(await consume(['-s', 'missing', '--no-create', '--exit'])).toMatchObject({
      code: 66,
      stdout: '',
      stderr: noStream('missing'),
    });
    expect(await server.redis.exists('missing')).toBe(0);
    await add('no group', 1);
    const {code, stderr} = await consume(['-s', 'no group', '-g', 'billing', '--no-create']);
    expect(code).toBe(66);
    expect(stderr).toBe(
      'streamlog: no group "billing" on stream "no group"\n' +
        "hint: 'no group' has no groups; to create it: streamlog group create billing --stream 'no group'\n",
    );
  });

  it('a key that holds no stream: 65', async () => {
    await server.redis.set('string', 'x');
    expect((await consume(['-s', 'string', '--exit'])).code).toBe(65);
  });

  it('by a consumer that is called after host and process, if it has no name', async () => {
    await add('nameless', 1);
    const running = follow(['-s', 'nameless', '--exit']);
    const {stdout} = await running.finished;
    expect(records(stdout)[0]?.consumer).toBe(`${hostname()}-${running.process.pid}`);
  });

  it('in the shape of --format, NUL bytes for xargs included', async () => {
    await add('format', 1, 3);
    const {stdout} = await shell(
      "streamlog consume -s format --name w1 --exit -f '%t/%o %f{n} %g %c %D\\0' | xargs -0 -n 1 printf '[%s]\\n'",
      {server},
    );
    expect(stdout).toBe(
      '[format/1-0 1-0 streamlog w1 1]\n[format/2-0 2-0 streamlog w1 1]\n[format/3-0 3-0 streamlog w1 1]\n',
    );
    expect((await consume(['-s', 'format', '-f', '%x'])).code).toBe(2);
  });

  it('several streams by one consumer', async () => {
    await Promise.all([add('north', 1, 50), add('south', 1, 30)]);
    const {stdout} = await consume(['-s', 'north', '-s', 'south', '-s', 'north', '--exit']);
    const of = (name: string): string[] =>
      records(stdout)
        .filter(({stream}) => stream === name)
        .map(({id}) => id);
    expect(of('north')).toEqual(numbered(1, 50));
    expect(of('south')).toEqual(numbered(1, 30));
    expect([await pendingCount('north'), await pendingCount('south')]).toEqual([0, 0]);
  });
});

describe('when it ends', () => {
  it('after exactly --count records, with nothing more delivered', async () => {
    await add('count', 1, 300);
    for (const [count, batch] of [
      [1, 100],
      [5, 2],
      [137, 100],
    ] as const) {
      const {stdout} = await consume(['-s', 'count', '-n', String(count), '--batch', String(batch), '--claim', 'off']);
      expect(ids(stdout)).toHaveLength(count);
      expect(await pendingCount('count')).toBe(0);
    }
    expect(ids((await consume(['-s', 'count', '-n', '1'])).stdout)).toEqual(['144-0']);
  });

  it('after --count records of all streams together', async () => {
    await Promise.all([add('many a', 1, 3), add('many b', 1, 100)]);
    const {stdout} = await consume(['-s', 'many a', '-s', 'many b', '-n', '60']);
    expect(records(stdout)).toHaveLength(60);
    expect((await pendingCount('many a')) + (await pendingCount('many b'))).toBe(0);
    const rest = await consume(['-s', 'many a', '-s', 'many b', '--exit']);
    expect(records(rest.stdout)).toHaveLength(43);
  });

  it('after --count records that come in time, from the stream that has them', async () => {
    const running = follow(['-s', 'idle a', '-s', 'busy b', '-n', '3']);
    await until(async () => (await server.redis.exists('busy b')) === 1, 'the groups are made');
    await add('busy b', 1, 3);
    const {code, stdout} = await running.finished;
    expect([code, ids(stdout)]).toEqual([0, numbered(1, 3)]);
  });

  it('after a silence of --wait, which each record ends', async () => {
    await add('wait', 1, 2);
    const running = follow(['-s', 'wait', '--wait', '700ms']);
    await until(() => ids(running.stdout()).length === 2, 'what is there is printed');
    await add('wait', 3);
    const {code, stdout} = await running.finished;
    expect([code, ids(stdout)]).toEqual([0, numbered(1, 3)]);
    expect(await pendingCount('wait')).toBe(0);
    expect((await consume(['-s', 'wait', '--wait', '1s', '--exit'])).code).toBe(2);
  });

  it('--wait counts the silence of the stream, and not the time that its handlers take', async () => {
    await add('slow work', 1, 20);
    const {code, stdout} = await consume([
      '-s',
      'slow work',
      '--batch',
      '2',
      '--wait',
      '150ms',
      '--exec',
      'sleep 0.1; echo $STREAMLOG_ID',
    ]);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toEqual(numbered(1, 20));
    expect(await pendingCount('slow work')).toBe(0);
  });

  it('--wait does not count the time that the reader of its output takes either', async () => {
    const pipeline = server.redis.pipeline();
    for (let ms = 1; ms <= 400; ms++) pipeline.xadd('slow reader', `${ms}-0`, 'text', 'x'.repeat(1_000));
    await pipeline.exec();
    const running = startStreamlog(['consume', '-s', 'slow reader', '--name', 'w1', '--wait', '200ms'], {server});
    running.process.stdout.pause();
    const idleMs = async (): Promise<number> => {
      const pending = (await server.redis.xpending('slow reader', 'streamlog', '-', '+', 1)) as [
        [string, string, number],
      ];
      return pending[0]?.[2] ?? 0;
    };
    await until(async () => (await idleMs().catch(() => 0)) > 1_000, 'it has waited for its reader');
    running.process.stdout.resume();
    const {code, stdout} = await running.finished;
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(400);
  });

  it('--exit does not wait for a stream that is empty', async () => {
    expect(await consume(['-s', 'empty', '--exit'])).toMatchObject({code: 0, stdout: ''});
  });
});

describe('acknowledgement', () => {
  it('is left to others with --ack none, and "streamlog ack" takes what was printed', async () => {
    await add('manual', 1, 20);
    const {stdout} = await consume(['-s', 'manual', '--name', 'w1', '--ack', 'none', '--exit']);
    expect(ids(stdout)).toEqual(numbered(1, 20));
    expect(await pendingIds('manual', 'w1')).toEqual(numbered(1, 20));
    const pipeline = 'streamlog consume -s manual --name w1 --ack none --exit | head -n 15 | streamlog ack';
    expect((await shell(pipeline, {server})).code).toBe(0);
    expect(await pendingIds('manual')).toEqual(numbered(16, 20));
  });

  it('is not needed with --no-ack: nothing is ever pending', async () => {
    await add('once', 1, 20);
    const {stdout} = await consume(['-s', 'once', '--no-ack', '-n', '5']);
    expect(ids(stdout)).toEqual(numbered(1, 5));
    expect(await pendingCount('once')).toBe(0);
    expect(ids((await consume(['-s', 'once', '--no-ack', '--exit'])).stdout)).toEqual(numbered(6, 20));
    expect((await consume(['-s', 'once', '--no-ack', '--ack', 'none'])).code).toBe(2);
  });

  it('does not happen when the output takes nothing: 74', async () => {
    await add('full', 1, 50);
    const {code, stderr} = await shell('streamlog consume -s full --name w1 --exit > /dev/full', {server});
    expect(code).toBe(74);
    expect(stderr).toContain('streamlog: cannot write the output: no space is left\n');
    // The one that was read, and none after it.
    expect(await pendingIds('full')).toEqual(['1-0']);
    expect(ids((await consume(['-s', 'full', '--name', 'w1', '--exit'])).stdout)).toEqual(numbered(1, 50));
  });

  it('counts are told with --verbose', async () => {
    await add('verbose', 1, 7);
    expect((await consume(['-s', 'verbose', '--exit', '-v'])).stderr).toMatch(/written 7, acknowledged 7/);
  });
});

describe('a backlog', () => {
  it('of its own comes first, after a crash; nothing is lost, and deliveries tell what came again', async () => {
    await add('crash', 1, 400);
    const running = follow(['-s', 'crash', '--name', 'w1', '--ack', 'none']);
    await until(() => ids(running.stdout()).length >= 100, 'some are printed');
    running.process.kill('SIGKILL');
    const before = ids((await running.finished).stdout.replace(/[^\n]+$/, ''));
    // Of what it was given, some may not have been printed yet.
    const rows = (await server.redis.xpending('crash', 'streamlog', '-', '+', 400)) as [id: string][];
    const given = rows.map(([id]) => id);
    expect(given).toEqual(expect.arrayContaining(before));
    const {stdout} = await consume(['-s', 'crash', '--name', 'w1', '--exit']);
    const after = records(stdout);
    expect(after.map(({id}) => id)).toEqual(numbered(1, 400));
    expect(after.filter(({deliveries}) => deliveries === 2).map(({id}) => id)).toEqual(given);
    expect(after.every(({deliveries}) => deliveries === 1 || deliveries === 2)).toBe(true);
    expect(await pendingCount('crash')).toBe(0);
  });

  it('survives a kill at any moment: every entry is printed by the one or the other', async () => {
    // So many that none of them has printed the rest before it is killed.
    await add('killed', 1, 30_000);
    const printed: string[] = [];
    for (const enough of [1, 500, 1_500]) {
      const running = follow(['-s', 'killed', '--name', 'w1']);
      await until(() => running.stdout().split('\n').length > enough, 'some are printed');
      running.process.kill('SIGKILL');
      printed.push(...ids((await running.finished).stdout.replace(/[^\n]+$/, '')));
    }
    printed.push(...ids((await consume(['-s', 'killed', '--name', 'w1', '--exit'])).stdout));
    expect(new Set(printed)).toEqual(new Set(numbered(1, 30_000)));
    expect(await pendingCount('killed')).toBe(0);
  });

  it('of another consumer is taken over when that has been silent for --claim', async () => {
    await add('dead', 1, 120);
    await leaveBehind('dead', 'gone', 110);
    const running = follow(['-s', 'dead', '--name', 'w2', '--claim', '200ms', '-n', '120']);
    const {code, stdout} = await running.finished;
    expect(code).toBe(0);
    expect(new Set(ids(stdout))).toEqual(new Set(numbered(1, 120)));
    for (const {id, deliveries, consumer} of records(stdout)) {
      expect([id, deliveries, consumer]).toEqual([id, Number.parseInt(id, 10) <= 110 ? 2 : 1, 'w2']);
    }
    expect(await pendingCount('dead')).toBe(0);
  });

  it('of another consumer stays where it is with --claim off, or while that is not silent for long enough', async () => {
    await add('alive', 1, 20);
    await leaveBehind('alive', 'other', 10);
    expect(ids((await consume(['-s', 'alive', '--name', 'w2', '--claim', 'off', '-n', '5'])).stdout)).toEqual(
      numbered(11, 15),
    );
    expect(ids((await consume(['-s', 'alive', '--name', 'w2', '--exit'])).stdout)).toEqual(numbered(16, 20));
    expect(await pendingIds('alive', 'other')).toEqual(numbered(1, 10));
  });

  it('that is no longer in the stream is acknowledged and reported', async () => {
    await add('trimmed', 1, 20);
    await leaveBehind('trimmed', 'w1', 10);
    await server.redis.xtrim('trimmed', 'MINID', '5-0');
    await server.redis.xdel('trimmed', '7-0');
    const {code, stdout, stderr} = await consume(['-s', 'trimmed', '--name', 'w1', '--exit']);
    expect(code).toBe(0);
    expect(ids(stdout)).toEqual(['5-0', '6-0', ...numbered(8, 20)]);
    const named = ['1-0', '2-0', '3-0', '4-0', '7-0'].map(
      (id) =>
        `streamlog: warning: trimmed ${id} is no longer in the stream, trimmed or deleted before it was consumed\n`,
    );
    expect(stderr).toBe(
      `${named.join('')}streamlog: warning: 5 pending entries were no longer in the stream, trimmed or deleted before they were consumed\n`,
    );
    expect(await pendingCount('trimmed')).toBe(0);
  });

  it('of a silent consumer that is no longer in the stream is reported too', async () => {
    await add('trimmed dead', 1, 20);
    await leaveBehind('trimmed dead', 'gone', 10);
    await server.redis.xtrim('trimmed dead', 'MINID', '5-0');
    await server.redis.config('RESETSTAT');
    const {stdout, stderr} = await consume([
      '-s',
      'trimmed dead',
      '--name',
      'w2',
      '--claim',
      '10ms',
      '--wait',
      '300ms',
    ]);
    expect(ids(stdout).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))).toEqual(numbered(5, 20));
    expect(stderr).toContain('4 pending entries were no longer in the stream');
    expect(await pendingCount('trimmed dead')).toBe(0);
    // However short --claim is, the silence of --wait is over after few reads.
    const reads = /cmdstat_xreadgroup:calls=(\d+)/.exec(await server.redis.info('commandstats'))?.[1];
    expect(Number(reads)).toBeLessThan(15);
  });

  it('is not more than --count either', async () => {
    await add('part', 1, 20);
    await leaveBehind('part', 'w1', 10);
    expect(ids((await consume(['-s', 'part', '--name', 'w1', '-n', '4'])).stdout)).toEqual(numbered(1, 4));
    expect(await pendingIds('part')).toEqual(numbered(5, 10));
  });
});

describe('sharing', () => {
  it('consumers of one group get different entries, and together all', async () => {
    await add('shared', 1, 2_000);
    const workers = await Promise.all(
      ['w1', 'w2', 'w3'].map((name) => consume(['-s', 'shared', '--name', name, '--exit', '--batch', '20'])),
    );
    const printed = workers.flatMap(({stdout}) => ids(stdout));
    expect(printed).toHaveLength(2_000);
    expect(new Set(printed)).toEqual(new Set(numbered(1, 2_000)));
    expect(await pendingCount('shared')).toBe(0);
  });

  it('groups each get all of them', async () => {
    await add('both', 1, 100);
    for (const group of ['billing', 'audit']) {
      const {stdout} = await consume(['-s', 'both', '-g', group, '--exit']);
      expect(ids(stdout)).toEqual(numbered(1, 100));
      expect(records(stdout)[0]?.group).toBe(group);
    }
    const fromEnvironment = await streamlog(['consume', '--exit'], {
      server,
      env: {STREAMLOG_STREAM: 'both', STREAMLOG_GROUP: 'third'},
    });
    expect(ids(fromEnvironment.stdout)).toHaveLength(100);
  });
});

describe('names and data that are hostile', () => {
  it('pass through a pipe unchanged', async () => {
    const stream = 'sp ace\n{x}*?"\\\u001b[31m';
    const [group, name, value] = ['gr oup\u202e', '名前', '\u001b]0;x\u0007\u202e'];
    await server.redis.xadd(stream, '1-0', 'n', value, '__proto__', 'p');
    await server.redis.xadd(stream, '2-0', Buffer.from([0xff]), 'a', Buffer.from([0xff]), 'b');
    const {stdout} = await consume([`--stream=${stream}`, `--group=${group}`, '--name', name, '--exit']);
    const [first, second] = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    expect(first).toMatchObject({stream, group, consumer: name});
    expect(Object.entries(first.fields)).toEqual([
      ['n', value],
      ['__proto__', 'p'],
    ]);
    expect(second.pairs).toEqual([
      [{$b64: '/w=='}, 'a'],
      [{$b64: '/w=='}, 'b'],
    ]);
  });
});

describe('a Redis that dies in the middle', () => {
  it('is waited for, with a line on standard error, until a signal', async () => {
    const mortal = await startRedis();
    await mortal.redis.xadd('events', '1-0', 'n', '1');
    const running = startStreamlog(['consume', '--name', 'w1'], {server: mortal});
    await until(() => ids(running.stdout()).length === 1, 'the first entry is printed');
    // Else it would try for as long as --drain says to acknowledge the entry after all.
    const pending = async (): Promise<unknown> =>
      ((await mortal.redis.xpending('events', 'streamlog')) as [unknown])[0];
    await until(async () => (await pending()) === 0, 'it is acknowledged');
    await mortal.stop();
    await until(() => running.stderr().includes('trying again'), 'the loss is told');
    const {code, stdout} = await interrupted(running);
    expect([code, ids(stdout)]).toEqual([130, ['1-0']]);
  });

  it('is an end with 69 where it was never there', async () => {
    const {code, stdout, stderr} = await streamlog(['consume', '-u', 'redis://127.0.0.1:1', '--exit']);
    expect([code, stdout]).toEqual([69, '']);
    expect(stderr).toContain('hint: ');
  });
});

it('a lease that cannot be kept is a usage error: --claim below 1s with --exec', async () => {
  const {code, stderr} = await consume(['-s', 'short', '--claim', '999ms', '--exec', 'cat', '--exit']);
  expect(code).toBe(2);
  expect(stderr).toContain('--claim must be at least 1s with --exec\nhint: ');
  expect(await server.redis.exists('short')).toBe(0);
});
