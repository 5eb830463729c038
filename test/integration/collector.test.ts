/**
 * The collector against what counting gives: random histories on real servers, a user who may only read, clusters, sentinels and replicas.
 */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Collector} from '../../src/lib/observe/collector.js';
import type {GroupFacts, Snapshot, StreamFacts} from '../../src/lib/observe/snapshot.js';
import {snapshots, snapshotWithRates} from '../../src/lib/observe/snapshots.js';
import {compareStreamIds, millisecondsOf} from '../../src/lib/records/stream-id.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {type RedisServer, serverForAll, serverPrograms, startRedis} from '../support/redis-server.js';
import {type SeededRandom, seededRandom} from '../support/seeded-random.js';
import {startCluster, startSentinelSet} from '../support/topologies.js';

const connect = (url: string): Promise<StreamClient> => StreamClient.connect({url, connectTimeoutMs: 4_000});
/** Long enough for everything to be read each time. */
const OFTEN = 60_000;

const streamOf = ({streams}: Snapshot, name: string): StreamFacts => streams.find(({stream}) => stream === name)!;
const groupOf = (snapshot: Snapshot, name: string, group: string): GroupFacts =>
  streamOf(snapshot, name).groups!.find((facts) => facts.group === group)!;

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;
  beforeAll(async () => {
    client = await connect(server.url);
  });
  afterAll(async () => {
    client?.close();
  });

  it('lags, ages and pending entries are what counting gives, or true bounds, after any history', async () => {
    const shown = {exact: 0, inexact: 0, ages: 0};
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed);
      const stream = `random${seed}`;
      // One counts what it likes, the other has hardly anything but earlier readings.
      const collectors = [OFTEN, 0.01].map((everyMs) => new Collector({streams: [stream], everyMs}));
      let lastMs = 100;
      for (let step = 0; step < 60; step++) {
        lastMs = await happen(server, random, stream, lastMs);
        for (const collector of collectors) {
          const snapshot = await collector.read(client);
          if (snapshot.streams.length === 0) continue;
          await check(server, snapshot, stream, shown, `seed ${seed}, step ${step}`);
        }
      }
    }
    // What is never exact would pass the rest.
    expect(shown.exact).toBeGreaterThan(shown.inexact * 3);
    expect(shown.ages).toBeGreaterThan(500);
  });

  it('a lag is carried forward without counting while a group stands still', async () => {
    const add = async (from: number, to: number): Promise<void> => {
      const pipeline = server.redis.pipeline();
      for (let ms = from; ms <= to; ms++) pipeline.xadd('carried', `${ms}-0`, 'n', '1');
      await pipeline.exec();
    };
    await add(1, 1_000);
    await server.redis.xgroup('CREATE', 'carried', 'g', '400-0');
    const collector = new Collector({streams: ['carried'], everyMs: 10});
    expect(groupOf(await collector.read(client), 'carried', 'g')).toMatchObject({lag: 600, lagExact: true});
    await add(1_001, 3_000);
    await server.redis.config('RESETSTAT');
    expect(groupOf(await collector.read(client), 'carried', 'g')).toMatchObject({
      lag: 2_600,
      lagExact: true,
      lagSource: 'counted',
    });
    expect(await server.redis.info('commandstats')).not.toMatch(/cmdstat_xrevrange/);
    // A group that moves on to where an earlier reading saw the end is exactly as far behind as was added since.
    await server.redis.xgroup('SETID', 'carried', 'g', '1000-0');
    expect(groupOf(await collector.read(client), 'carried', 'g')).toMatchObject({lag: 2_000, lagExact: true});
    // One that was deleted behind it makes that uncertain.
    await server.redis.xdel('carried', '2500-0');
    const {lag, lagExact, lagAtLeast, lagAtMost} = groupOf(await collector.read(client), 'carried', 'g');
    expect([lagExact, lagAtLeast! <= 1_999, lagAtMost! >= 1_999, lag !== null]).toEqual([false, true, true, true]);
  });

  it('rates, pending entries, dead letters and memory of a stream', async () => {
    await server.redis.xadd('facts', '*', 'n', '1');
    await server.redis.xgroup('CREATE', 'facts', 'g', '0');
    await server.redis.xreadgroup('GROUP', 'g', 'w1', 'COUNT', 1, 'STREAMS', 'facts', '>');
    await server.redis.xadd('{facts}:dead', '*', 'n', '1');
    const collector = new Collector({everyMs: OFTEN, consumersUpTo: 10, match: '*facts*'});
    const first = await collector.readAll(client);
    expect(first).toMatchObject({discovered: true, skipped: [], server: {masters: 1, role: 'master'}});
    expect(first.streams.map(({stream}) => stream)).toEqual(['facts', '{facts}:dead']);
    const before = streamOf(first, 'facts');
    expect(before).toMatchObject({length: 1, addedPerSec: null, deadLetters: {stream: '{facts}:dead', length: 1}});
    expect(before.bytes).toBeGreaterThan(0);
    expect(before.bytesPerEntry).toBe(before.bytes);
    const group = before.groups![0]!;
    expect(group).toMatchObject({
      pending: 1,
      oldestPendingConsumer: 'w1',
      maxDeliveries: 1,
      maxDeliveriesExact: true,
      trend: 'drained',
      drainMs: 0,
      members: [{name: 'w1', pending: 1}],
    });
    await server.redis.xadd('facts', '*', 'n', '2');
    const after = streamOf(await collector.read(client), 'facts');
    expect(after.addedPerSec).toBeGreaterThan(0);
    expect(after.groups![0]).toMatchObject({deliveredPerSec: 0, donePerSec: 0, trend: 'growing', drainMs: null});
  });

  it('a stream that is gone, or is of another type now, is left out', async () => {
    for (const name of ['gone', 'becomes', 'remains']) await server.redis.xadd(`left:${name}`, '*', 'a', 'b');
    const collector = new Collector({everyMs: OFTEN, match: 'left:*'});
    await collector.readAll(client);
    await server.redis.del('left:gone', 'left:becomes');
    await server.redis.set('left:becomes', 'text');
    const {streams, skipped} = await collector.read(client);
    expect([streams.map(({stream}) => stream), skipped]).toEqual([['left:remains'], []]);
  });

  it('a user who may only read sees everything, and what is hidden from it is counted', async () => {
    const {redis, url} = server;
    for (const name of ['seen:a', 'seen:b', 'hidden:c']) {
      await redis.xadd(name, '*', 'a', 'b');
      await redis.xgroup('CREATE', name, 'g', '0');
      await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 1, 'STREAMS', name, '>');
    }
    await redis.call(
      'ACL',
      'SETUSER',
      'watcher',
      'on',
      '>pw',
      '~seen:*',
      '~{seen:*',
      '+@read',
      '+ping',
      '+info',
      '+time',
      '-@write',
    );
    const reader = await StreamClient.connect({url, username: 'watcher', password: 'pw', connectTimeoutMs: 4_000});
    const collector = new Collector({everyMs: OFTEN, consumersUpTo: 10, streams: ['seen:a', 'seen:b', 'hidden:c']});
    const {streams, skipped, server: facts} = await collector.readAll(reader);
    reader.close();
    expect(skipped).toEqual([{streams: 1, reason: 'denied'}]);
    expect(streams.map(({stream}) => stream)).toEqual(['seen:a', 'seen:b']);
    for (const stream of streams) {
      expect(stream.bytes).toBeGreaterThan(0);
      expect(stream.deadLetters).toMatchObject({length: 0});
      expect(stream.groups).toMatchObject([{lag: 0, pending: 1, maxDeliveries: 1, members: [{name: 'w'}]}]);
    }
    expect(facts.memoryBytes).toBeGreaterThan(0);
    const log = (await redis.call('ACL', 'LOG')) as string[][];
    // A connection says its name, whatever it is for.
    const refused = new Set(log.map((entry) => entry[7]).filter((what) => what !== 'client|setname'));
    expect(refused).toEqual(new Set(['hidden:c']));
  });
});

