import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {LAG_COUNT_LIMIT, lagOf} from '../../src/lib/reports/lag.js';
import {reportStream} from '../../src/lib/reports/stream-report.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {compareStreamIds} from '../../src/lib/stream-id.js';
import {type RedisServer, serverPrograms, startRedis} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {type SeededRandom, seededRandom} from '../support/seeded-random.js';

describe.each(serverPrograms())('the lag of a group on $name', ({program}) => {
  let server: RedisServer;
  let client: StreamClient;
  beforeAll(async () => {
    server = await startRedis({program});
    client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });

  async function fill(stream: string, from: number, to: number): Promise<void> {
    const pipeline = server.redis.pipeline();
    for (let ms = from; ms <= to; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', '1');
    await pipeline.exec();
  }

  /** The lag of every group, by name. */
  async function lags(stream: string): Promise<Record<string, number | string>> {
    const {groups} = await reportStream(client, stream, {nowMs: Date.now()});
    return Object.fromEntries(groups.map(({name, lag, lagExact}) => [name, lagExact ? lag : `at least ${lag}`]));
  }

  /** By reading everything. */
  async function countedLags(stream: string): Promise<Record<string, number>> {
    const ids = (await server.redis.xrange(stream, '-', '+')).map(([id]) => id);
    const groups = await client.groups(stream);
    return Object.fromEntries(
      groups.map(({name, lastDeliveredId}) => [
        name,
        ids.filter((id) => compareStreamIds(id, lastDeliveredId) > 0).length,
      ]),
    );
  }

  const read = (stream: string, group: string, count: number) =>
    server.redis.xreadgroup('GROUP', group, 'w', 'COUNT', count, 'STREAMS', stream, '>');

  it('is right for a group that was made at the start, in the middle, at the end, or beyond', async () => {
    await fill('made', 1, 100);
    for (const [name, id] of Object.entries({start: '0', middle: '40-0', between: '40-5', end: '$', beyond: '500-0'})) {
      await server.redis.xgroup('CREATE', 'made', name, id);
    }
    expect(await lags('made')).toEqual({start: 100, middle: 60, between: 60, end: 0, beyond: 0});
    await read('made', 'middle', 10);
    await fill('made', 101, 110);
    expect(await lags('made')).toEqual({start: 110, middle: 60, between: 70, end: 10, beyond: 0});
  });

  it('is right after entries were deleted, unread, read or pending', async () => {
    await fill('deleted', 1, 100);
    await server.redis.xgroup('CREATE', 'deleted', 'g', '0');
    await read('deleted', 'g', 30);
    await server.redis.xdel('deleted', '10-0', '50-0', '51-0', '100-0');
    expect(await lags('deleted')).toEqual({g: 67});
    await server.redis.xdel('deleted', ...Array.from({length: 100}, (_, index) => `${index + 1}-0`));
    expect(await lags('deleted')).toEqual({g: 0});
    await fill('deleted', 101, 103);
    expect(await lags('deleted')).toEqual({g: 3});
  });

  it('is right after a trim that took unread entries', async () => {
    await fill('trimmed', 1, 100);
    await server.redis.xgroup('CREATE', 'trimmed', 'g', '0');
    await server.redis.xgroup('CREATE', 'trimmed', 'ahead', '80-0');
    await read('trimmed', 'g', 10);
    await server.redis.xtrim('trimmed', 'MAXLEN', 50);
    expect(await lags('trimmed')).toEqual({g: 50, ahead: 20});
    await server.redis.xtrim('trimmed', 'MAXLEN', 0);
    expect(await lags('trimmed')).toEqual({g: 0, ahead: 0});
  });

  it('is right after a group was moved, to wherever', async () => {
    await fill('moved', 1, 50);
    await server.redis.xgroup('CREATE', 'moved', 'g', '0');
    for (const [id, lag] of [
      ['20-0', 30],
      ['0', 50],
      ['$', 0],
      ['49-7', 1],
    ] as const) {
      await server.redis.xgroup('SETID', 'moved', 'g', id);
      expect(await lags('moved'), id).toEqual({g: lag});
    }
  });

  it('is right in a stream that has only been made', async () => {
    await server.redis.xgroup('CREATE', 'new', 'g', '$', 'MKSTREAM');
    expect(await reportStream(client, 'new', {nowMs: 0})).toMatchObject({
      length: 0,
      firstId: null,
      lastId: null,
      firstAgeMs: null,
      groups: [{name: 'g', lag: 0, lagExact: true, behindMs: 0, pending: 0}],
    });
  });

  it('is a bound, and says so, where counting would take too long', async () => {
    await fill('long', 1, LAG_COUNT_LIMIT + 500);
    await server.redis.xgroup('CREATE', 'long', 'g', '100-0');
    await server.redis.xgroup('CREATE', 'long', 'near', '400-0');
    await server.redis.xgroup('CREATE', 'long', 'all', '0');
    await server.redis.xdel('long', '9000-0');
    expect(await lags('long')).toEqual({
      g: `at least ${LAG_COUNT_LIMIT}`,
      near: `at least ${LAG_COUNT_LIMIT}`,
      all: LAG_COUNT_LIMIT + 499,
    });
    await server.redis.xgroup('SETID', 'long', 'near', '500-0');
    expect(await lags('long')).toMatchObject({near: LAG_COUNT_LIMIT - 1});
  });

  it('equals a count by hand whatever happened before', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const random = seededRandom(seed);
      const stream = `random-${seed}`;
      let lastMs = 0;
      for (let step = 0; step < 25; step++) {
        lastMs = await disturb(server, stream, lastMs, random);
        if ((await server.redis.exists(stream)) === 0) continue;
        expect(await lags(stream), JSON.stringify({seed, step})).toEqual(await countedLags(stream));
      }
    }
  });

  it('is shown by info, with all else that is known of a stream', async () => {
    const nowMs = Date.now();
    await server.redis.xadd('shown', `${nowMs - 60_000}-0`, 'n', '1');
    await server.redis.xadd('shown', `${nowMs - 30_000}-0`, 'n', '2');
    await server.redis.xadd('shown', `${nowMs}-0`, 'n', '3');
    await server.redis.xgroup('CREATE', 'shown', 'g', '0');
    await server.redis.xreadgroup('GROUP', 'g', 'w1', 'COUNT', 2, 'STREAMS', 'shown', '>');
    await server.redis.xdel('shown', `${nowMs - 60_000}-0`);
    const {code, stdout} = await streamlog(['info', '-s', 'shown', '--consumers'], {server});
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report).toMatchObject({
      stream: 'shown',
      length: 2,
      firstId: `${nowMs - 30_000}-0`,
      lastId: `${nowMs}-0`,
      lastGeneratedId: `${nowMs}-0`,
      entriesAdded: 3,
      groups: [
        {
          name: 'g',
          consumers: 1,
          pending: 2,
          lag: 1,
          lagExact: true,
          lastDeliveredId: `${nowMs - 30_000}-0`,
          behindMs: 30_000,
          members: [{name: 'w1', pending: 2}],
        },
      ],
    });
    expect(report.bytes).toBeGreaterThan(0);
    expect(report.firstAgeMs).toBeGreaterThanOrEqual(30_000);
    expect(report.firstAgeMs - report.lastAgeMs).toBe(30_000);
  });

  it('is taken as of one moment: a group that has read on meanwhile is not ahead of the stream', async () => {
    await fill('moment', 1, 5);
    await server.redis.xgroup('CREATE', 'moment', 'g', '0');
    const info = await client.info('moment');
    await fill('moment', 6, 9);
    await read('moment', 'g', 9);
    expect(await lagOf(client, 'moment', info, await client.group('moment', 'g'))).toEqual({count: 0, exact: true});
  });
});

