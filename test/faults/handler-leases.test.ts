/**
 * Whose an entry is while its handler runs, and what becomes of both when the
 * work is to end (rows F33, F39): a lease is kept while the handler runs, a lost
 * one stops it, and nothing that was stopped is acknowledged.
 */
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {Bench, isAlive, waitFor} from '../support/consuming.js';
import {until} from '../support/redis-server.js';
import {type Running, streamlog} from '../support/run-cli.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());
afterEach(() => bench.clear());

/**
 * Runs until it is told to go, and leaves its process ID; a SIGTERM is noted and
 * ends it. A shell speaks of children that were ended, and with us gone that would end it first.
 */
const LONG = `exec 2>/dev/null; trap 'echo stopped >>"$DIR/log"; exit 1' TERM; echo $$ >>"$DIR/pids"; ${waitFor('go')}; echo done >>"$DIR/log"`;
/** The same, and SIGTERM does not end it. */
const STUBBORN = `trap '' TERM; echo $$ >>"$DIR/pids"; ${waitFor('go')}`;

async function handlerPid(at = 0): Promise<number> {
  await bench.untilLines('pids', at + 1);
  return Number(bench.lines('pids')[at]);
}

/** How many milliseconds ago the entry was last delivered, or its lease renewed. */
async function idleMs(id: string): Promise<number> {
  const [[, , idle]] = (await bench.server.redis.xpending('events', 'streamlog', id, id, 1)) as [
    [string, string, number],
  ];
  return idle;
}

const stop = async (running: Running): Promise<void> => {
  running.process.kill('SIGKILL');
  await running.finished;
};

describe('leases', () => {
  it('a handler that runs longer than --claim keeps its entry, and those that wait behind it too', async () => {
    await bench.produce(3);
    await bench.server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
    const owner = bench.start(`echo "w1 $STREAMLOG_ID" >>"$DIR/runs"; ${waitFor('go')}`, ['--claim', '1s', '--exit']);
    await bench.untilLines('runs', 1);
    const other = bench.start('echo "w2 $STREAMLOG_ID" >>"$DIR/runs"', ['--name', 'w2', '--claim', '1s']);
    // Longer than a lease, by the entry's own clock: renewed at least three times.
    let renewals = 0;
    let before = 0;
    await until(async () => {
      const now = await idleMs('1-0');
      if (now < before) renewals++;
      before = now;
      return renewals >= 6;
    }, 'the lease was renewed six times');
    expect(bench.lines('runs')).toEqual(['w1 1-0']);
    bench.touch('go');
    expect((await owner.finished).code).toBe(0);
    await stop(other);
    expect(bench.lines('runs')).toEqual(['w1 1-0', 'w1 2-0', 'w1 3-0']);
    expect(await bench.pending()).toEqual([]);
  });

  it('renewing counts as no delivery', async () => {
    await bench.produce(1);
    const owner = bench.start(`echo run >>"$DIR/runs"; ${waitFor('go')}`, ['--claim', '1s', '--exit']);
    await bench.untilLines('runs', 1);
    await until(async () => (await idleMs('1-0')) > 20, 'some time has passed');
    await until(async () => (await idleMs('1-0')) < 20, 'the lease was renewed');
    expect(await bench.pending()).toEqual([{id: '1-0', consumer: 'w1', deliveries: 1}]);
    bench.touch('go');
    await owner.finished;
  });

  it('a lost lease stops the handler, and nothing is acknowledged', async () => {
    await bench.produce(1);
    const owner = bench.start(LONG, ['--claim', '1s']);
    const pid = await handlerPid();
    expect((await streamlog(['claim', '1-0', '--to', 'w2'], {server: bench.server})).code).toBe(0);
    await until(() => !isAlive(pid), 'the handler is stopped');
    expect(bench.lines('log')).toEqual(['stopped']);
    owner.process.kill('SIGTERM');
    expect((await owner.finished).code).toBe(143);
    expect(await bench.pending()).toEqual([{id: '1-0', consumer: 'w2', deliveries: 2}]);
    expect(await bench.dead()).toEqual([]);
    expect(owner.stderr()).toContain('events 1-0: consumer "w2" has taken it over');
  });

  it('of a batch, too; the rest of it stays ours', async () => {
    await bench.produce(3);
    // The first batch is one entry.
    const owner = bench.start(`[ $STREAMLOG_COUNT = 1 ] && exit 0; ${LONG}`, ['--exec-batch', '--claim', '2s']);
    await handlerPid();
    await streamlog(['claim', '2-0', '--to', 'w2'], {server: bench.server});
    await until(() => bench.lines('log').includes('stopped'), 'the handler is stopped');
    owner.process.kill('SIGTERM');
    await owner.finished;
    expect((await bench.pending()).map(({id, consumer}) => `${id} ${consumer}`)).toEqual(['2-0 w2', '3-0 w1']);
  });

  it('what waits for its turn or its next attempt is let go when somebody takes it', async () => {
    await bench.produce(3);
    await bench.server.redis.xreadgroup('GROUP', 'streamlog', 'w1', 'STREAMS', 'events', '>');
    const owner = bench.start(
      `echo "$STREAMLOG_ID" >>"$DIR/runs"; [ $STREAMLOG_ID = 1-0 ] && exit 1; [ $STREAMLOG_ID = 3-0 ] || ${waitFor('go')}`,
      ['--retry-backoff', '50ms', '--claim', '10m', '--exit'],
    );
    await until(() => bench.lines('runs').includes('2-0'), '1-0 has failed and 2-0 runs');
    await streamlog(['claim', '1-0', '3-0', '--to', 'w2'], {server: bench.server});
    bench.touch('go');
    expect((await owner.finished).code).toBe(0);
    expect(bench.lines('runs')).toEqual(['1-0', '2-0']);
    expect((await bench.pending()).map(({id, consumer}) => `${id} ${consumer}`)).toEqual(['1-0 w2', '3-0 w2']);
  });
});