describe('many streams', () => {
  const server = serverForAll();

  it('are read in turn, and all of them once in a round', async () => {
    const pipeline = server.redis.pipeline();
    for (let n = 0; n < 300; n++) pipeline.xadd(`many:${n}`, '*', 'n', '1');
    await pipeline.exec();
    const client = await connect(server.url);
    const collector = new Collector({everyMs: 100, match: 'many:*'});
    const first = await collector.read(client);
    expect(first.streams.length).toBeGreaterThan(0);
    expect(first.skipped).toEqual([{streams: 300 - first.streams.length, reason: 'budget'}]);
    let last = first;
    // As many rounds as are announced, though the server may have been found slower after the first one.
    for (let round = 0; round <= last.roundMs! / 100; round++) last = await collector.read(client);
    expect([last.streams.length, last.skipped]).toEqual([300, []]);
    expect(last.streams.filter(({ageMs}) => ageMs === 0).length).toBeLessThan(300);
    expect(last.streams.some(({ageMs}) => ageMs > 0)).toBe(true);
    const limited = await new Collector({everyMs: OFTEN, match: 'many:*', maxStreams: 10}).readAll(client);
    expect([limited.streams.length, limited.skipped]).toEqual([10, [{streams: 290, reason: 'limit'}]]);
    client.close();
  });

  it('a second reading has rates, unless it is interrupted', async () => {
    const client = await connect(server.url);
    await server.redis.xadd('twice', '*', 'a', 'b');
    const options = {everyMs: 20, streams: ['twice']};
    const snapshot = await snapshotWithRates(client, options, new AbortController().signal);
    expect(snapshot!.streams[0]!.addedPerSec).toBe(0);
    expect(await snapshotWithRates(client, options, AbortSignal.abort())).toBeUndefined();
    client.close();
  });

  it('goes on when the connection was lost, and ends when it is aborted', async () => {
    await server.redis.xadd('lasting', '*', 'a', 'b');
    const stopping = new AbortController();
    const readings = snapshots({
      everyMs: 20,
      streams: ['lasting'],
      connect: () => connect(server.url),
      stopping: stopping.signal,
      onProblem: () => {},
    });
    expect((await readings.next()).value).toMatchObject({streams: [{stream: 'lasting', length: 1}]});
    await server.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    expect((await readings.next()).value).toMatchObject({streams: [{stream: 'lasting', length: 1}]});
    stopping.abort();
    expect(await readings.next()).toEqual({done: true, value: undefined});
  });
});

