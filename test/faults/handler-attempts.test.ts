/**
 * The life of an entry that fails: attempts that are counted when they begin,
 * pauses that grow, dead letters that know where they came from. What crashes
 * the whole worker is counted too, and what only waited behind it is not.
 */
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {Bench, waitFor} from '../support/consuming.js';
import {until} from '../support/redis-server.js';
import type {Finished} from '../support/run-cli.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());
afterEach(async () => {
  await bench.server.redis.config('SET', 'maxmemory', '0');
  await bench.clear();
});

/** How often each entry ran, from a file with an ID a line. */
function runs(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of bench.lines('runs')) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

describe('attempts', () => {
  it('follow each other after pauses that double, and say how many there were', async () => {
    await bench.produce(1);
    const done = await bench.run('echo "$STREAMLOG_DELIVERIES" >>"$DIR/runs"; [ $STREAMLOG_DELIVERIES = 4 ]', [
      '--retry-backoff',
      '5ms',
    ]);
    expect(done.code).toBe(0);
    expect(bench.lines('runs')).toEqual(['1', '2', '3', '4']);
    expect(done.stderr.match(/trying again in \S+/g)).toEqual([
      'trying again in 5ms',
      'trying again in 10ms',
      'trying again in 20ms',
    ]);
    expect(await bench.pending()).toEqual([]);
    expect(await bench.dead()).toEqual([]);
  });

  it('one that waits for its next attempt holds no other up, and stays pending', async () => {
    await bench.produce(60);
    const running = bench.start('echo "$STREAMLOG_ID" >>"$DIR/runs"; [ $STREAMLOG_ID != 1-0 ]', [
      '--retry-backoff',
      '1h',
    ]);
    await until(
      async () => (await bench.pendingIds()).join() === '1-0' && bench.lines('runs').length === 60,
      'others went on',
    );
    running.process.kill('SIGTERM');
    expect((await running.finished).code).toBe(143);
    expect(await bench.pending()).toEqual([{id: '1-0', consumer: 'w1', deliveries: 1}]);
  });

  it('a restart goes on counting where the last run was', async () => {
    await bench.produce(1);
    const fail = 'echo "$STREAMLOG_DELIVERIES" >>"$DIR/runs"; exit 1';
    for (const count of [1, 2]) {
      const running = bench.start(fail, ['--retry-backoff', '1h', '--max-deliver', '3']);
      await until(() => running.stderr().split('handler failed').length > 1, `attempt ${count} has failed`);
      running.process.kill('SIGTERM');
      await running.finished;
    }
    await bench.run(fail, ['--retry-backoff', '1h', '--max-deliver', '3']);
    expect(bench.lines('runs')).toEqual(['1', '2', '3']);
    expect(await bench.dead()).toMatchObject([{_dlq_id: '1-0', _dlq_deliveries: '3'}]);
  });
});

it('F20: a group that vanishes while handlers run, and while others wait for their turn, is made again with all of them', async () => {
  await bench.produce(3);
  await bench.server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
  const command = `echo "$STREAMLOG_ID" >>"$DIR/runs"; [ $STREAMLOG_ID = 2-0 ] && ${waitFor('go')}
    if [ $STREAMLOG_ID = 1-0 ] && [ ! -e "$DIR/go" ]; then exit 1; fi; exit 0`;
  const running = bench.start(command, ['--retry-backoff', '1ms', '--claim', '1s', '--exit']);
  await until(() => bench.lines('runs').includes('2-0'), '1-0 has failed, and 2-0 runs');
  for (let round = 0; round < 8; round++) {
    await until(
      async () => (await bench.server.redis.xgroup('DESTROY', 'events', 'streamlog')) === 1,
      'the group was made again while the handler runs',
    );
  }
  bench.touch('go');
  const {code, stderr} = await running.finished;
  expect(code, stderr).toBe(0);
  expect([...bench.lines('runs')].sort()).toEqual(['1-0', '1-0', '2-0', '3-0']);
  expect(await bench.pending()).toEqual([]);
});

describe('dead letters', () => {
  it('have the fields, in order and repeated ones too, and where they came from', async () => {
    const before = Date.now();
    await bench.server.redis.xadd('{shop}:orders', '7-1', 'item', 'a', 'item', 'b', 'note', '\u0000');
    const done = await bench.run('exit 65', ['-s', '{shop}:orders', '-g', 'billing', '--name', 'w7']);
    expect(done).toMatchObject({code: 0});
    expect(done.stderr).toContain('{shop}:orders 7-1 went to the dead letters: exit code 65');
    const [[, flat]] = (await bench.server.redis.xrange('{shop}:orders:dead', '-', '+')) as [[string, string[]]];
    const at = flat.indexOf('_dlq_at');
    const [time] = flat.splice(at, 2).slice(1);
    expect(Number(time)).toBeGreaterThanOrEqual(before);
    expect(flat).toEqual(
      ['item', 'a', 'item', 'b', 'note', '\u0000', '_dlq_stream', '{shop}:orders', '_dlq_group', 'billing'].concat([
        '_dlq_id',
        '7-1',
        '_dlq_consumer',
        'w7',
        '_dlq_deliveries',
        '1',
        '_dlq_reason',
        'exit code 65',
      ]),
    );
  });

  it('--dead-letter names their stream', async () => {
    await bench.produce(1);
    await bench.run('exit 65', ['--dead-letter', 'graves']);
    expect(await bench.dead('graves')).toMatchObject([{n: '1', _dlq_id: '1-0'}]);
    expect(await bench.dead()).toEqual([]);
  });

  it('while Redis has no memory for them the entry stays pending, and moves once it has', async () => {
    await bench.produce(2);
    const running = bench.start(`${waitFor('go')}; [ $STREAMLOG_ID = 2-0 ] || exit 65`, ['--exit']);
    await until(async () => (await bench.pendingIds()).length > 0, 'it was read');
    await bench.server.redis.config('SET', 'maxmemory', '1');
    bench.touch('go');
    await until(() => running.stderr().includes('trying again in'), 'it says that it waits');
    expect(running.stderr()).toContain('(OOM)');
    expect(await bench.pendingIds()).toContain('1-0');
    expect(await bench.dead()).toEqual([]);
    await bench.server.redis.config('SET', 'maxmemory', '0');
    expect((await running.finished).code).toBe(0);
    expect(await bench.dead()).toMatchObject([{_dlq_id: '1-0', _dlq_reason: 'exit code 65'}]);
    expect(await bench.pending()).toEqual([]);
  });

  it('of a batch that fails, what had its last attempt goes, and the rest is tried again without it', async () => {
    await bench.produce(3);
    await bench.server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
    await bench.server.redis.xclaim('events', 'streamlog', 'w1', 0, '2-0', 'RETRYCOUNT', 2, 'JUSTID');
    const done = await bench.run('wc -l >>"$DIR/runs"; [ $STREAMLOG_COUNT = 1 ]', [
      '--exec-batch',
      '--max-deliver',
      '3',
      '--retry-backoff',
      '1ms',
    ]);
    expect(done.code).toBe(0);
    expect(await bench.dead()).toMatchObject([{_dlq_id: '2-0', _dlq_deliveries: '3'}]);
    expect(await bench.pending()).toEqual([]);
  });
});