describe('F33: the end', () => {
  it('the first signal lets a running handler finish, and begins no other', async () => {
    await bench.produce(3);
    const running = bench.start(LONG);
    await handlerPid();
    running.process.kill('SIGTERM');
    await until(() => running.process.exitCode === null, 'it still runs');
    bench.touch('go');
    expect((await running.finished).code).toBe(143);
    expect(bench.lines('log')).toEqual(['done']);
    expect(bench.lines('pids')).toHaveLength(1);
    expect((await bench.pendingIds()).includes('1-0')).toBe(false);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s does not reach the handlers of a shell in the foreground, they drain', async (signal, code) => {
    await bench.produce(1);
    const running = bench.start(LONG);
    const pid = await handlerPid();
    running.process.kill(signal);
    bench.touch('go');
    expect((await running.finished).code).toBe(code);
    expect(bench.lines('log')).toEqual(['done']);
    expect(isAlive(pid)).toBe(false);
    expect(await bench.pending()).toEqual([]);
  });

  it('a handler that runs longer than --drain is stopped, and its entry stays pending', async () => {
    await bench.produce(1);
    const running = bench.start(LONG, ['--drain', '200ms']);
    const pid = await handlerPid();
    running.process.kill('SIGTERM');
    expect((await running.finished).code).toBe(143);
    expect(isAlive(pid)).toBe(false);
    expect(bench.lines('log')).toEqual(['stopped']);
    expect(await bench.pending()).toEqual([{id: '1-0', consumer: 'w1', deliveries: 1}]);
    expect(await bench.dead()).toEqual([]);
  });

  it('one that ignores that is killed before we end', async () => {
    await bench.produce(1);
    const running = bench.start(STUBBORN, ['--drain', '100ms', '--max-deliver', '1']);
    const pid = await handlerPid();
    running.process.kill('SIGTERM');
    expect((await running.finished).code).toBe(143);
    await until(() => !isAlive(pid), 'the handler is gone');
    expect(await bench.pendingIds()).toEqual(['1-0']);
    expect(await bench.dead()).toEqual([]);
  });

  it('the second signal ends at once, tells the handlers to end, and acknowledges nothing', async () => {
    await bench.produce(4);
    const running = bench.start(LONG, ['-P', '2']);
    const pids = [await handlerPid(0), await handlerPid(1)];
    // Two at the same moment would be one.
    await until(() => {
      running.process.kill('SIGTERM');
      return running.process.exitCode !== null;
    }, 'it has ended');
    expect((await running.finished).code).toBe(143);
    await until(() => !pids.some(isAlive), 'the handlers have ended');
    expect(bench.lines('log')).toEqual(['stopped', 'stopped']);
    expect((await bench.pendingIds()).slice(0, 2)).toEqual(['1-0', '2-0']);
  });

  it('a failure that ends the work leaves no handler behind either', async () => {
    await bench.produce(2);
    await bench.server.redis.set('text', 'x');
    const fail = `if [ $STREAMLOG_ID = 2-0 ]; then exit 65; fi; ${LONG}`;
    const running = bench.start(fail, ['-P', '2', '--dead-letter', 'text', '--drain', '100ms']);
    const pid = await handlerPid();
    expect((await running.finished).code).toBe(65);
    expect(isAlive(pid)).toBe(false);
    expect(await bench.pendingIds()).toEqual(['1-0', '2-0']);
  });
});

describe('--ephemeral', () => {
  const consumers = async (): Promise<string[]> => {
    const facts = (await bench.server.redis.xinfo('CONSUMERS', 'events', 'streamlog')) as string[][];
    return facts.map((each) => each[each.indexOf('name') + 1]!);
  };

  it('removes the consumer when nothing is pending with it', async () => {
    await bench.produce(3);
    expect((await bench.run('exit 0', ['--ephemeral'])).code).toBe(0);
    expect(await consumers()).toEqual([]);
    await bench.server.redis.xadd('events', '9-0', 'n', '9');
    const running = bench.start('echo run >>"$DIR/runs"', ['--ephemeral']);
    await bench.untilLines('runs', 1);
    running.process.kill('SIGTERM');
    expect((await running.finished).code).toBe(143);
    expect(await consumers()).toEqual([]);
  });

  it('and leaves it when something is, so that nothing is lost', async () => {
    await bench.produce(3);
    const running = bench.start('[ $STREAMLOG_ID != 2-0 ]', ['--ephemeral', '--retry-backoff', '1h']);
    await until(async () => (await bench.pendingIds()).join() === '2-0', 'all but one are done');
    await until(() => running.stderr().includes('handler failed'), 'the one has failed');
    running.process.kill('SIGTERM');
    await running.finished;
    expect(await consumers()).toEqual(['w1']);
    expect(await bench.pendingIds()).toEqual(['2-0']);
  });
});