it('what a server before 7.0 does not count is null, and its lags are counted or bounds', async () => {
  const server = await startRedis();
  try {
    for (let ms = 1; ms <= 400; ms++) await server.redis.xadd('old', `${ms}-0`, 'n', '1');
    await server.redis.xgroup('CREATE', 'old', 'near', '300-0');
    await server.redis.xgroup('CREATE', 'old', 'end', '$');
    const client = await connect(server.url);
    // The same replies without what Redis 7.0 has added to them.
    const old: StreamClient = Object.create(client, {
      server: {value: client.server},
      info: {
        value: async (name: string) => ({
          ...(await client.info(name)),
          entriesAdded: undefined,
          maxDeletedId: undefined,
        }),
      },
      groups: {
        value: async (name: string) =>
          (await client.groups(name)).map((group) => ({...group, entriesRead: undefined, lag: undefined})),
      },
      length: {value: client.length.bind(client)},
      bytes: {value: client.bytes.bind(client)},
      ids: {value: client.ids.bind(client)},
      nextId: {value: client.nextId.bind(client)},
      pendingPage: {value: client.pendingPage.bind(client)},
    });
    const collector = new Collector({streams: ['old'], everyMs: OFTEN});
    await collector.read(old);
    await server.redis.xadd('old', '*', 'n', '1');
    const snapshot = await collector.read(old);
    expect(streamOf(snapshot, 'old')).toMatchObject({entriesAdded: null, maxDeletedId: null, addedPerSec: null});
    // What stands still was given nothing.
    const unknown = {entriesRead: null, deliveredPerSec: 0, drainMs: null, trend: 'unknown'};
    expect(groupOf(snapshot, 'old', 'near')).toMatchObject({...unknown, lag: 101, lagExact: true});
    expect(groupOf(snapshot, 'old', 'end')).toMatchObject({...unknown, lag: 1, lagExact: true});
    const hasty = await new Collector({streams: ['old'], everyMs: 0.01}).read(old);
    const {lagAtLeast, lagAtMost} = groupOf(hasty, 'old', 'near');
    expect([lagAtLeast! <= 101, lagAtMost! >= 101]).toEqual([true, true]);
    client.close();
  } finally {
    await server.stop();
  }
});