/** What happens to a stream and its groups between two looks; returns the time of its last ID. */
async function disturb({redis}: RedisServer, stream: string, lastMs: number, random: SeededRandom): Promise<number> {
  const group = random.pick(['a', 'b', 'c']);
  const somewhere = `${random.below(lastMs + 5)}-${random.below(2)}`;
  if (lastMs === 0 || random.oneIn(4)) {
    const pipeline = redis.pipeline();
    const count = 1 + random.below(10);
    for (let index = 1; index <= count; index++) pipeline.xadd(stream, `${lastMs + index}-0`, 'n', '1');
    await pipeline.exec();
    return lastMs + count;
  }
  await redis.xgroup('CREATE', stream, group, random.oneIn(2) ? '0' : somewhere).catch(() => {});
  const happenings = [
    () => redis.xreadgroup('GROUP', group, 'w', 'COUNT', 1 + random.below(6), 'STREAMS', stream, '>'),
    () => redis.xdel(stream, `${random.below(lastMs) + 1}-0`, `${random.below(lastMs) + 1}-0`),
    () => redis.xtrim(stream, 'MAXLEN', random.below(30)),
    () => redis.xtrim(stream, 'MINID', somewhere),
    () => redis.xgroup('SETID', stream, group, somewhere),
    () => redis.xgroup('DESTROY', stream, group),
  ];
  await random.pick(happenings)();
  return lastMs;
}
