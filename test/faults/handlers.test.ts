/**
 * Handlers of every kind (row F39): however they end, whatever they print or
 * leave behind, an entry is acknowledged when its handler has succeeded and all
 * that it printed was taken, and not before.
 */
import {readFileSync} from 'node:fs';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {Bench, isAlive, waitFor} from '../support/consuming.js';
import {until} from '../support/redis-server.js';
import {EXECUTABLE, shell} from '../support/run-cli.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());
afterEach(() => bench.clear());

const ENOUGH = ['--retry-backoff', '1ms'];

describe('F39: how a handler ends', () => {
  it('0 acknowledges', async () => {
    await bench.produce(3);
    expect(await bench.run('exit 0')).toMatchObject({code: 0, stdout: '', stderr: ''});
    expect(await bench.pending()).toEqual([]);
    expect(await bench.dead()).toEqual([]);
  });

  it('65 gives the entry up at the first attempt', async () => {
    await bench.produce(1);
    expect((await bench.run('echo x >>"$DIR/runs"; exit 65')).code).toBe(0);
    expect(bench.lines('runs')).toHaveLength(1);
    expect(await bench.pending()).toEqual([]);
    expect(await bench.dead()).toMatchObject([{_dlq_id: '1-0', _dlq_reason: 'exit code 65', _dlq_deliveries: '1'}]);
  });

  it.each([
    ['exit 1', 'exit code 1'],
    ['kill -SEGV $$', 'signal SIGSEGV'],
    ['kill -9 $$', 'signal SIGKILL'],
  ])('%s is tried again, and is dead after --max-deliver', async (command, reason) => {
    await bench.produce(1);
    const done = await bench.run(`echo "$STREAMLOG_DELIVERIES" >>"$DIR/runs"; ${command}`, [
      '--max-deliver',
      '3',
      ...ENOUGH,
    ]);
    expect(done.code).toBe(0);
    expect(bench.lines('runs')).toEqual(['1', '2', '3']);
    expect(await bench.pending()).toEqual([]);
    expect(await bench.dead()).toMatchObject([{n: '1', _dlq_reason: reason, _dlq_deliveries: '3'}]);
  });

  it('one that hangs and ignores SIGTERM is killed with all of its group after --exec-timeout', async () => {
    await bench.produce(1);
    const hang = 'trap "" TERM; (trap "" TERM; exec sleep 1000) & echo $! >>"$DIR/pids"; wait; wait';
    const done = await bench.run(hang, ['--exec-timeout', '100ms', '--max-deliver', '1']);
    expect(done.code).toBe(0);
    expect(await bench.dead()).toMatchObject([{_dlq_reason: 'it ran longer than 100ms'}]);
    const [pid] = bench.lines('pids');
    await until(() => !isAlive(Number(pid)), 'the grandchild is gone');
  });

  it('one that ends at SIGTERM is not killed, and has failed all the same', async () => {
    await bench.produce(1);
    const clean = 'trap "echo cleaned >>$DIR/log; exit 0" TERM; sleep 1000 & wait';
    await bench.run(clean, ['--exec-timeout', '100ms', '--max-deliver', '1']);
    expect(bench.lines('log')).toEqual(['cleaned']);
    expect(await bench.dead()).toMatchObject([{_dlq_reason: 'it ran longer than 100ms'}]);
  });

  it('a grandchild that stays, with our pipes or without, does not hold the entry up', async () => {
    await bench.produce(2);
    const done = await bench.run('sleep 1000 & echo $!; if [ $STREAMLOG_ID = 2-0 ]; then exec 1>&- 2>&-; fi; exit 0');
    expect(done.code).toBe(0);
    expect(await bench.pending()).toEqual([]);
    const pids = done.stdout.trim().split('\n').map(Number);
    expect(pids.map(isAlive)).toEqual([true, true]);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  });

  it('one that closes its input early, or never reads a large record, can succeed', async () => {
    await bench.server.redis.xadd('events', '1-0', 'blob', 'x'.repeat(2_000_000));
    await bench.server.redis.xadd('events', '2-0', 'blob', 'x'.repeat(2_000_000));
    const done = await bench.run('if [ "$STREAMLOG_ID" = 1-0 ]; then exec <&-; fi; exit 0');
    expect(done).toMatchObject({code: 0, stderr: ''});
    expect(await bench.pending()).toEqual([]);
  });
});