describe('other topologies', () => {
  it('the streams of all masters of a cluster', async () => {
    const cluster = await startCluster();
    try {
      const client = await connect(cluster.url);
      for (let n = 0; n < 20; n++) {
        const node = await cluster.nodeOf(`s${n}`);
        await node.redis.xadd(`s${n}`, '*', 'a', 'b');
        await node.redis.xgroup('CREATE', `s${n}`, 'g', '0');
      }
      const snapshot = await new Collector({everyMs: OFTEN}).readAll(client);
      client.close();
      expect(snapshot.server).toMatchObject({mode: 'cluster', masters: 3, role: 'master'});
      expect(snapshot.server.memoryBytes).toBeGreaterThan(0);
      expect(snapshot.streams.map(({stream}) => stream).toSorted()).toEqual(
        Array.from({length: 20}, (_, n) => `s${n}`).toSorted(),
      );
      for (const {groups} of snapshot.streams) expect(groups).toMatchObject([{lag: 1, lagExact: true, pending: 0}]);
    } finally {
      await cluster.stop();
    }
  });

  it('what a master of a cluster held that is gone is counted, and grows old where it is kept', async () => {
    const cluster = await startCluster({args: ['--cluster-require-full-coverage', 'no']});
    try {
      for (let n = 0; n < 20; n++) await (await cluster.nodeOf(`s${n}`)).redis.xadd(`s${n}`, '*', 'a', 'b');
      const client = await connect(cluster.url);
      const collector = new Collector({everyMs: OFTEN, keepsUnanswered: true});
      const {streams} = await collector.readAll(client);
      const lost = cluster.nodes[1]!;
      const isLost = async (name: string): Promise<boolean> => (await cluster.nodeOf(name)) === lost;
      const held = (await Promise.all(streams.map(({stream}) => isLost(stream)))).filter(Boolean).length;
      lost.process.kill('SIGKILL');
      let now = await collector.read(client);
      while (now.skipped.length === 0) now = await collector.read(client);
      expect(now.skipped).toEqual([{streams: held, reason: 'unanswered'}]);
      expect(now.streams.filter(({ageMs}) => ageMs > 0).length).toBe(held);
      expect([now.streams.length, now.server.memoryBytes]).toEqual([20, null]);
      expect(collector.lostNode).toMatchObject({kind: 'unreachable'});
      client.close();
    } finally {
      await cluster.stop();
    }
  });

  it('through a sentinel, and of a replica', async () => {
    const set = await startSentinelSet();
    try {
      const {master, replica} = set;
      await master.redis.xadd('watched', '*', 'a', 'b');
      expect(await master.redis.wait(1, 5_000)).toBe(1);
      const throughSentinel = await connect(set.url);
      const ofReplica = await connect(replica.url);
      const [first, second] = await Promise.all(
        [throughSentinel, ofReplica].map((client) => new Collector({everyMs: OFTEN}).readAll(client)),
      );
      throughSentinel.close();
      ofReplica.close();
      expect([first!.server.mode, first!.server.role]).toEqual(['sentinel', 'master']);
      expect([second!.server.mode, second!.server.role]).toEqual(['standalone', 'replica']);
      for (const {streams} of [first!, second!]) expect(streams).toMatchObject([{stream: 'watched', length: 1}]);
    } finally {
      await set.stop();
    }
  });
});

