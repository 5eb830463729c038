/** `streamlog ack`: what is acknowledged, what stays pending, and when. */
import {afterEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, until} from '../support/redis-server.js';
import {EXECUTABLE, type Finished, type RunOptions, shell, startStreamlog, streamlog} from '../support/run-cli.js';

const server = serverForAll();

afterEach(() => server.redis.flushall());

/** Entries 1-0 … count-0, all pending with w1 of the group. */
async function deliver(count: number, stream = 'events', group = 'streamlog'): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let ms = 1; ms <= count; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', ms);
  pipeline.xgroup('CREATE', stream, group, '0', 'MKSTREAM');
  pipeline.xreadgroup('GROUP', group, 'w1', 'STREAMS', stream, '>');
  await pipeline.exec();
}

async function pendingIds(stream = 'events', group = 'streamlog'): Promise<string[]> {
  const entries = (await server.redis.xpending(stream, group, '-', '+', 10_000)) as [string][];
  return entries.map(([id]) => id);
}

const ack = (args: string[], options: RunOptions = {}): Promise<Finished> =>
  streamlog(['ack', ...args], {server, ...options});

const counts = ({stdout}: Finished): unknown[] => jsonLines(stdout);

const record = (id: string, place: object): string => `${JSON.stringify({...place, id, fields: {n: '1'}})}\n`;

describe('from arguments', () => {
  it('acknowledges those IDs and no others', async () => {
    await deliver(4);
    const done = await ack(['1-0', '3-0']);
    expect(done).toMatchObject({code: 0, stderr: ''});
    expect(counts(done)).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 2, notPending: 0, withAnother: 0},
    ]);
    expect(await pendingIds()).toEqual(['2-0', '4-0']);
  });

  it('takes a record, and does not look at standard input', async () => {
    await deliver(2, 'orders', 'billing');
    const done = await ack([record('2-0', {stream: 'orders', group: 'billing'}).trim()], {input: 'nonsense\n'});
    expect(done.code).toBe(0);
    expect(await pendingIds('orders', 'billing')).toEqual(['1-0']);
  });

  it('twice is harmless: counted, noted, and no failure', async () => {
    await deliver(2);
    await ack(['1-0']);
    const again = await ack(['1-0', '2-0', '9-0']);
    expect(again.code).toBe(0);
    expect(counts(again)).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 1, notPending: 2, withAnother: 0},
    ]);
    expect(again.stderr).toContain('1 acknowledged, 2 not pending in group "streamlog" on stream "events"');
  });

  it('what is no ID is a usage error, and nothing is acknowledged', async () => {
    await deliver(1);
    expect(await ack(['1-0', 'two'])).toMatchObject({code: 2, stdout: ''});
    expect(await pendingIds()).toEqual(['1-0']);
  });
});

describe('from standard input', () => {
  it('takes IDs and records, and a record knows its own stream and group', async () => {
    await deliver(3);
    await deliver(2, 'orders', 'billing');
    await deliver(2, 'events', 'billing');
    const input = `1-0\n${record('2-0', {stream: 'orders', group: 'billing'})}\n3-0 done\n${record('1-0', {group: 'billing'})}`;
    const done = await ack([], {input});
    expect(done).toMatchObject({code: 0, stderr: ''});
    expect(counts(done)).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 2, notPending: 0, withAnother: 0},
      {stream: 'orders', group: 'billing', acknowledged: 1, notPending: 0, withAnother: 0},
      {stream: 'events', group: 'billing', acknowledged: 1, notPending: 0, withAnother: 0},
    ]);
    expect(await pendingIds()).toEqual(['2-0']);
    expect(await pendingIds('orders', 'billing')).toEqual(['1-0']);
    expect(await pendingIds('events', 'billing')).toContain('2-0');
  });

  it('--stream and --group say where bare IDs are', async () => {
    await deliver(2, 'orders', 'billing');
    expect((await ack(['-s', 'orders', '-g', 'billing'], {input: '2-0\n'})).code).toBe(0);
    expect(await pendingIds('orders', 'billing')).toEqual(['1-0']);
  });

  it('acknowledges as lines arrive, while the pipe stays open', async () => {
    await deliver(3);
    const running = startStreamlog(['ack'], {server});
    running.process.stdin.write('1-0\n2-0\n3');
    await until(async () => (await pendingIds()).length === 1, 'the first two are acknowledged');
    expect(running.stdout()).toBe('');
    running.process.stdin.end('-0\n');
    const done = await running.finished;
    expect(counts(done)).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 3, notPending: 0, withAnother: 0},
    ]);
  });

  it('a bad line ends it with 65; all before it is acknowledged, nothing after it', async () => {
    await deliver(4);
    const done = await ack([], {input: '1-0\n2-0\nworker crashed\n4-0\n'});
    expect(done).toMatchObject({code: 65, stdout: ''});
    expect(done.stderr).toContain('line 3: "worker" is not a valid entry ID');
    expect(done.stderr).toContain('before it failed: 2 acknowledged, 0 not pending');
    expect(await pendingIds()).toEqual(['3-0', '4-0']);
  });

  it('many lines are acknowledged completely', async () => {
    await deliver(5_000);
    const input = Array.from({length: 5_000}, (_, index) => `${index + 1}-0\n`).join('');
    expect(counts(await ack([], {input}))).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 5_000, notPending: 0, withAnother: 0},
    ]);
    expect(await pendingIds()).toEqual([]);
  });

  it('an empty input is nothing to do, as when a filter let nothing through', async () => {
    const done = await ack([], {input: ''});
    expect(done).toMatchObject({code: 0, stdout: ''});
    expect(done.stderr).toContain('nothing to acknowledge');
    expect((await shell('streamlog ack <&-', {server})).code).toBe(74);
    expect((await shell('streamlog ack </dev/null', {server})).code).toBe(0);
  });

  it('at a prompt it asks for IDs and does not wait for them', async () => {
    const done = await shell(`script --quiet --return --command '"$STREAMLOG" ack' /dev/null`, {
      server,
      env: {STREAMLOG: EXECUTABLE},
    });
    expect(done.code).toBe(2);
    expect(done.stdout).toContain('no IDs are given');
  });

  it('a signal ends it with what was acknowledged until then', async () => {
    await deliver(2);
    const running = startStreamlog(['ack'], {server});
    running.process.stdin.write('1-0\n');
    await until(async () => (await pendingIds()).length === 1, 'the first one is acknowledged');
    running.process.kill('SIGINT');
    const done = await running.finished;
    expect(done.code).toBe(130);
    expect(counts(done)).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 1, notPending: 0, withAnother: 0},
    ]);
  });
});

