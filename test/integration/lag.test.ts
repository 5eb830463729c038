import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {seekGroup} from '../../src/lib/groups/group-position.js';
import {compareStreamIds} from '../../src/lib/records/stream-id.js';
import {COUNT_LIMITS, entriesBehind, entriesBetween} from '../../src/lib/reports/entries-behind.js';
import {lagOf, lagsOf} from '../../src/lib/reports/lag.js';
import {firstUnread} from '../../src/lib/reports/oldest-unread.js';
import {reportStream} from '../../src/lib/reports/stream-report.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {type RedisServer, serverForAll, serverPrograms} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {type SeededRandom, seededRandom} from '../support/seeded-random.js';

describe.each(serverPrograms())('the lag of a group on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;
  beforeAll(async () => {
    client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
  });
  afterAll(async () => {
    client?.close();
  });

  async function fill(stream: string, from: number, to: number): Promise<void> {
    const pipeline = server.redis.pipeline();
    for (let ms = from; ms <= to; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', '1');
    await pipeline.exec();
  }

  /** The lag of every group, by name. */
  async function lags(stream: string): Promise<Record<string, number | string>> {
    const {groups} = await reportStream(client, stream, {nowMs: Date.now()});
    return Object.fromEntries(
      groups.map(({name, lag, lagExact, lagAtLeast}) => [name, lagExact ? lag : `at least ${lagAtLeast}`]),
    );
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

  it('is counted up to the limit to the very entry, and a bound beyond it', async () => {
    const limit = COUNT_LIMITS.entries;
    const last = 2 * limit + 500;
    await fill('long', 1, last);
    await server.redis.xdel('long', `${last - 5}-0`);
    const unread = {fewer: limit - 1, limit, more: limit + 1, middle: limit + 200};
    for (const [name, count] of Object.entries(unread)) {
      await server.redis.xgroup('CREATE', 'long', name, `${last - count - 1}-0`);
    }
    expect(await lags('long')).toEqual({
      fewer: limit - 1,
      limit,
      more: `at least ${limit + 1}`,
      middle: `at least ${limit + 1}`,
    });
  });

  it('is counted from the start of the stream where that is nearer', async () => {
    const limit = COUNT_LIMITS.entries;
    await fill('early', 1, 2 * limit + 600);
    await server.redis.xgroup('CREATE', 'early', 'limit', `${limit}-0`);
    await server.redis.xgroup('CREATE', 'early', 'beyond', `${limit + 1}-0`);
    await server.redis.xgroup('CREATE', 'early', 'between', '100-5');
    await server.redis.xgroup('CREATE', 'early', 'first', '1-0');
    expect(await lags('early')).toEqual({
      limit: limit + 600,
      beyond: `at least ${limit + 1}`,
      between: 2 * limit + 500,
      first: 2 * limit + 599,
    });
  });

  it("is Redis' own figure where that can be, on a stream that was trimmed, with bounds around it", async () => {
    await fill('trimmed long', 1, 60_000);
    await server.redis.xgroup('CREATE', 'trimmed long', 'g', '0');
    await server.redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 30_000, 'NOACK', 'STREAMS', 'trimmed long', '>');
    await server.redis.xtrim('trimmed long', 'MAXLEN', 45_000);
    const {groups} = await reportStream(client, 'trimmed long', {nowMs: 0});
    const [{lagAtLeast, lagAtMost, ...facts}] = groups as [(typeof groups)[0]];
    expect(facts).toMatchObject({lag: 30_000, lagExact: false, lagSource: 'redis'});
    expect(lagAtLeast).toBeGreaterThanOrEqual(10_000);
    expect(lagAtMost).toBeLessThanOrEqual(35_000);
  });

  it('is estimated between its bounds where Redis has no figure', async () => {
    await fill('no figure', 1, 60_000);
    await server.redis.xgroup('CREATE', 'no figure', 'g', '20000-0');
    const {groups} = await reportStream(client, 'no figure', {nowMs: 0});
    expect(groups[0]).toMatchObject({lagExact: false, lagSource: 'bound'});
    expect(Math.abs(groups[0]!.lag - 40_000)).toBeLessThan(500);
  });

  it.each([
    ['more than there ever was', '2-0', 100],
    ['as if all were read', '1-0', 3],
    ['as if nothing were', '2-0', 0],
    ['at the end', '3-0', 1],
  ])('is not what ENTRIESREAD claims: %s', async (about, id, entriesRead) => {
    await fill(about, 1, 3);
    await server.redis.call('XGROUP', 'CREATE', about, 'g', id, 'ENTRIESREAD', String(entriesRead));
    const unread = 3 - Number.parseInt(id, 10);
    expect(await lags(about)).toEqual({g: unread});
    const {groups} = await reportStream(client, about, {nowMs: 0});
    expect(groups[0]).toMatchObject({lagAtLeast: unread, lagAtMost: unread});
  });

  it('takes no claim for an estimate that its bounds rule out', async () => {
    await fill('claims', 1, 500);
    for (const claim of [0, 100, 250, 499, 500, 2_000]) {
      await server.redis.call('XGROUP', 'DESTROY', 'claims', 'g');
      await server.redis.call('XGROUP', 'CREATE', 'claims', 'g', '250-0', 'ENTRIESREAD', String(claim));
      const info = await client.info('claims');
      const [lag] = await lagsOf(client, 'claims', info, await client.groups('claims'), {entries: 50, bytes: 1e6});
      expect(lag!.exact, String(claim)).toBe(false);
      expect(lag!.atLeast, String(claim)).toBeLessThanOrEqual(250);
      expect(lag!.atMost, String(claim)).toBeGreaterThanOrEqual(250);
      const possible = 500 - claim >= lag!.atLeast && 500 - claim <= lag!.atMost;
      expect([lag!.source, lag!.count], String(claim)).toEqual(possible ? ['redis', 500 - claim] : ['bound', 250]);
    }
  });

  it('of a group that is moved is not estimated by what Redis counted where it stood', async () => {
    const add = "for i = 1, 30000 do redis.call('XADD', KEYS[1], i .. '-0', 'n', '1') end";
    await server.redis.eval(add, 1, 'seek');
    await server.redis.xgroup('CREATE', 'seek', 'g', '0');
    await read('seek', 'g', 12_000);
    const to = {kind: 'id', id: '18001-0'} as const;
    const {result} = await seekGroup(client, 'seek', 'g', {to, dryRun: true, nowMs: Date.now()});
    expect(result.after).toMatchObject({lagExact: false, lagSource: 'bound'});
    expect(Math.abs(result.after.lag - 12_000)).toBeLessThan(100);
  });

  it('does not read many bytes to count, and reads them once for all groups', async () => {
    const pipeline = server.redis.pipeline();
    for (let ms = 1; ms <= 400; ms++) pipeline.xadd('wide', `${ms}-0`, 'n', 'x'.repeat(100_000));
    for (let group = 0; group < 40; group++) pipeline.xgroup('CREATE', 'wide', `g${group}`, `${40 + group}-0`);
    await pipeline.exec();
    const sent = async (): Promise<number> =>
      Number(/total_net_output_bytes:(\d+)/.exec(String(await server.redis.info('stats')))![1]);
    const before = await sent();
    const {groups} = await reportStream(client, 'wide', {nowMs: 0});
    expect((await sent()) - before).toBeLessThan(24_000_000);
    for (const [index, {lagAtLeast, lagAtMost}] of groups.entries()) {
      const truth = 400 - 40 - Number(groups[index]!.name.slice(1));
      expect(lagAtLeast).toBeLessThanOrEqual(truth);
      expect(lagAtMost).toBeGreaterThanOrEqual(truth);
    }
  });

  it('equals a count by hand whatever happened before, and lies between its bounds when little may be counted', async () => {
    for (let seed = 1; seed <= 15; seed++) {
      const random = seededRandom(seed);
      const stream = `random-${seed}`;
      let lastMs = 0;
      for (let step = 0; step < 25; step++) {
        lastMs = await disturb(server, stream, lastMs, random);
        if ((await server.redis.exists(stream)) === 0) continue;
        const about = JSON.stringify({seed, step});
        const truth = await countedLags(stream);
        expect(await lags(stream), about).toEqual(truth);
        const info = await client.info(stream);
        const groups = await client.groups(stream);
        const limits = {entries: random.below(8), bytes: random.oneIn(4) ? 3 : 1_000};
        for (const [index, lag] of (await lagsOf(client, stream, info, groups, limits)).entries()) {
          const unread = truth[groups[index]!.name]!;
          expect(lag.atLeast, about).toBeLessThanOrEqual(unread);
          expect(lag.atMost, about).toBeGreaterThanOrEqual(unread);
          expect(lag.count, about).toBeGreaterThanOrEqual(lag.atLeast);
          expect(lag.count, about).toBeLessThanOrEqual(lag.atMost);
          expect(lag.exact, about).toBe(lag.atLeast === lag.atMost);
        }
        const ids = (await server.redis.xrange(stream, '-', '+')).map(([id]) => id);
        for (const each of [limits, undefined]) {
          const positions = groups.map(({lastDeliveredId}) => lastDeliveredId);
          const unread = await firstUnread(
            client,
            stream,
            info,
            await entriesBehind(client, stream, info, positions, each),
          );
          for (const id of positions) {
            const first = ids.find((entryId) => compareStreamIds(entryId, id) > 0);
            expect(unread.get(id), `${about} ${id}`).toBe(first ?? null);
          }
        }
        const [low, high] = [`${random.below(lastMs + 3)}-0`, `${random.below(lastMs + 3)}-1`];
        const behind = await entriesBehind(client, stream, info, [low, high], limits);
        const between = await entriesBetween(client, stream, behind, low, high, limits);
        const inside = ids.filter((id) => compareStreamIds(id, low) > 0 && compareStreamIds(id, high) <= 0).length;
        expect(between.atLeast, about).toBeLessThanOrEqual(inside);
        expect(between.atMost, about).toBeGreaterThanOrEqual(inside);
      }
    }
  });

  it('is no exact figure when entries in front of it went while they were counted', async () => {
    await fill('meanwhile', 1, 100);
    const info = await client.info('meanwhile');
    await server.redis.xtrim('meanwhile', 'MAXLEN', 90);
    const behind = await entriesBehind(client, 'meanwhile', info, ['20-0'], {entries: 30, bytes: 1e6});
    expect(behind.get('20-0')).toMatchObject({atMost: 90});
    expect(behind.get('20-0')!.atLeast).toBeLessThanOrEqual(80);
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
          behindMs: report.lastAgeMs,
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
    expect(await lagOf(client, 'moment', info, await client.group('moment', 'g'))).toMatchObject({
      count: 0,
      exact: true,
    });
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
  // Redis before 7.0 does not know the word; a claim may be anything.
  const claim = random.oneIn(2) ? ['ENTRIESREAD', String(random.below(lastMs + 20))] : [];
  await redis.call('XGROUP', 'CREATE', stream, group, random.oneIn(2) ? '0' : somewhere, ...claim).catch(() => {});
  const happenings = [
    () => redis.xreadgroup('GROUP', group, 'w', 'COUNT', 1 + random.below(6), 'STREAMS', stream, '>'),
    () => redis.xdel(stream, `${random.below(lastMs) + 1}-0`, `${random.below(lastMs) + 1}-0`),
    () => redis.xtrim(stream, 'MAXLEN', random.below(30)),
    () => redis.xtrim(stream, 'MINID', somewhere),
    () => redis.call('XGROUP', 'SETID', stream, group, somewhere, ...claim),
    () => redis.xack(stream, group, somewhere),
    () => redis.xgroup('DESTROY', stream, group),
  ];
  await random.pick(happenings)();
  return lastMs;
}