describe('what a handler gets', () => {
  it('data is never part of a command', async () => {
    const evil = `'; touch "$DIR/owned"; echo ' "$(touch "$DIR/owned")" \`touch "$DIR/owned"\` | > & \n ; $DIR`;
    await bench.server.redis.xadd('events', '1-0', evil, evil);
    const done = await bench.run('cat');
    expect(JSON.parse(done.stdout)).toMatchObject({id: '1-0', fields: {[evil]: evil}});
    await bench.server.redis.xadd('$(touch $DIR/owned)', '1-0', 'n', '1');
    const other = await bench.run('echo $STREAMLOG_STREAM', ['-s', '$(touch $DIR/owned)', '-g', ';touch $DIR/owned']);
    expect(other.stdout).toBe('$(touch $DIR/owned)\n');
    expect(bench.lines('owned')).toEqual([]);
    expect(() => readFileSync(bench.path('owned'))).toThrow('ENOENT');
  });

  it('its environment says which entry of which stream and group this is, and ours is passed on', async () => {
    await bench.produce(1, 'orders');
    const done = await bench.run(
      'echo "$STREAMLOG_STREAM $STREAMLOG_ID $STREAMLOG_GROUP $STREAMLOG_DELIVERIES $STREAMLOG_COUNT $COLOR"',
      ['-s', 'orders', '-g', 'billing'],
      {env: {COLOR: 'blue'}},
    );
    expect(done.stdout).toBe('orders 1-0 billing 1 1 blue\n');
  });

  it('--exec-batch gives a batch to one run: all of it is acknowledged, or none', async () => {
    await bench.produce(10);
    const half = 'cat >>"$DIR/seen"; echo "$STREAMLOG_COUNT" >>"$DIR/counts"; [ ! -e "$DIR/fail" ]';
    bench.touch('fail');
    const failing = bench.start(half, ['--exec-batch', '--retry-backoff', '1h', '--drain', '0s']);
    await until(() => {
      const batches = bench.lines('counts').map(Number);
      const failures = failing.stderr().split('the handler failed').length - 1;
      return batches.reduce((sum, count) => sum + count, 0) === 10 && failures === batches.length;
    }, 'all have failed');
    failing.process.kill('SIGTERM');
    await failing.finished;
    expect(await bench.pendingIds()).toHaveLength(10);
    const counts = bench.lines('counts').map(Number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10);
    expect(Math.max(...counts)).toBeGreaterThan(1);

    const done = await bench.run('wc -l', ['--exec-batch']);
    expect(
      done.stdout
        .trim()
        .split(/\s+/)
        .reduce((sum, count) => sum + Number(count), 0),
    ).toBe(10);
    expect(await bench.pending()).toEqual([]);
  });

  it('-P N runs that many at the same time, and no more', async () => {
    await bench.produce(8);
    const meet = `echo in >>"$DIR/in"; ${waitFor('go')}; echo out >>"$DIR/out"`;
    const running = bench.start(meet, ['-P', '3', '--exit']);
    await bench.untilLines('in', 3);
    expect(bench.lines('in')).toHaveLength(3);
    bench.touch('go');
    expect((await running.finished).code).toBe(0);
    expect(bench.lines('out')).toHaveLength(8);
    expect(await bench.pending()).toEqual([]);
  });
});