/** Something that changes the stream or its groups; returns the highest millisecond in an ID. */
async function happen({redis}: RedisServer, random: SeededRandom, stream: string, lastMs: number): Promise<number> {
  const [group, consumer] = [random.pick(['a', 'b']), random.pick(['w1', 'w2'])];
  const somewhere = `${random.below(lastMs + 3)}-0`;
  let added = lastMs;
  const claim = random.oneIn(2) ? ['ENTRIESREAD', String(random.below(lastMs + 20))] : [];
  const add = async (): Promise<void> => {
    for (let n = random.below(30); n > 0; n--) await redis.xadd(stream, `${++added}-0`, 'n', '1');
  };
  const read = async (): Promise<void> => {
    await redis.xreadgroup('GROUP', group, consumer, 'COUNT', 1 + random.below(8), 'STREAMS', stream, '>');
  };
  const pending = async (): Promise<string[]> =>
    ((await redis.xpending(stream, group, '-', '+', 10)) as [string][]).map(([id]) => id);
  const happenings: (() => Promise<unknown>)[] = [
    add,
    add,
    add,
    read,
    read,
    read,
    async () => redis.xack(stream, group, random.pick([...(await pending()), '1-0'])),
    async () => redis.xclaim(stream, group, consumer, 0, random.pick([...(await pending()), '1-0'])),
    () => redis.xdel(stream, `${random.below(lastMs) + 1}-0`),
    () => redis.xtrim(stream, 'MAXLEN', random.below(60)),
    () => redis.xtrim(stream, 'MINID', somewhere),
    () => redis.call('XGROUP', 'SETID', stream, group, somewhere, ...claim),
    () => redis.call('XGROUP', 'CREATE', stream, group, somewhere, ...claim),
    () => (random.oneIn(6) ? redis.del(stream) : redis.xgroup('DESTROY', stream, group)),
  ];
  // A group that is there already, one that is not there yet.
  await random
    .pick(happenings)()
    .catch(() => {});
  return added;
}

async function check(
  {redis}: RedisServer,
  snapshot: Snapshot,
  stream: string,
  shown: {exact: number; inexact: number; ages: number},
  when: string,
): Promise<void> {
  const facts = streamOf(snapshot, stream);
  const nowMs = Date.parse(snapshot.at);
  const ids = (await redis.xrange(stream, '-', '+')).map(([id]) => id);
  expect([facts.length, facts.firstId, facts.lastId], when).toEqual([ids.length, ids[0] ?? null, ids.at(-1) ?? null]);
  for (const group of facts.groups!) {
    const where = `${when}, group ${group.group}`;
    const unread = ids.filter((id) => compareStreamIds(id, group.lastDeliveredId) > 0);
    expect(group.lagAtLeast, where).toBeLessThanOrEqual(unread.length);
    expect(group.lagAtMost, where).toBeGreaterThanOrEqual(unread.length);
    if (group.lagExact) expect(group.lag, where).toBe(unread.length);
    shown[group.lagExact ? 'exact' : 'inexact']++;
    if (group.behindMs !== null) {
      expect(group.behindMs, where).toBe(unread.length === 0 ? 0 : nowMs - millisecondsOf(unread[0]!));
      shown.ages++;
    }
    const pending = (await redis.xpending(stream, group.group, '-', '+', 10_000)) as [string, string, number, number][];
    const [oldest] = pending;
    expect(group.pending, where).toBe(pending.length);
    expect([group.oldestPendingId, group.oldestPendingConsumer], where).toEqual([
      oldest?.[0] ?? null,
      oldest?.[1] ?? null,
    ]);
    if (oldest !== undefined) expect(group.oldestPendingAgeMs, where).toBe(nowMs - millisecondsOf(oldest[0]));
    const most = Math.max(...pending.map(([, , , deliveries]) => deliveries));
    if (group.maxDeliveriesExact) expect(group.maxDeliveries, where).toBe(pending.length === 0 ? null : most);
  }
}
