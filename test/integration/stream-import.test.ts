/**
 * Export and import against what Redis itself says of both streams (XINFO STREAM FULL): random histories, on each server and across
 * them, in a cluster, by two at once, and in a server that refuses for a while.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {decodeName} from '../../src/lib/records/names.js';
import type {StreamClient} from '../../src/lib/stream-client.js';
import {fileOf, timesOf, withoutTimes} from '../support/exported.js';
import {longSection} from '../support/handmade-section.js';
import {connectTo, imported} from '../support/importing.js';
import {RandomStream} from '../support/random-stream.js';
import {type RedisServer, serverForAll, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {seededRandom} from '../support/seeded-random.js';
import {type FullInfo, fullInfo} from '../support/stream-facts.js';
import {type RedisCluster, startCluster} from '../support/topologies.js';

const HISTORIES = 25;
const MAX_COUNT = 2n ** 63n - 1n;

/**
 * As another server would have it. From 8.4 on, Redis keeps no count of entries read above that of entries added; a count that has
 * overflowed cannot be set; and the clock may go on between the two commands of an export that tell when an entry was delivered.
 */
function comparable(full: FullInfo): unknown {
  const added = BigInt(full['entries-added'] ?? MAX_COUNT);
  const {groups, ...rest} = withoutTimes(full);
  return {...rest, groups: groups.map((group) => ({...group, 'entries-read': readOf(group['entries-read'], added)}))};
}

function readOf(read: number | string | null, added: bigint): string | undefined {
  if (read === null || BigInt(read) < 0n) return undefined;
  return String(BigInt(read) > added ? added : read);
}

const programs = serverPrograms();
const pairs = programs.flatMap((from) => programs.map((to) => [from.name, to.name, from.program, to.program] as const));

describe.each(pairs)('from %s to %s', (_, name, source, target) => {
  const from = serverForAll({program: source});
  const to = serverForAll({program: target});
  let client: StreamClient;
  beforeAll(async () => {
    client = await connectTo(from.url);
  });
  afterAll(() => client?.close());

  it('a stream of any history comes back as it was', async () => {
    const seen = {gone: 0, pending: 0, large: 0};
    for (let seed = 1; seed <= HISTORIES; seed++) {
      const random = seededRandom(seed * 31 + name.length);
      const key = random.oneIn(3) ? Buffer.from([seed, 0xff, 0x7d]) : Buffer.from(`stream${seed}`);
      await new RandomStream(from.redis, key, random).build(60);
      const file = await fileOf(client, decodeName(key), {page: random.pick([1, 3, 1_000])});

      const [report] = await imported(to.url, file, {}, random.pick([7, 64, 65_536]));

      expect(report, `seed ${seed}`).toMatchObject({state: 'imported', verified: true});
      const [before, after] = await Promise.all([from, to].map(({redis}) => fullInfo(redis, key)));
      expect(comparable(after!), `seed ${seed}`).toEqual(comparable(before!));
      for (const [at, ms] of timesOf(after!).entries())
        expect(Math.abs(ms - timesOf(before!)[at]!), `seed ${seed}`).toBeLessThan(1_000);
      expect((await imported(to.url, file))[0], `seed ${seed}`).toMatchObject({state: 'identical'});
      expect(await to.redis.dbsize()).toBe(seed);
      seen.gone += report!.gone;
      seen.pending += report!.pending;
      seen.large += before!.groups
        .flatMap(({pending}) => pending)
        .filter(([, , , deliveries]) => deliveries.length > 16).length;
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(0);
  });
});

describe('in a cluster', () => {
  let cluster: RedisCluster;
  const source = serverForAll();
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.stop());

  it('the stream and what it is made under are in one slot', async () => {
    const client = await connectTo(source.url);
    for (let seed = 1; seed <= 6; seed++) {
      const key = Buffer.from(['a}b', '{tag}:orders', '{}x', 'plain', '}', 'x{'][seed - 1]!);
      await new RandomStream(source.redis, key, seededRandom(seed)).build(60);
      const file = await fileOf(client, key.toString());

      expect(await imported(cluster.url, file)).toMatchObject([{state: 'imported', verified: true}]);

      const node = await cluster.nodeOf(key.toString());
      const [before, after] = await Promise.all([source, node].map(({redis}) => fullInfo(redis, key)));
      expect(comparable(after!)).toEqual(comparable(before!));
      expect(await imported(cluster.url, file, {mode: 'replace'})).toMatchObject([{state: 'replaced'}]);
    }
    client.close();
  });
});

describe('several imports at once', () => {
  const server = serverForAll();

  it('of one file: one stream, and each says that it is there', async () => {
    const file = Buffer.from(longSection('orders', 4_000));
    for (let round = 0; round < 2; round++) {
      await server.redis.flushall();
      const all = await Promise.all(
        Array.from({length: 4}, (_, n) => imported(server.url, file, {}, 1_000 * (n + 1) ** 3)),
      );

      expect(all.flat().every(({verified}) => verified)).toBe(true);
      expect(await server.redis.keys('*')).toEqual(['orders']);
      expect(await server.redis.xlen('orders')).toBe(3_960);
      const [pending] = (await server.redis.xpending('orders', 'g')) as [number];
      expect(pending).toBe(400);
    }
  });
});

describe('a server that refuses for a while', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server?.stop());

  it('out of memory: waits, and goes on without a gap', async () => {
    const {redis} = server;
    const file = Buffer.from(longSection('orders', 20_000, 200));
    const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1]);
    await redis.config('SET', 'maxmemory', used + 3_000_000);
    const importing = imported(server.url, file);
    await until(async () => /errorstat_OOM:count=[1-9]/.test(await redis.info('errorstats')), 'memory has run out');
    expect(await redis.exists('orders')).toBe(0);
    await redis.config('SET', 'maxmemory', 0);

    expect(await importing).toMatchObject([{state: 'imported', entries: 19_800, pending: 2_000, verified: true}]);
    await redis.flushall();
  });

  it('read-only: the same', async () => {
    const {redis} = server;
    await redis.config('SET', 'min-replicas-to-write', 1);
    const importing = imported(server.url, Buffer.from(longSection('orders', 2_000)));
    await until(async () => /errorstat_NOREPLICAS:count=[1-9]/.test(await redis.info('errorstats')), 'it was refused');
    await redis.config('SET', 'min-replicas-to-write', 0);

    expect(await importing).toMatchObject([{state: 'imported', verified: true}]);
  });
});