describe('what a handler prints', () => {
  it('lines of handlers side by side are whole, also when they are written in parts', async () => {
    await bench.produce(12);
    const parts =
      'for i in 1 2 3 4 5; do printf "$STREAMLOG_ID "; sleep 0.01; printf "$STREAMLOG_ID\\n"; printf "$STREAMLOG_ID $STREAMLOG_ID\\n" >&2; done; printf "$STREAMLOG_ID $STREAMLOG_ID"';
    const done = await bench.run(parts, ['-P', '4']);
    const lines = done.stdout.split('\n').slice(0, -1);
    expect(lines).toHaveLength(12 * 6);
    expect(lines.filter((line) => !/^(\d+-0) \1$/.test(line))).toEqual([]);
    expect(done.stderr.split('\n').filter((line) => line !== '' && !/^(\d+-0) \1$/.test(line))).toEqual([]);
  });

  it('the last words of one that leaves a child behind are taken, newline or not', async () => {
    await bench.produce(1);
    const done = await bench.run('sleep 1000 2>/dev/null & echo $! >"$DIR/pid"; printf "last words"');
    process.kill(Number(bench.lines('pid')[0]), 'SIGKILL');
    expect(done.stdout).toBe('last words\n');
  });

  it('F40: what was printed just before we were held up for long is taken all the same', async () => {
    await bench.produce(1);
    // The grandchild keeps the pipe, so that only silence tells the end; we are stopped while it begins.
    const command = `sleep 1000 2>/dev/null & echo $! >"$DIR/pid"; kill -STOP $PPID; (sleep 1; kill -CONT $PPID) >/dev/null 2>&1 & head -c 50000 /dev/zero | tr '\\0' x; echo; exit 0`;
    const done = await bench.run(command);
    process.kill(Number(bench.lines('pid')[0]), 'SIGKILL');
    expect(done.stdout.length).toBe(50_001);
  });

  /** The most memory that was in use when a handler had printed so many bytes, in megabytes. */
  async function highWaterMb(bytes: number, lines: string): Promise<number> {
    await bench.clear();
    await bench.produce(1);
    const command = `head -c ${bytes} /dev/zero | tr '\\0' x ${lines}; grep VmHWM /proc/$PPID/status >"$DIR/memory"`;
    const done = await shell(`"${EXECUTABLE}" consume --name w1 --exit --exec "$COMMAND" | wc -c`, {
      server: bench.server,
      env: {COMMAND: command, DIR: bench.path('.')},
    });
    expect(Number(done.stdout)).toBeGreaterThanOrEqual(bytes);
    expect(await bench.pending()).toEqual([]);
    return Number(/\d+/.exec(bench.lines('memory')[0] ?? '')![0]) / 1024;
  }

  it.each([
    ['in lines', '| fold -w 99'],
    ['without a newline', ''],
  ])('400 MB do not stay in memory, %s', async (_, lines) => {
    const smallMb = await highWaterMb(1_000_000, lines);
    // The collector lets some 90 MB of chunks lie, however many more follow.
    expect((await highWaterMb(400_000_000, lines)) - smallMb).toBeLessThan(200);
  });

  it('an entry whose output nobody reads is not acknowledged: it ends with 0, and the rest is pending', async () => {
    await bench.produce(20);
    // What does not fit into the pipe was not taken.
    const print = 'echo run >>"$DIR/runs"; head -c 300000 /dev/zero | tr "\\0" x | fold -w 99';
    const done = await shell(
      `"${EXECUTABLE}" consume --name w1 --exec "$COMMAND" | head -c 400000 >/dev/null; echo "\${PIPESTATUS[0]}"`,
      {server: bench.server, env: {COMMAND: print, DIR: bench.path('.')}},
    );
    expect(done.stdout).toBe('0\n');
    expect(done.stderr).toBe('');
    const left = await bench.pendingIds();
    expect(left).toContain('3-0');
    expect(left.length + 2).toBeGreaterThanOrEqual(bench.lines('runs').length);
    expect(await bench.server.redis.xlen('events')).toBe(20);
  });

  it('a reader that does not read holds the handlers up', async () => {
    await bench.produce(50);
    // What one prints goes into a pipe that nobody reads, what two print does not.
    const running = bench.start('echo run >>"$DIR/runs"; head -c 100000 /dev/zero | tr "\\0" x | fold -w 99');
    running.process.stdout.pause();
    await bench.untilLines('runs', 2);
    running.process.kill('SIGTERM');
    // It waits for us to read: what was printed is not thrown away while the drain lasts.
    expect(bench.lines('runs').length).toBeLessThan(10);
    running.process.stdout.resume();
    const done = await running.finished;
    expect(done.code).toBe(143);
    expect(await bench.pendingIds()).not.toContain('1-0');
    expect(done.stdout.length).toBe(bench.lines('runs').length * 101_011);
  });
});

