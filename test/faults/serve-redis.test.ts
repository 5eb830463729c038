/**
 * `serve` while its Redis hangs, is full, loads, fails over or loses its
 * connections: the right status at the right time, nothing told that is not
 * so, and no hand needed for things to be well again.
 */
import {describe, expect, it, type TestContext} from 'vitest';
import {readEvents} from '../support/events.js';
import {type Served, serve} from '../support/http.js';
import {freePort, type RedisServer, type ServerOptions, startRedis, until} from '../support/redis-server.js';
import {startSentinelSet} from '../support/topologies.js';
import {Producers, STREAM} from './serve-producers.js';
import {startProxy} from './support/proxy.js';
import {seededRandom} from './support/seed.js';

/** Most of each test is waiting, so they go on side by side, each with servers of its own. */
async function redisOfTest({onTestFinished}: TestContext, options?: ServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(async () => {
    server.process.kill('SIGCONT');
    await server.stop();
  });
  return server;
}

async function servedFor({onTestFinished}: TestContext, url: string, args: string[] = []): Promise<Served> {
  const served = await serve(args, {env: {STREAMLOG_URL: url}});
  onTestFinished(async () => {
    served.process.kill('SIGKILL');
    await served.finished.catch(() => {});
  });
  return served;
}

/** Ends `served` as its operator does. */
async function end(served: Served): Promise<number | null> {
  served.process.kill('SIGTERM');
  return (await served.finished).code;
}

const metric = async (served: Served, name: string): Promise<number> => {
  const text = await (await fetch(`${served.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length),
  );
};
const codeOf = async (response: Response): Promise<[number, string | null, string | undefined]> => {
  const {error} = (await response.json()) as {error?: {code: string}};
  return [response.status, response.headers.get('Retry-After'), error?.code];
};

describe.concurrent('a Redis that hangs', () => {
  it.concurrent('holds up no request for longer than --timeout, and serve is well again when it is', async (context) => {
    const redis = await redisOfTest(context);
    const served = await servedFor(context, redis.url, ['--timeout', '2s']);
    const producers = new Producers(served);
    await producers.send('before', 0);
    redis.process.kill('SIGSTOP');
    // All of them are answered while Redis still hangs.
    await Promise.all([producers.send('a', 0), producers.send('b', 0, 3)]);
    expect(producers.reported.get('unknown_outcome')).toBe(2);
    // Their room is taken until Redis has replied, or is taken for lost.
    expect(await metric(served, 'streamlog_requests_in_flight')).toBe(2);
    await until(async () => (await metric(served, 'streamlog_redis_connected')) === 0, 'it is taken for lost');
    expect(await codeOf(await served.post(`/streams/${STREAM}`, '{"value":"x"}'))).toEqual([
      503,
      '1',
      'redis_unavailable',
    ]);
    redis.process.kill('SIGCONT');
    await until(async () => (await fetch(`${served.url}/readyz`)).ok, 'serve has found it again');
    expect(await producers.send('after', 0)).toBe(201);
    expect(await metric(served, 'streamlog_requests_in_flight')).toBe(0);
    await producers.expectSound(redis);
    expect(await end(served)).toBe(0);
  });

  it.concurrent('gets no more requests than --max-inflight, also when those before were given up', async (context) => {
    const redis = await redisOfTest(context, {tcp: true});
    const proxy = await startProxy(redis);
    context.onTestFinished(() => proxy.stop());
    const served = await servedFor(context, proxy.url, ['--timeout', '200ms', '--max-inflight', '3']);
    redis.process.kill('SIGSTOP');
    const producers = new Producers(served);
    producers.start(8);
    await until(() => (producers.reported.get('redis_unavailable') ?? 0) > 20, 'it is taken for lost');
    await producers.stop();
    expect(producers.reported.get('unknown_outcome')).toBeLessThanOrEqual(
      3 * ((await metric(served, 'streamlog_redis_reconnects_total')) + 1),
    );
    redis.process.kill('SIGCONT');
    let turn = 0;
    await until(async () => (await producers.send('after', turn++)) === 201, 'it is well again');
    await producers.expectSound(redis);
  });
});

describe.concurrent('a Redis that refuses for now', () => {
  it.concurrent('is full under load: what it refuses is not added, and it goes on when there is room', async (context) => {
    const redis = await redisOfTest(context);
    const served = await servedFor(context, redis.url);
    const producers = new Producers(served);
    producers.start(4, (turn) => (turn % 3) + 1);
    await until(() => (producers.reported.get('201') ?? 0) > 50, 'entries arrive');
    await redis.redis.config('SET', 'maxmemory', '1');
    await until(() => (producers.reported.get('redis_refuses') ?? 0) > 20, 'it refuses');
    const readiness = await fetch(`${served.url}/readyz`);
    expect([readiness.status, await readiness.text()]).toEqual([503, expect.stringContaining('(OOM)')]);
    expect(await metric(served, 'streamlog_refusals_total{code="redis_refuses"}')).toBeGreaterThan(20);
    await redis.redis.config('SET', 'maxmemory', '0');
    const before = producers.reported.get('201')!;
    await until(() => producers.reported.get('201')! > before + 50, 'entries arrive again');
    await until(() => served.stderr().includes('accepts entries again (after OOM)'), 'the end is said');
    expect(served.stderr().match(/Redis refuses entries \(OOM\): Redis is out of memory/g)).toHaveLength(1);
    expect((await fetch(`${served.url}/readyz`)).status).toBe(200);
    await producers.stop();
    await producers.expectSound(redis);
    expect([...producers.reported.keys()].sort()).toEqual(['201', 'redis_refuses']);
    expect(await end(served)).toBe(0);
  });

  it.concurrent('is loading its data: 503 with Retry-After until it has', async (context) => {
    const port = await freePort();
    const persistent = ['--port', String(port), '--appendonly', 'yes'];
    const first = await redisOfTest(context, {args: persistent});
    const pipeline = first.redis.pipeline();
    for (let n = 0; n < 9_000; n++) pipeline.set(`key-${n}`, 'x'.repeat(100));
    await pipeline.exec();
    const served = await servedFor(context, `redis://127.0.0.1:${port}`);
    const gone = new Promise((resolve) => first.process.once('exit', resolve));
    first.process.kill('SIGKILL');
    await gone;
    // Some ten seconds, unless it is told to make haste.
    const slow = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'];
    const second = await redisOfTest(context, {args: [...persistent, '--dir', first.directory, ...slow]});
    const producers = new Producers(served);
    producers.start(1);
    await until(() => producers.reported.has('redis_refuses'), 'it says that it loads');
    // The other client waits until it has loaded.
    const hurry = second.redis.duplicate({enableReadyCheck: false});
    await hurry.config('SET', 'key-load-delay', '0');
    hurry.disconnect();
    await until(() => producers.reported.has('201'), 'it has loaded');
    await producers.stop();
    await producers.expectSound(second);
    expect(await end(served)).toBe(0);
  });
});

