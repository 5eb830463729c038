/** `copy` through cuts, kills, failovers and refusals, on both sides; test/soak/copy.soak.ts has more of each. */
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it, type TestContext} from 'vitest';
import {type CopyScene, cutCopy, startCopyScene} from '../soak/copy-cuts.js';
import {type RedisServer, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {type Running, startStreamlog, streamlog} from '../support/run-cli.js';
import {NEVER_DEMOTED, startCluster, startSentinelSet} from '../support/topologies.js';
import {seededRandom} from './support/seed.js';

const STREAM = 'orders';
const GOOD = {lost: 0, twice: 0, different: 0, outOfOrder: 0};

let scene: CopyScene;
beforeAll(async () => {
  scene = await startCopyScene();
});
afterAll(() => scene?.stop());

async function started(
  {onTestFinished}: TestContext,
  options: Parameters<typeof startRedis>[0] = {},
): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

function mirror({onTestFinished}: TestContext, from: string, to: string, ...flags: string[]): Running {
  const running = startStreamlog(['copy', STREAM, '-u', from, '--to-url', to, '--follow', ...flags], {
    limitMs: 110_000,
  });
  onTestFinished(() => {
    running.process.kill('SIGKILL');
  });
  return running;
}

/** As kill -9 and a restart: what was not saved is lost. */
async function crash({redis}: RedisServer): Promise<void> {
  // A client that would send it again would have it crash again.
  const once = redis.duplicate({retryStrategy: () => null, maxRetriesPerRequest: 0});
  await once.call('DEBUG', 'CRASH-AND-RECOVER').catch(() => {});
  once.disconnect();
}

/** Numbered entries, each `everyMs`, until it is stopped; how many there were. */
function feed({redis}: RedisServer, everyMs = 2): {stop(): Promise<number>} {
  let count = 0;
  let isStopped = false;
  const done = (async () => {
    for (; !isStopped; count++) {
      await redis.xadd(STREAM, '*', 'n', String(count));
      await sleep(everyMs);
    }
    return count;
  })();
  // A test that fails ends its server under it.
  done.catch(() => {});
  return {
    stop: () => {
      isStopped = true;
      return done;
    },
  };
}

async function expectEqual(source: RedisServer, target: RedisServer, running: Running): Promise<void> {
  const [newest] = await source.redis.xrevrange(STREAM, '+', '-', 'COUNT', 1);
  await until(
    async () => {
      if (running.process.exitCode !== null)
        throw new Error(`it ended with ${running.process.exitCode}: ${running.stderr()}`);
      const [last] = await target.redis.xrevrange(STREAM, '+', '-', 'COUNT', 1).catch(() => []);
      return last?.[0] === newest![0];
    },
    'everything is copied',
    60_000,
  );
  running.process.kill('SIGTERM');
  expect((await running.finished).code).toBe(143);
  expect(await target.redis.xrange(STREAM, '-', '+')).toEqual(await source.redis.xrange(STREAM, '-', '+'));
}

describe('a mirror', () => {
  it.each([1, 2, 3, 4])('F1 F2 F3 F32: has each entry once and in order, through cuts and kills (%i)', async (n) => {
    const random = seededRandom(`copy ${n}`);
    const found = await cutCopy(random, scene, {entries: 8_000, cuts: 25, kills: 2, trims: n % 2 === 0});
    expect(found).toMatchObject(GOOD);
    expect(found.cuts).toBeGreaterThan(2);
  });

  it.each([1, 2])('F1 F2 F3 F32: has each entry once under new IDs, through cuts and kills (%i)', async (n) => {
    const random = seededRandom(`copy, new IDs ${n}`);
    const flags = ['--new-ids'];
    const found = await cutCopy(random, scene, {entries: 8_000, cuts: 25, kills: 2, trims: n % 2 === 0, flags});
    expect(found).toMatchObject(GOOD);
  });

  it('F25: goes on at the new master of its target, and copies again what that lacks', async (context) => {
    const source = await started(context);
    const set = await startSentinelSet({replicas: 2, sentinels: 3, masterArgs: NEVER_DEMOTED});
    context.onTestFinished(() => set.stop());
    const feeding = feed(source);
    const running = mirror(context, source.url, set.url);
    await until(async () => (await set.master.redis.xlen(STREAM)) > 200, 'it is at work');
    // What the old master takes from now on is lost with it.
    for (const {redis} of set.replicas) await redis.call('REPLICAOF', '127.0.0.1', '1');
    const before = await set.master.redis.xlen(STREAM);
    await until(async () => (await set.master.redis.xlen(STREAM)) > before + 200, 'some are only there');
    set.master.process.kill('SIGSTOP');
    context.onTestFinished(() => {
      set.master.process.kill('SIGCONT');
    });
    const master = await set.untilMasterIsNot(set.master);
    await until(async () => (await master.redis.xlen(STREAM)) > before + 400, 'it has gone on');
    await feeding.stop();
    await expectEqual(source, master, running);
    expect(running.stderr()).toMatch(/lacks what was copied after \d+-\d+, as after a failover; copying it again/);
  });

  it('F4 F6: copies again what its target has lost in a crash', async (context) => {
    const source = await started(context);
    const target = await started(context);
    const feeding = feed(source);
    const running = mirror(context, source.url, target.url);
    for (let n = 1; n <= 2; n++) {
      const at = await target.redis.xlen(STREAM).catch(() => 0);
      await until(async () => (await target.redis.xlen(STREAM)) > at + 150, 'it is at work');
      await target.redis.save();
      const saved = await target.redis.xlen(STREAM);
      await until(async () => (await target.redis.xlen(STREAM)) > saved + 150, 'some are not on the disk');
      await crash(target);
    }
    await feeding.stop();
    await expectEqual(source, target, running);
    expect(running.stderr()).toMatch(/lacks what was copied after \d+-\d+, as after a failover; copying it again/);
  });

  it.each([
    ['goes on where its source has lost what was copied, and keeps that', '*', 143],
    ['ends where its source gives IDs again, for other entries', undefined, 65],
  ] as const)('F4: %s', async (_, id, expected) => {
    const {source, target} = scene;
    await Promise.all([source.redis.flushall(), target.redis.flushall()]);
    const add = async (from: number, to: number): Promise<void> => {
      for (let n = from; n <= to; n++) await source.redis.xadd(STREAM, '*', 'n', String(n));
    };
    const copied = (count: number): Promise<void> =>
      until(async () => (await target.redis.xlen(STREAM)) === count, `${count} are copied`);
    await add(1, 100);
    const running = startStreamlog(['copy', STREAM, '-u', source.url, '--to-url', target.url, '--follow']);
    try {
      await copied(100);
      await source.redis.save();
      await add(101, 200);
      await copied(200);
      const [, lost] = (await source.redis.xrange(STREAM, '-', '+', 'COUNT', 102)).slice(-2).map(([each]) => each);
      await crash(source);
      await until(() => running.stderr().includes('lacks what was copied after'), 'it notices');
      await source.redis.xadd(STREAM, id ?? lost!, 'n', '201');
      if (expected === 143) {
        await copied(201);
        running.process.kill('SIGTERM');
      }
      const {code, stderr} = await running.finished;
      expect(code, stderr).toBe(expected);
      const numbers = (await target.redis.xrange(STREAM, '-', '+')).map(([, [, n]]) => Number(n));
      expect(numbers).toEqual(Array.from({length: expected === 143 ? 201 : 200}, (_, at) => at + 1));
    } finally {
      running.process.kill('SIGKILL');
    }
  });

  it('F12 F16: never leaves an entry out when its target refuses in the middle of a batch', async (context) => {
    const source = await started(context);
    const target = await started(context, {args: ['--lua-time-limit', '1']});
    const {redis} = target;
    const text = 'x'.repeat(500);
    const pipeline = source.redis.pipeline();
    for (let n = 0; n < 5_000; n++) pipeline.xadd(STREAM, '*', 'n', String(n), 'text', text);
    const last = (await pipeline.exec())!.at(-1)![1];
    const running = mirror(context, source.url, target.url);
    // OOM that comes and goes between two commands, and BUSY for some milliseconds.
    const busy =
      "local t = redis.call('TIME') local e = t[1] * 1e6 + t[2] + 3000 repeat t = redis.call('TIME') until t[1] * 1e6 + t[2] > e";
    const newest = async (): Promise<unknown> => (await redis.xrevrange(STREAM, '+', '-', 'COUNT', 1))[0]?.[0];
    while ((await newest()) !== last) {
      for (let n = 0; n < 20; n++) {
        await redis.config('SET', 'maxmemory', '1');
        await redis.config('SET', 'maxmemory', '0');
      }
      await redis.eval(busy, 0);
    }
    await expectEqual(source, target, running);
  });

  it('F28 F29: from a cluster and to one, while slots move', async (context) => {
    const cluster = await startCluster();
    context.onTestFinished(() => cluster.stop());
    const source = await started(context);
    const feeding = feed(source);
    const running = mirror(context, source.url, cluster.url);
    const home = await cluster.nodeOf(STREAM);
    await until(async () => (await home.redis.xlen(STREAM)) > 100, 'it is at work');
    const other = cluster.nodes.find((node) => node !== home)!;
    await cluster.moveSlot(STREAM, other);
    await until(async () => (await other.redis.xlen(STREAM)) > 300, 'it has gone on');
    await feeding.stop();
    await expectEqual(source, other, running);
    const back = await started(context);
    const {code, stderr} = await streamlog(['copy', STREAM, '-u', cluster.url, '--to-url', back.url]);
    expect([code, stderr]).toEqual([0, '']);
    expect(await back.redis.xrange(STREAM, '-', '+')).toEqual(await source.redis.xrange(STREAM, '-', '+'));
  });

  it('F10: leaves a server that says nothing, and goes on when it speaks', async (context) => {
    const source = await started(context);
    const target = await started(context);
    const feeding = feed(source);
    const running = mirror(context, source.url, target.url, '--silence', '300ms', '--connect-timeout', '300ms');
    await until(async () => (await target.redis.xlen(STREAM)) > 50, 'it is at work');
    for (const {process} of [target, source]) {
      process.kill('SIGSTOP');
      const lines = running.stderr().length;
      await until(() => running.stderr().length > lines, 'it says so');
      process.kill('SIGCONT');
    }
    const length = await target.redis.xlen(STREAM);
    await until(async () => (await target.redis.xlen(STREAM)) > length + 50, 'it has gone on');
    await feeding.stop();
    await expectEqual(source, target, running);
  });
});

it('goes from server to server, of whatever kind', async (context) => {
  const servers = await Promise.all(serverPrograms().map(({program}) => started(context, {program})));
  const first = servers[0]!;
  for (let n = 1; n <= 500; n++) await first.redis.xadd(STREAM, `${n}-1`, 'n', String(n));
  for (const [at, server] of servers.entries()) {
    const next = servers[(at + 1) % servers.length]!;
    const args = at === servers.length - 1 ? ['--to', 'round'] : [];
    const {code, stderr} = await streamlog(['copy', STREAM, '-u', server.url, '--to-url', next.url, ...args]);
    expect([code, stderr]).toEqual([0, '']);
  }
  expect(await first.redis.xrange('round', '-', '+')).toEqual(await first.redis.xrange(STREAM, '-', '+'));
});
