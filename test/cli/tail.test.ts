import {describe, expect, it} from 'vitest';
import {idsIn} from '../support/json-lines.js';
import {noStream} from '../support/no-stream.js';
import {serverForEach, until} from '../support/redis-server.js';
import {type Running, shell, startStreamlog, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForEach();

const tail = (...args: string[]) => streamlog(['tail', ...args], {server});
const add = (stream: string, ...entryIds: string[]) =>
  Promise.all(entryIds.map((id) => server.redis.xadd(stream, id, 'n', id)));

/** Starts `tail` and leaves it where it waits for `streams` streams. */
async function follow(args: readonly string[], streams = 1, limitMs = 30_000): Promise<Running> {
  const running = startStreamlog(['tail', ...args], {server, limitMs});
  await until(async () => (await waiting()) === streams, 'tail waits for new entries');
  return running;
}

/** How many clients block in XREAD. */
const waiting = async (): Promise<number> =>
  Number(/blocked_clients:(\d+)/.exec(await server.redis.info('clients'))?.[1]);

const pagesRead = async (): Promise<number> =>
  Number(/cmdstat_xrange:calls=(\d+)/.exec(await server.redis.info('commandstats'))?.[1] ?? 0);

async function interrupted(running: Running): Promise<string[]> {
  running.process.kill('SIGINT');
  return idsIn((await running.finished).stdout);
}

describe('what is there', () => {
  it('the last ten entries, or as many as are asked for', async () => {
    await add('events', ...Array.from({length: 25}, (_, index) => `${index + 1}-0`));

    expect(idsIn((await tail('--no-follow')).stdout)).toEqual(
      Array.from({length: 10}, (_, index) => `${index + 16}-0`),
    );
    expect(idsIn((await tail('--no-follow', '-n', '2')).stdout)).toEqual(['24-0', '25-0']);
    expect(idsIn((await tail('--no-follow', '-n', '100')).stdout)).toHaveLength(25);
    expect(idsIn((await tail('--no-follow', '-n', '0')).stdout)).toEqual([]);
  });

  it('from a position, in place of the last ones', async () => {
    await add('events', '1-0', '2-0', '3-0', '3-1');

    expect(idsIn((await tail('--no-follow', '--from', '3')).stdout)).toEqual(['3-0', '3-1']);
    expect(idsIn((await tail('--no-follow', '--from', '-3')).stdout)).toEqual(['2-0', '3-0', '3-1']);
    expect(idsIn((await tail('--no-follow', '--from', '@3')).stdout)).toEqual([]);
    expect(idsIn((await tail('--no-follow', '--from', 'start')).stdout)).toHaveLength(4);
    expect(await tail('--from', 'start', '-n', '3')).toMatchObject({code: 2, stdout: ''});
  });

  it('several streams in the order of time, over many pages of each', async () => {
    const even = Array.from({length: 1_500}, (_, index) => `${2 * index + 2}-0`);
    const odd = Array.from({length: 2_500}, (_, index) => `${2 * index + 1}-0`);
    await Promise.all([add('even', ...even), add('odd', ...odd)]);

    const {stdout} = await tail('--no-follow', '--from', 'start', '--stream', 'even', '--stream', 'odd');

    const inTime = [...even, ...odd].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    expect(idsIn(stdout)).toEqual(inTime);
    expect(stdout).toContain('{"stream":"odd","id":"1-0","fields":{"n":"1-0"}}\n{"stream":"even","id":"2-0",');
  });

  it('66 for a stream that does not exist, when nobody waits for it', async () => {
    await add('events', '1-0');

    expect(await tail('--no-follow', '--stream', 'events', '--stream', 'none')).toMatchObject({
      code: 66,
      stdout: '',
      stderr: noStream('none'),
    });
  });

  it('on a terminal hostile data does nothing', async () => {
    await server.redis.xadd('events', '1-0', 'by', HOSTILE);

    const {text} = await onTerminal(['tail', '--no-follow'], {server, columns: 400});

    expect(text).toContain('evil');
    expect(unsafeIn(text)).toEqual([]);
  });
});

describe('what comes', () => {
  it('is printed as it comes, once, after what was there', async () => {
    await add('events', '1-0', '2-0');
    const running = await follow(['-n', '1']);

    await add('events', '3-0');
    await until(() => running.stdout().includes('3-0'), 'the new entry is printed');
    await add('events', '4-0', '5-0');
    await until(() => running.stdout().includes('5-0'), 'the next ones are printed');

    expect(await interrupted(running)).toEqual(['2-0', '3-0', '4-0', '5-0']);
    expect((await running.finished).code).toBe(130);
  });

  it('no entry falls between what was there and what comes, nor between two reads', async () => {
    await add('events', '1-0');
    const last = 20_000;
    const running = startStreamlog(['tail', '--from', 'start'], {server});
    for (let id = 2; id <= last; id += 100) {
      await add('events', ...Array.from({length: 100}, (_, index) => `${id + index}-0`).slice(0, last - id + 1));
    }
    await until(() => running.stdout().includes(`"${last}-0"`), 'the last entry is printed');

    expect(await interrupted(running)).toEqual(Array.from({length: last}, (_, index) => `${index + 1}-0`));
  });

  it('what is added while the present is still being printed comes behind it', async () => {
    const pipeline = server.redis.pipeline();
    for (let n = 1; n <= 5_000; n++) pipeline.xadd('events', `${n}-0`, 'value', 'x'.repeat(500));
    await pipeline.exec();
    const running = startStreamlog(['tail', '--from', 'start'], {server});
    running.process.stdout.pause();
    await until(async () => (await pagesRead()) >= 3, 'tail is stuck in the middle of its output');

    await add('events', '6000-0');
    running.process.stdout.resume();
    await until(() => running.stdout().includes('6000-0'), 'the new entry is printed');

    expect(await interrupted(running)).toHaveLength(5_001);
  });

  it('an entry that was added and deleted before is not mistaken for the end', async () => {
    await add('events', '1-0', '9-0');
    await server.redis.xdel('events', '9-0');
    const running = await follow(['-n', '0']);

    await add('events', '10-0');
    await until(() => running.stdout().includes('10-0'), 'the new entry is printed');

    expect(await interrupted(running)).toEqual(['10-0']);
  });

  it('of several streams is merged, each line whole and with its stream', async () => {
    await add('a', '1-0');
    await add('b', '1-1');
    const running = await follow(['--stream', 'a', '--stream', 'b', '--stream', 'a'], 2);

    await add('b', '2-0');
    await until(() => running.stdout().includes('"stream":"b","id":"2-0"'), 'the entry of b is printed');
    await add('a', '3-0');
    await until(() => running.stdout().includes('"stream":"a","id":"3-0"'), 'the entry of a is printed');

    expect(await interrupted(running)).toEqual(['1-0', '1-1', '2-0', '3-0']);
  });

  it('a stream that does not exist yet is waited for, and its first entry is not missed', async () => {
    const running = await follow(['--from', 'end']);
    expect(running.stderr()).toBe('streamlog: there is no stream "events" yet; waiting for it\n');

    await add('events', '1-0');
    await until(() => running.stdout().includes('1-0'), 'the first entry is printed');

    expect(await interrupted(running)).toEqual(['1-0']);
  });

  it('goes on after the stream was deleted and made anew', async () => {
    await add('events', '1-0');
    const running = await follow([]);

    await server.redis.del('events');
    await add('events', '2-0');
    await until(() => running.stdout().includes('2-0'), 'the new entry is printed');

    expect(await interrupted(running)).toEqual(['1-0', '2-0']);
  });
});

describe('how it ends', () => {
  it('quietly with 0 when its reader goes away, also while nothing comes', async () => {
    await add('events', '1-0');

    const {stdout, stderr} = await shell('streamlog tail | head -1; echo "$PIPESTATUS"', {server});

    expect(stdout).toBe('{"stream":"events","id":"1-0","fields":{"n":"1-0"}}\n0\n');
    expect(stderr).toBe('');
  });

  it('with 143 on SIGTERM, even when Redis no longer answers', async () => {
    // Less than what a connection may be silent: the signal ends the reads, not their own limit.
    const running = await follow(['--stream', 'a', '--stream', 'b'], 2, 10_000);
    server.process.kill('SIGSTOP');

    running.process.kill('SIGTERM');

    expect((await running.finished).code).toBe(143);
  });

  it('with 69 when Redis was never there', async () => {
    expect(await streamlog(['tail', '-u', 'redis://127.0.0.1:1'])).toMatchObject({code: 69, stdout: ''});
  });

  it('with 65 when the stream is replaced by something else', async () => {
    const running = await follow([]);

    await server.redis.set('events', 'text');

    expect((await running.finished).code).toBe(65);
  });
});