it.concurrent('a failover by Sentinel is survived: the entries go to the new master, and none is told that is not there', async (context) => {
  const set = await startSentinelSet();
  context.onTestFinished(() => set.stop());
  const served = await servedFor(context, set.url);
  const producers = new Producers(served);
  for (let turn = 0; turn < 50; turn++) expect(await producers.send('before', turn)).toBe(201);
  await until(async () => (await set.replica.redis.xlen(STREAM)) === 50, 'the replica has all of it');
  set.master.process.kill('SIGKILL');
  producers.start(4, (turn) => (turn % 2) + 1);
  await set.untilMasterIs(set.replica);
  const before = producers.reported.get('201')!;
  await until(() => producers.reported.get('201')! > before + 50, 'entries go to the new master');
  await producers.stop();
  await producers.expectSound(set.replica);
  expect((await fetch(`${served.url}/readyz`)).status).toBe(200);
  expect(await end(served)).toBe(0);
});

describe.concurrent('lost connections', () => {
  it.concurrent.for<[name: string, records: (turn: number) => number]>([
    ['one by one', () => 1],
    ['in batches', (turn) => (turn % 7) + 1],
  ])('every 2xx is in the stream once, and nothing that was refused, %s', async ([name, records], context) => {
    const random = seededRandom(`serve under cuts, ${name}`);
    const redis = await redisOfTest(context, {tcp: true});
    const proxy = await startProxy(redis);
    context.onTestFinished(() => proxy.stop());
    const served = await servedFor(context, proxy.url);
    const producers = new Producers(served);
    producers.start(6, records);
    for (let cuts = 0; cuts < 10; cuts++) {
      const added = producers.reported.get('201') ?? 0;
      await until(() => (producers.reported.get('201') ?? 0) > added + 5, 'entries arrive');
      const nth = random.integer(1, 30);
      await (random.chance(0.5)
        ? proxy.cutBefore('xadd', nth)
        : proxy.cutAfter('xadd', nth, {replyBytes: random.pick([0, 1, 10])}));
    }
    const added = producers.reported.get('201')!;
    await until(() => producers.reported.get('201')! > added + 50, 'all is well again');
    await producers.stop();
    await producers.expectSound(redis);
    expect(producers.reported.get('unknown_outcome')).toBeGreaterThan(0);
    expect([...producers.reported.keys()].sort()).toEqual(['201', 'redis_unavailable', 'unknown_outcome']);
    expect(await metric(served, 'streamlog_requests_in_flight')).toBe(0);
    expect(await end(served)).toBe(0);
  });

  it.concurrent('those who read while connections are lost get every entry once, in order', async (context) => {
    const redis = await redisOfTest(context, {tcp: true});
    const proxy = await startProxy(redis);
    context.onTestFinished(() => proxy.stop());
    const served = await servedFor(context, proxy.url, ['--allow-read', STREAM]);
    const events = await readEvents(`${served.url}/streams/${STREAM}/entries`);
    await until(() => events.events().length > 0, 'the events begin');
    const producers = new Producers(served);
    producers.start(3);
    for (let cuts = 0; cuts < 5; cuts++) {
      const added = producers.reported.get('201') ?? 0;
      await until(() => (producers.reported.get('201') ?? 0) > added + 20, 'entries arrive');
      proxy.cut();
    }
    const added = producers.reported.get('201') ?? 0;
    await until(() => (producers.reported.get('201') ?? 0) > added + 20, 'entries arrive');
    await producers.stop();
    const stored = ((await redis.redis.xrange(STREAM, '-', '+')) as [string, string[]][]).map(([id]) => id);
    await until(() => events.records().at(-1)?.id === stored.at(-1), 'the reader has caught up');
    expect(events.records().map(({id}) => id)).toEqual(stored);
    await producers.expectSound(redis);
    expect(await end(served)).toBe(0);
    await events.ended;
  });
});
