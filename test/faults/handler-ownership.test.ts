/**
 * Whose what is delivered to a worker is, when others act on it: nothing that is
 * queued or worked on vanishes without a word, whatever is removed, acknowledged
 * or deleted around it.
 */
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {Bench, waitFor} from '../support/consuming.js';
import {until} from '../support/redis-server.js';
import {shell, startStreamlog} from '../support/run-cli.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());
afterEach(() => bench.clear());

/** Notes its entry, and waits to be let go. */
const GATED = `echo "$STREAMLOG_ID" >>"$DIR/runs"; ${waitFor('go')}`;

describe('a consumer that is removed', () => {
  it('gets again what it has in hand: the entry at work and those that wait for their turn', async () => {
    await bench.produce(5);
    const worker = bench.start(GATED, ['--exit', '-v']);
    await until(async () => (await bench.pending()).length === 5, 'all are delivered');
    await bench.untilLines('runs', 1);
    expect(await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1')).toBe(5);
    bench.touch('go');
    const {code, stderr} = await worker.finished;
    expect(bench.lines('runs')).toEqual(['1-0', '2-0', '3-0', '4-0', '5-0']);
    expect(stderr).toContain('consumer "w1" of group "streamlog" on stream "events" was removed');
    expect(stderr).toMatch(/lost 0$/m);
    expect(code).toBe(0);
    expect(await bench.pending()).toEqual([]);
  });

  it('is noticed while a handler runs and nothing is read: a worker that is killed then loses nothing', async () => {
    await bench.produce(3);
    const worker = bench.start(GATED);
    await bench.untilLines('runs', 1);
    await until(async () => (await bench.pending()).length === 3, 'all are delivered');
    await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
    await until(async () => (await bench.pending()).length === 3, 'all are pending again');
    worker.process.kill('SIGKILL');
    await worker.finished;
    expect((await bench.pending()).map(({id, consumer}) => `${id} ${consumer}`)).toEqual([
      '1-0 w1',
      '2-0 w1',
      '3-0 w1',
    ]);
  });

  it('keeps what failed and waits for its next attempt', async () => {
    await bench.produce(2);
    const worker = bench.start('echo "$STREAMLOG_ID" >>"$DIR/runs"; [ -e "$DIR/good" ]', [
      '--retry-backoff',
      '1s',
      '--exit',
    ]);
    await bench.untilLines('runs', 2);
    await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
    bench.touch('good');
    expect((await worker.finished).code).toBe(0);
    expect(bench.lines('runs')).toEqual(['1-0', '2-0', '1-0', '2-0']);
    expect(await bench.pending()).toEqual([]);
  });

  it('with --ack none: what was printed is pending again, for "streamlog ack"', async () => {
    await bench.produce(3);
    const running = startStreamlog(['consume', '--name', 'w1', '--ack', 'none'], {server: bench.server});
    await until(() => running.stdout().split('\n').length > 3, 'three are printed');
    await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
    await until(async () => (await bench.pending()).length === 3, 'all are pending again');
    running.process.kill('SIGTERM');
    await running.finished;
    const {code} = await shell('streamlog ack', {server: bench.server, input: running.stdout()});
    expect(code).toBe(0);
    expect(await bench.pending()).toEqual([]);
  });
});

describe('what is left to whoever comes next when a worker is told to end', () => {
  /** Five entries with a worker: the first is at work and lasts until `go`, the others wait for their turn. */
  async function working(args: readonly string[] = []): Promise<ReturnType<Bench['start']>> {
    await bench.produce(5);
    const worker = bench.start(GATED, ['-v', ...args]);
    await until(async () => (await bench.pending()).length === 5, 'all are delivered');
    await bench.untilLines('runs', 1);
    return worker;
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'is pending, though the consumer was removed just before the %s',
    async (signal) => {
      const worker = await working();
      await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
      worker.process.kill(signal);
      bench.touch('go');
      const {stderr} = await worker.finished;
      expect(stderr).toMatch(/lost 0$/m);
      expect(await bench.pendingIds()).toEqual(['2-0', '3-0', '4-0', '5-0']);
    },
  );

  it('is pending, though the group was removed just before', async () => {
    const worker = await working();
    await bench.server.redis.xgroup('DESTROY', 'events', 'streamlog');
    worker.process.kill('SIGTERM');
    bench.touch('go');
    expect((await worker.finished).stderr).toMatch(/lost 0$/m);
    expect(await bench.pendingIds()).toEqual(['2-0', '3-0', '4-0', '5-0']);
  });

  it('is pending, though the consumer was removed when the last handler was still at work', async () => {
    const worker = await working();
    worker.process.kill('SIGTERM');
    await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
    await until(async () => (await bench.pending()).length === 5, 'all are pending again');
    bench.touch('go');
    await worker.finished;
    expect(await bench.pendingIds()).toEqual(['2-0', '3-0', '4-0', '5-0']);
  });

  it('is pending, though the last handler outlasts the drain', async () => {
    const worker = await working(['--drain', '1s']);
    await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
    worker.process.kill('SIGTERM');
    await worker.finished;
    expect(await bench.pendingIds()).toEqual(['1-0', '2-0', '3-0', '4-0', '5-0']);
  });

  it('is named and counted when the stream is gone, and nobody can come next', async () => {
    const worker = await working();
    await bench.server.redis.del('events');
    worker.process.kill('SIGTERM');
    bench.touch('go');
    const {stderr} = await worker.finished;
    for (const id of ['2-0', '3-0', '4-0', '5-0']) expect(stderr).toContain(`events ${id} is no longer in the stream`);
    expect(stderr).toMatch(/lost 4$/m);
  });
});

describe('a stream that is gone', () => {
  it('leaves what is in hand to be worked off: no other consumer can have it', async () => {
    await bench.produce(4);
    const worker = bench.start(GATED, ['-v']);
    await until(async () => (await bench.pending()).length === 4, 'all are delivered');
    await bench.untilLines('runs', 1);
    await bench.server.redis.flushall();
    await until(() => /begun anew/.test(worker.stderr()), 'the group is made again');
    // The same IDs, of other entries: they are acknowledged only when they were handled.
    await bench.server.redis.multi().xadd('events', '1-0', 'n', 'new').xadd('events', '2-0', 'n', 'new').exec();
    bench.touch('go');
    await bench.untilLines('runs', 6);
    await until(async () => (await bench.pending()).length === 0, 'all is acknowledged');
    worker.process.kill('SIGTERM');
    expect((await worker.finished).stderr).toMatch(/acknowledged 2, .* lost 0$/m);
    expect(bench.lines('runs')).toEqual(['1-0', '2-0', '3-0', '4-0', '1-0', '2-0']);
  });

  it('and what cannot be done then is lost with a word, after its last attempt', async () => {
    await bench.produce(1);
    const worker = bench.start(`${GATED}; exit 1`, ['-v', '--max-deliver', '2', '--retry-backoff', '10ms']);
    await bench.untilLines('runs', 1);
    await bench.server.redis.flushall();
    await until(() => /begun anew/.test(worker.stderr()), 'the group is made again');
    bench.touch('go');
    await until(() => /events 1-0 is no longer in the stream/.test(worker.stderr()), 'it says so');
    worker.process.kill('SIGTERM');
    expect((await worker.finished).stderr).toMatch(/dead letters 0, lost 1$/m);
  });
});

describe('what is not processed here is named with its cause, and counted', () => {
  it('acknowledged elsewhere and taken over, while it waited for its turn', async () => {
    await bench.produce(4);
    const worker = bench.start(GATED, ['--exit', '-v']);
    await until(async () => (await bench.pending()).length === 4, 'all are delivered');
    await bench.untilLines('runs', 1);
    await bench.server.redis.xack('events', 'streamlog', '2-0');
    await bench.server.redis.xclaim('events', 'streamlog', 'w2', 0, '3-0');
    bench.touch('go');
    const {code, stderr} = await worker.finished;
    expect(bench.lines('runs')).toEqual(['1-0', '4-0']);
    expect(stderr).toContain('events 2-0: it was acknowledged elsewhere; here, nothing more is done with it\n');
    expect(stderr).toContain('events 3-0: consumer "w2" has taken it over; here, nothing more is done with it\n');
    expect(stderr).toMatch(/acknowledged 2, .* lost 2$/m);
    expect(code).toBe(0);
  });

  it('trimmed between two attempts, which --fail-on-trimmed makes a failure', async () => {
    await bench.produce(1);
    const worker = bench.start('echo run >>"$DIR/runs"; exit 1', [
      '--retry-backoff',
      '1s',
      '--exit',
      '--fail-on-trimmed',
      '-v',
    ]);
    await until(() => /trying again/.test(worker.stderr()), 'the first attempt has failed');
    await bench.server.redis.xtrim('events', 'MAXLEN', 0);
    const {code, stderr} = await worker.finished;
    expect(code).toBe(65);
    expect(stderr).toContain(
      'warning: events 1-0 is no longer in the stream, trimmed or deleted before it was consumed\n',
    );
    expect(stderr).toMatch(/lost 1$/m);
    expect(bench.lines('runs')).toEqual(['run']);
    expect(await bench.pending()).toEqual([]);
  });

  it('deleted while its handler was at work, which goes on; and what waited behind it', async () => {
    await bench.produce(3);
    const worker = bench.start(GATED, ['--claim', '1s', '--exit', '-v']);
    await until(async () => (await bench.pending()).length === 3, 'all are delivered');
    await bench.untilLines('runs', 1);
    await bench.server.redis.xdel('events', '1-0', '3-0');
    await until(() => /events 3-0 /.test(worker.stderr()), 'a lease shows it');
    bench.touch('go');
    const {code, stderr} = await worker.finished;
    expect(bench.lines('runs')).toEqual(['1-0', '2-0']);
    expect(stderr).toContain('events 1-0 is no longer in the stream, trimmed or deleted while its handler runs\n');
    expect(stderr).toContain('events 3-0 is no longer in the stream, trimmed or deleted before it was consumed\n');
    expect(stderr).toMatch(/lost 1$/m);
    expect(code).toBe(0);
  });

  it('tried as often as --max-deliver allows, though a removal makes Redis count anew', async () => {
    await bench.produce(1);
    const worker = bench.start('echo run >>"$DIR/runs"; exit 1', [
      '--max-deliver',
      '3',
      '--retry-backoff',
      '500ms',
      '-v',
    ]);
    for (const runs of [1, 2]) {
      await bench.untilLines('runs', runs);
      await bench.server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
    }
    await until(async () => (await bench.dead()).length === 1, 'it is a dead letter');
    worker.process.kill('SIGTERM');
    await worker.finished;
    expect(bench.lines('runs')).toHaveLength(3);
  });

  it('an entry that was acknowledged elsewhere while its handler ran stops that, and is not acknowledged again', async () => {
    await bench.produce(1);
    const worker = bench.start(GATED, ['--claim', '1s', '-v']);
    await bench.untilLines('runs', 1);
    await bench.server.redis.xack('events', 'streamlog', '1-0');
    await until(() => /acknowledged elsewhere/.test(worker.stderr()), 'it says so');
    worker.process.kill('SIGTERM');
    expect((await worker.finished).stderr).toMatch(/acknowledged 0, .* lost 1$/m);
  });
});
