/** `streamlog group gc`: dead consumers go, and nothing that is pending goes with them. */
import {afterEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, serverPrograms, until} from '../support/redis-server.js';
import {type Finished, startStreamlog, streamlog} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';

interface Fate {
  consumer: string;
  moved: number;
  gone: number;
  removed: boolean;
  kept: string | null;
}

const fates = ({stdout}: Finished): Record<string, Fate> =>
  Object.fromEntries(jsonLines<Fate>(stdout).map((fate) => [fate.consumer, fate]));

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});

  afterEach(() => server.redis.flushall());

  const gc = (...args: string[]): Promise<Finished> => streamlog(['group', 'gc', ...args], {server});

  /** `count` more entries, pending with `consumer`. */
  async function deliver(count: number, consumer: string): Promise<void> {
    await server.redis.xgroup('CREATE', 'events', 'streamlog', '0', 'MKSTREAM').catch(() => {});
    for (let left = count; left > 0; left -= 10_000) {
      const pipeline = server.redis.pipeline();
      for (let n = 0; n < Math.min(left, 10_000); n++) pipeline.xadd('events', '*', 'n', n);
      await pipeline.exec();
    }
    await server.redis.xreadgroup('GROUP', 'streamlog', consumer, 'COUNT', count, 'STREAMS', 'events', '>');
  }
  const infos = async (): Promise<Record<string, number>> => {
    const all = (await server.redis.xinfo('CONSUMERS', 'events', 'streamlog')) as unknown[][];
    return Object.fromEntries(
      all.map((flat) => [flat[flat.indexOf('name') + 1], flat[flat.indexOf('pending') + 1]]),
    ) as Record<string, number>;
  };
  /** Waits until all consumers have been idle for so long. */
  const idleFor = (ms: number): Promise<void> =>
    until(async () => {
      const all = (await server.redis.xinfo('CONSUMERS', 'events', 'streamlog')) as unknown[][];
      return all.every((flat) => Number(flat[flat.indexOf('idle') + 1]) >= ms);
    }, 'all have been idle for long enough');

  it('removes who is idle and has nothing pending, and says why the others stay', async () => {
    await deliver(2, 'busy');
    await server.redis.xgroup('CREATECONSUMER', 'events', 'streamlog', 'empty');
    await idleFor(20);
    const early = await gc('--idle', '1h');
    expect(fates(early)).toMatchObject({busy: {kept: 'active'}, empty: {kept: 'active'}});

    const dry = await gc('--idle', '20ms', '--dry-run');
    expect(fates(dry)).toMatchObject({busy: {kept: 'pending'}, empty: {kept: null, removed: false}});
    expect(dry.stderr).toBe('streamlog: would remove 1 of 2 consumers\n');
    expect(await infos()).toEqual({busy: 2, empty: 0});

    const done = await gc('--idle', '20ms');
    expect(fates(done)).toMatchObject({busy: {kept: 'pending', removed: false}, empty: {kept: null, removed: true}});
    expect(done.stderr).toBe('streamlog: removed 1 of 2 consumers\n');
    expect(await infos()).toEqual({busy: 2});
  });

  it('--to hands everything over first, in many steps, and the new owner gets it when it starts', async () => {
    await deliver(1_234, 'pod-1');
    await deliver(3, 'pod-2');
    await idleFor(1);
    const dry = await gc('--idle', '1ms', '--to', 'w1', '--dry-run');
    expect(fates(dry)).toMatchObject({'pod-1': {moved: 1_234, removed: false, kept: null}});
    const done = await gc('--idle', '1ms', '--to', 'w1');
    expect(done.code).toBe(0);
    expect(fates(done)).toMatchObject({
      'pod-1': {moved: 1_234, removed: true, kept: null},
      'pod-2': {moved: 3, removed: true, kept: null},
    });
    expect(done.stderr).toBe('streamlog: removed 2 of 2 consumers, handed over 1237 entries\n');
    expect(await infos()).toEqual({w1: 1_237});
    const counts = (await server.redis.xpending('events', 'streamlog', '-', '+', 2_000)) as [
      string,
      string,
      number,
      number,
    ][];
    expect(new Set(counts.map(([, , , deliveries]) => deliveries))).toEqual(new Set([1]));
    const next = await streamlog(['consume', '--name', 'w1', '--exit', '-f', '%o\\n'], {server});
    expect(next.stdout.trim().split('\n')).toHaveLength(1_237);
  });

  it('the consumer that gets the entries stays, and one that waits for entries still gets them', async () => {
    await deliver(1, 'pod-1');
    const worker = startStreamlog(['consume', '--name', 'w1', '--ack', 'none', '-f', '%f{n}\\n'], {server});
    try {
      await until(async () => 'w1' in (await infos()), 'w1 has joined');
      await server.redis.xgroup('CREATECONSUMER', 'events', 'streamlog', 'w2');
      await idleFor(1);
      const done = await gc('--idle', '1ms', '--to', 'w2');
      expect(fates(done)).toMatchObject({'pod-1': {removed: true}, w2: {kept: 'heir', removed: false}});
      await server.redis.xadd('events', '*', 'n', 'next');
      await until(() => worker.stdout() === 'next\n', 'the worker gets the next entry');
      expect(await infos()).toEqual({w1: 1, w2: 1});
    } finally {
      worker.process.kill('SIGTERM');
      await worker.finished;
    }
  });

  it('hands over at most 100 entries at a time, so that others are served in between', async () => {
    await deliver(10_000, 'pod-1');
    await idleFor(1);
    await server.redis.config('RESETSTAT');
    const done = await gc('--idle', '1ms', '--to', 'w1');
    expect(fates(done)).toMatchObject({'pod-1': {moved: 10_000, removed: true}});
    const stats = await server.redis.info('commandstats');
    expect(Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1])).toBeGreaterThanOrEqual(100);
  });

  it('lists the consumers once, however many there are', async () => {
    await deliver(1, 'pod-1');
    const pipeline = server.redis.pipeline();
    for (let n = 0; n < 300; n++) pipeline.xgroup('CREATECONSUMER', 'events', 'streamlog', `c${n}`);
    await pipeline.exec();
    await idleFor(1);
    await server.redis.config('RESETSTAT');
    const done = await gc('--idle', '1ms', '--to', 'w1');
    expect(done.stderr).toBe('streamlog: removed 301 of 301 consumers, handed over 1 entries\n');
    const stats = await server.redis.info('commandstats');
    expect(/cmdstat_xinfo\|consumers:calls=(\d+)/.exec(stats)?.[1]).toBe('1');
  });

  it('does not say that it has handed over what is no longer in the stream', async () => {
    await deliver(3, 'pod-1');
    const [first] = await server.redis.xrange('events', '-', '+', 'COUNT', 1);
    await server.redis.xdel('events', first![0]);
    await idleFor(1);
    const done = await gc('--idle', '1ms', '--to', 'w1');
    expect(fates(done)).toMatchObject({'pod-1': {pending: 3, moved: 2, gone: 1, removed: true}});
    expect(done.stderr).toBe(
      'streamlog: removed 1 of 1 consumers, handed over 2 entries, acknowledged 1 that are no longer in the stream\n',
    );
  });

  it('stops between two steps at the first signal, and a second run goes on', async () => {
    await deliver(50_000, 'pod-1');
    await idleFor(1);
    const running = startStreamlog(['group', 'gc', '--idle', '1ms', '--to', 'w1'], {server});
    await until(async () => ((await infos()).w1 ?? 0) > 0, 'some were handed over');
    running.process.kill('SIGINT');
    const stopped = await running.finished;
    const {'pod-1': left = 0, w1 = 0} = await infos();
    expect(left + w1).toBe(50_000);
    if (left > 0) {
      expect(stopped.code).toBe(130);
      expect(fates(stopped)).toMatchObject({'pod-1': {moved: w1, removed: false, kept: 'interrupted'}});
    }
    await idleFor(1);
    await gc('--idle', '1ms', '--to', 'w1');
    expect(await infos()).toEqual({w1: 50_000});
  });

  it('on a terminal is a table', async () => {
    await deliver(1, 'pod-1');
    await idleFor(1);
    const {code, text} = await onTerminal(['group', 'gc', '--idle', '1ms'], {server});
    expect(code).toBe(0);
    expect(text).toMatch(/pod-1 .* kept: has pending entries \(see --to\)/);
  });

  it('a group that is not there is a failure', async () => {
    await deliver(1, 'w1');
    expect((await gc('biling', '--idle', '1h')).code).toBe(66);
    expect((await gc()).code).toBe(2);
  });
});