describe('failures that end the work', () => {
  it('dead letters that cannot be written end it with 65, also when no entry comes any more', async () => {
    await bench.produce(1);
    await bench.server.redis.set('text', 'x');
    const done = await bench.start('exit 65', ['--dead-letter', 'text']).finished;
    expect(done.code).toBe(65);
    expect(await bench.pendingIds()).toEqual(['1-0']);
  });

  it('and do not wait for the next attempt of others', async () => {
    await bench.produce(2);
    await bench.server.redis.set('text', 'x');
    const fail = '[ $STREAMLOG_ID = 1-0 ] && exit 1; exit 65';
    const done = await bench.start(fail, ['--dead-letter', 'text', '--retry-backoff', '1h']).finished;
    expect(done.code).toBe(65);
    expect(await bench.pendingIds()).toEqual(['1-0', '2-0']);
  });

  it('without a process for a handler it ends with 78, and condemns nothing', async () => {
    await bench.produce(30);
    const done = await shell(
      `ulimit -n 40; "${EXECUTABLE}" consume --name w1 -P 30 --max-deliver 1 --exec 'sleep 0.3; echo "$STREAMLOG_ID"'`,
      {server: bench.server},
    );
    expect(done.code).toBe(78);
    expect(done.stderr).toContain('the handler cannot be run: no shell can be started (EMFILE)');
    expect(await bench.dead()).toEqual([]);
    const handled = done.stdout.trim().split('\n');
    expect([...handled, ...(await bench.pendingIds())]).toHaveLength(30);
    expect(handled.length).toBeGreaterThan(0);
  });
});