describe('in a wrong place', () => {
  it('a group that is not there is a failure, where XACK only says 0', async () => {
    await deliver(1);
    const done = await ack(['-g', 'biling', '1-0']);
    expect(done).toMatchObject({code: 66, stdout: ''});
    expect(done.stderr).toContain('no group "biling" on stream "events"');
    expect((await ack(['-s', 'nothing', '1-0'])).code).toBe(66);
  });

  it('a key of another type is bad data', async () => {
    await server.redis.set('text', 'x');
    expect((await ack(['-s', 'text', '1-0'])).code).toBe(65);
  });

  it('a user who may only acknowledge is not refused for what cannot be looked up', async () => {
    await deliver(1);
    await server.redis.call(
      'ACL',
      'SETUSER',
      'acker',
      'on',
      '>secret',
      '~*',
      '-@all',
      '+xack',
      '+@connection',
      '+info',
    );
    const env = {STREAMLOG_USERNAME: 'acker', STREAMLOG_PASSWORD: 'secret'};
    expect(await ack(['1-0', '2-0'], {env})).toMatchObject({code: 0});
    expect(await pendingIds()).toEqual([]);
  });
});

describe('behind consume', () => {
  const read = 'streamlog consume --name w1 --ack none --exit';

  async function produce(count: number): Promise<void> {
    const pipeline = server.redis.pipeline();
    for (let ms = 1; ms <= count; ms++) pipeline.xadd('events', `${ms}-0`, 'type', ms % 3 === 0 ? 'login' : 'view');
    await pipeline.exec();
  }

  it('only what the worker passed on is acknowledged', async () => {
    await produce(9);
    const done = await shell(`${read} | grep login | streamlog ack`, {server});
    expect(done.code).toBe(0);
    expect(counts(done)).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 3, notPending: 0, withAnother: 0},
    ]);
    expect(await pendingIds()).toEqual(['1-0', '2-0', '4-0', '5-0', '7-0', '8-0']);
  });

  it('a worker that dies leaves the rest pending, and a restart gets exactly that', async () => {
    await produce(9);
    const first = await shell(`${read} | head -4 | streamlog ack`, {server});
    expect(counts(first)).toMatchObject([{acknowledged: 4}]);
    const again = await streamlog(['consume', '--name', 'w1', '--exit', '--format', '%o '], {server});
    expect(again.stdout.trim().split(' ')).toEqual(['5-0', '6-0', '7-0', '8-0', '9-0']);
    expect(await pendingIds()).toEqual([]);
  });

  it('of several streams and a group of its own, without being told again', async () => {
    await produce(3);
    await server.redis.xadd('orders', '1-0', 'type', 'login');
    const done = await shell(
      'streamlog consume -s events -s orders -g billing --name w1 --ack none --exit | grep login | streamlog ack',
      {server},
    );
    expect(counts(done)).toHaveLength(2);
    expect(await pendingIds('events', 'billing')).toEqual(['1-0', '2-0']);
    expect(await pendingIds('orders', 'billing')).toEqual([]);
  });

  it('works while all three run: what the worker passes on is acknowledged at once', async () => {
    await produce(3);
    await server.redis.xgroup('CREATE', 'events', 'streamlog', '0');
    const consume = startStreamlog(['consume', '--name', 'w1', '--ack', 'none'], {server});
    const acknowledge = startStreamlog(['ack'], {server});
    let rest = '';
    consume.process.stdout.on('data', (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString()}`.split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line.includes('login')) acknowledge.process.stdin.write(`${line}\n`);
    });
    await until(async () => (await pendingIds()).join() === '1-0,2-0', 'the first login is acknowledged');
    await server.redis.xadd('events', '10-0', 'type', 'view');
    await server.redis.xadd('events', '11-0', 'type', 'login');
    await until(() => consume.stdout().includes('"11-0"'), 'the second login was read');
    await until(async () => (await pendingIds()).join() === '1-0,2-0,10-0', 'the second login is acknowledged');

    consume.process.kill('SIGTERM');
    expect((await consume.finished).code).toBe(143);
    acknowledge.process.stdin.end();
    expect(counts(await acknowledge.finished)).toMatchObject([{acknowledged: 2, notPending: 0, withAnother: 0}]);
  });
});

describe('what a record says', () => {
  it('an entry that another consumer has got since is left to that one', async () => {
    await deliver(3);
    const records = (await streamlog(['pending', '--details'], {server})).stdout;
    await server.redis.xclaim('events', 'streamlog', 'w2', 0, '2-0');
    const done = await ack([], {input: records});
    expect(done.code).toBe(0);
    expect(counts(done)).toEqual([
      {stream: 'events', group: 'streamlog', acknowledged: 2, notPending: 0, withAnother: 1},
    ]);
    expect(done.stderr).toContain(
      '2 acknowledged, 0 not pending, 1 with another consumer than the record names in group',
    );
    expect(await pendingIds()).toEqual(['2-0']);
  });

  it('a record without a consumer, or an ID, is acknowledged for whoever has it', async () => {
    await deliver(2);
    await server.redis.xclaim('events', 'streamlog', 'w2', 0, '2-0');
    expect((await ack(['1-0', record('2-0', {stream: 'events', group: 'streamlog'}).trim()])).code).toBe(0);
    expect(await pendingIds()).toEqual([]);
  });

  it('a failure in one group is the outcome, whichever it is, and the others are done and counted', async () => {
    await deliver(2);
    await deliver(2, 'orders', 'billing');
    const missing = record('1-0', {stream: 'orders', group: 'none'});
    const [first, second] = [record('1-0', {}), record('1-0', {stream: 'orders', group: 'billing'})];
    for (const input of [`${missing}${first}${second}`, `${first}${missing}${second}`, `${first}${second}${missing}`]) {
      const done = await ack([], {input});
      expect(done).toMatchObject({code: 66, stdout: ''});
      expect(done.stderr).toContain('no group "none" on stream "orders"');
      expect(done.stderr).toContain('before it failed: ');
    }
    expect(await pendingIds()).toEqual(['2-0']);
    expect(await pendingIds('orders', 'billing')).toEqual(['2-0']);
  });
});

describe('what was typed', () => {
  it.each([
    ['--stream', 'orders', 'stream "events", not of "orders"'],
    ['--group', 'billing', 'group "streamlog", not of "billing"'],
  ])('%s refuses a record of another, and nothing behind it is done', async (flag, value, what) => {
    await deliver(4);
    await deliver(4, 'orders', 'billing');
    const place = {stream: 'events', group: 'streamlog'};
    const done = await ack([flag, value], {input: `2-0\n${record('1-0', place)}3-0\n`});
    expect(done).toMatchObject({code: 65, stdout: ''});
    expect(done.stderr).toContain(`the record of entry 1-0 is of ${what}`);
    expect(done.stderr).toContain(`hint: leave ${flag} out`);
    expect(await pendingIds()).toEqual(['1-0', '2-0', '3-0', '4-0']);
    expect(await pendingIds('orders', 'billing')).toEqual(['1-0', '2-0', '3-0', '4-0']);
  });

  it('takes records of the same, and what the environment says refuses none', async () => {
    await deliver(3);
    const place = {stream: 'events', group: 'streamlog'};
    expect((await ack(['-s', 'events', '-g', 'streamlog', record('1-0', place).trim()])).code).toBe(0);
    const env = {STREAMLOG_STREAM: 'orders', STREAMLOG_GROUP: 'billing'};
    expect((await ack([record('2-0', place).trim()], {env})).code).toBe(0);
    expect(await pendingIds()).toEqual(['3-0']);
  });

  it('what came before the refused record in time was done, and is told', async () => {
    await deliver(3);
    const running = startStreamlog(['ack', '-s', 'events'], {server});
    running.process.stdin.write('1-0\n');
    await until(async () => (await pendingIds()).length === 2, 'the first is acknowledged');
    running.process.stdin.end(`2-0\n${record('3-0', {stream: 'orders'})}`);
    const done = await running.finished;
    expect(done.code).toBe(65);
    expect(done.stderr).toContain('before it failed: 1 acknowledged, 0 not pending');
    expect(await pendingIds()).toEqual(['2-0', '3-0']);
  });
});