describe('crash loops', () => {
  /** Kills the worker, not only itself, with entry 4-0, of those that are read together the first; `$PPID` is the worker. */
  const crash = 'echo "$STREAMLOG_ID" >>"$DIR/runs"; if [ $STREAMLOG_ID = 4-0 ]; then kill -9 $PPID; fi';

  /** Starts workers one after the other, an hour apart for what is pending, until one lives to its end. */
  async function superviseUntilDone(args: (start: number) => string[]): Promise<Finished & {starts: number}> {
    for (let starts = 1; ; starts++) {
      await bench.age(3_600_000);
      const done = await bench.run(crash, args(starts));
      if (done.signal !== 'SIGKILL') return {...done, starts};
      expect(starts).toBeLessThan(12);
    }
  }

  it('an entry that kills the worker each time it runs is dead after --max-deliver runs, and alone', async () => {
    await bench.produce(40);
    const done = await superviseUntilDone(() => ['--max-deliver', '3']);
    expect(done).toMatchObject({code: 0, starts: 4});
    expect(await bench.dead()).toMatchObject([
      {_dlq_id: '4-0', _dlq_deliveries: '3', _dlq_reason: 'delivered 3 times without success'},
    ]);
    expect(await bench.pending()).toEqual([]);
    expect(runs().get('4-0')).toBe(3);
    expect([...runs()].filter(([id, count]) => id !== '4-0' && count !== 1)).toEqual([]);
    expect(runs().size).toBe(40);
  });

  it('also when each restart has another name and takes the entries over', async () => {
    await bench.produce(40);
    const done = await superviseUntilDone((start) => ['--max-deliver', '3', '--claim', '1h', '--name', `w${start}`]);
    expect(done).toMatchObject({code: 0});
    expect((await bench.dead()).map(({_dlq_id}) => _dlq_id)).toEqual(['4-0']);
    expect(await bench.pending()).toEqual([]);
    expect(runs().get('4-0')).toBe(3);
    expect(runs().size).toBe(40);
  });

  it('with --max-deliver 1 nothing is dead that never ran', async () => {
    await bench.produce(40);
    const done = await superviseUntilDone(() => ['--max-deliver', '1']);
    expect(done.code).toBe(0);
    expect((await bench.dead()).map(({_dlq_id}) => _dlq_id)).toEqual(['4-0']);
    expect(runs().size).toBe(40);
    expect(await bench.pending()).toEqual([]);
  });

  it('restarts before anything could run count nothing', async () => {
    await bench.produce(20);
    await bench.server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
    for (let restart = 1; restart <= 6; restart++) {
      const running = bench.start('echo "$STREAMLOG_ID $$" >>"$DIR/runs"; exec sleep 1000', ['--max-deliver', '10']);
      await bench.untilLines('runs', restart);
      running.process.kill('SIGKILL');
      await running.finished;
    }
    for (const run of bench.lines('runs')) process.kill(Number(run.split(' ')[1]), 'SIGKILL');
    const counts = (await bench.pending()).map(({id, deliveries}) => [id, deliveries]);
    expect(counts.shift()).toEqual(['1-0', 7]);
    expect(counts.filter(([, deliveries]) => deliveries !== 1)).toEqual([]);
    expect(counts).toHaveLength(19);
  });

  it('a connection that is lost between attempts does not hide the attempts from the count', async () => {
    await bench.produce(60);
    await bench.server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
    // The connection is lost while the backlog waits for its turn; 40-0 comes after that.
    const late = `echo "$STREAMLOG_ID" >>"$DIR/runs"; if [ $STREAMLOG_ID = 1-0 ]; then ${waitFor('go')}; fi
      if [ $STREAMLOG_ID = 59-0 ]; then echo "$STREAMLOG_DELIVERIES" >>"$DIR/late"; kill -9 $PPID; fi`;
    for (const deliveries of ['2', '3']) {
      const running = bench.start(late, ['--batch', '10', '--exit']);
      if (deliveries === '2') await bench.untilLines('runs', 1);
      await bench.server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      bench.touch('go');
      expect((await running.finished).signal).toBe('SIGKILL');
      expect(bench.lines('late').at(-1)).toBe(deliveries);
    }
  });
});