describe('a handler that cannot be run', () => {
  const all = ['1-0', '2-0', '3-0', '4-0', '5-0', '6-0', '7-0'];
  const asDelivered = all.map((id) => ({id, consumer: 'w1', deliveries: 1}));

  it.each([
    ['./nope', 'exit code 127'],
    ['cat | nope', 'exit code 127'],
    ['/etc/passwd', 'exit code 126'],
    ['exit 127', 'exit code 127'],
  ])('%s ends the work with 78 and is no failed attempt, however often it is started', async (command, reason) => {
    await bench.produce(7);
    for (let run = 0; run < 7; run++) {
      const done = await bench.run(command, ['--max-deliver', '2', ...ENOUGH]);
      expect(done.code).toBe(78);
      expect(done.stderr).toContain(`streamlog: the handler cannot be run: `);
      expect(done.stderr).toContain(`(${reason})\nhint: `);
      expect(done.stderr).not.toContain('the handler failed');
    }
    const pending = await bench.pending();
    expect(pending).toEqual(asDelivered.slice(0, pending.length));
    expect(pending.length).toBeGreaterThan(4);
    expect(await bench.dead()).toEqual([]);
    const done = await bench.run('exit 0');
    expect(done.code).toBe(0);
    expect(await bench.pending()).toEqual([]);
  });

  it.each([
    ['waits for more', []],
    ['ends where nothing is left', ['--exit']],
    ['gets whole batches', ['--exec-batch']],
    ['has several at a time', ['-P', '3']],
  ])('ends the work with 78 too where there is one entry only and the worker %s', async (_, args) => {
    await bench.produce(1);
    const done = await bench.start('./nope', [...args, '--max-deliver', '1']).finished;
    expect(done.code).toBe(78);
    expect(await bench.pending()).toEqual([{id: '1-0', consumer: 'w1', deliveries: 1}]);
    expect(await bench.dead()).toEqual([]);
  });

  it('counts what an entry has really failed, and not more', async () => {
    await bench.produce(1);
    const fail = bench.start('exit 1', ['--retry-backoff', '1h']);
    await until(() => fail.stderr().includes('the handler failed'), 'it has failed once');
    fail.process.kill('SIGTERM');
    await fail.finished;
    for (let run = 0; run < 3; run++) expect((await bench.run('./nope')).code).toBe(78);
    expect(await bench.pending()).toEqual([{id: '1-0', consumer: 'w1', deliveries: 1}]);
    expect((await bench.run('echo "$STREAMLOG_DELIVERIES"')).stdout).toBe('2\n');
  });

  it('is the fault of the entry where it can be run for others: that one is a dead letter, and the work goes on', async () => {
    await bench.produce(4);
    const done = await bench.run('[ $STREAMLOG_ID = 1-0 ] && exit 127; echo $STREAMLOG_ID', ENOUGH);
    expect(done).toMatchObject({code: 0, stdout: '2-0\n3-0\n4-0\n'});
    expect(await bench.pending()).toEqual([]);
    expect(await bench.dead()).toMatchObject([{_dlq_id: '1-0', _dlq_deliveries: '5', _dlq_reason: 'exit code 127'}]);
  });

  it('is the fault of an entry that is too large to be made an argument, also where it is the only one', async () => {
    await bench.server.redis.xadd('events', '1-0', 'blob', 'x'.repeat(200_000));
    const done = await bench.run('/bin/echo "$(cat)"', ENOUGH);
    expect(done.code).toBe(0);
    expect(await bench.dead()).toMatchObject([{_dlq_id: '1-0', _dlq_reason: 'exit code 126'}]);
  });

  it('a worker without a shell ends with 78', async () => {
    await bench.produce(2);
    const done = await bench.run('true', ['--max-deliver', '1'], {env: {PATH: '/nonexistent'}});
    expect(done.code).toBe(78);
    expect(done.stderr).toBe(
      'streamlog: the handler cannot be run: no shell can be started (ENOENT)\n' +
        'hint: --exec is run by sh, which has to be in PATH, in a directory that exists; the entries stay pending\n',
    );
    expect(await bench.dead()).toEqual([]);
  });
});

it.each([3_900, 4_000, 10_000])('an entry of %i fields that fails does not hold up the others', async (count) => {
  const fields = Array.from({length: count}, (_, at) => [`f${at}`, String(at)]).flat();
  await bench.server.redis.xadd('events', '1-0', ...fields);
  await bench.server.redis.xadd('events', '2-0', 'n', '2');
  const done = await bench.run('[ $STREAMLOG_ID = 2-0 ]', ['--max-deliver', '2', ...ENOUGH]);
  expect(done.code).toBe(0);
  expect(done.stderr).toContain('events 1-0 went to the dead letters: exit code 1');
  expect(await bench.pending()).toEqual([]);
  expect(await bench.dead()).toMatchObject([{f0: '0', [`f${count - 1}`]: String(count - 1), _dlq_deliveries: '2'}]);
});

it('a handler inherits none of our secrets', async () => {
  await bench.produce(1);
  const {url} = bench.server;
  const done = await bench.run('env', [], {
    env: {
      STREAMLOG_URL: url.replace('unix://', 'unix://default:s3cret@'),
      REDIS_URL: 'redis://app:s3cret@elsewhere:6379/1',
      STREAMLOG_TOKEN: 's3cret',
      STREAMLOG_PASSWORD_FILE: '',
      COLOR: 'blue',
    },
  });
  expect(done).toMatchObject({code: 0, stderr: ''});
  expect(done.stdout).not.toContain('s3cret');
  const lines = done.stdout.split('\n');
  expect(lines).toContain(`STREAMLOG_URL=${url.replace('unix://', 'unix://default@')}`);
  expect(lines).toContain('REDIS_URL=redis://app@elsewhere:6379/1');
  expect(lines).toContain('COLOR=blue');
});
