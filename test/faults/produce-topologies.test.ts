/**
 * `produce` on more than one server: failovers and moving slots are waited out,
 * and as long as the data lives, --exactly-once adds each record once, in order.
 */
import type {Redis} from 'ioredis';
import {describe, expect, it, type TestContext} from 'vitest';
import {until} from '../support/redis-server.js';
import {type RedisCluster, startCluster, startSentinelSet} from '../support/topologies.js';
import {expectOnce, expectProduced, kill, numbered, ONCE, Production, STREAM} from './produce-scene.js';

const VALUES = numbered('v', 1_300);
const OTHERS = numbered('w', 1_300);
const WAYS: [way: string, args: string[]][] = [
  ['by default', []],
  ['with --exactly-once', ONCE],
];

/** One that has added some records to `master`, and ends with its test. */
async function begun({onTestFinished}: TestContext, url: string, args: readonly string[]): Promise<Production> {
  const production = new Production(args, url).feed(numbered('first', 10));
  onTestFinished(() => kill(production.running));
  await until(() => production.ids.length === 10 || production.running.process.exitCode !== null, 'it has begun');
  expect(production.ids, production.running.stderr()).toHaveLength(10);
  return production;
}

describe.concurrent('a set of sentinels', () => {
  it.for(WAYS)(
    'F25 kill -9 of the master while records are on their way, %s: all arrive',
    async ([, args], context) => {
      const set = await startSentinelSet();
      context.onTestFinished(() => set.stop());
      const production = await begun(context, set.url, args);
      await untilReplicated(set.master.redis, set.replica.redis);
      production.feed(VALUES);
      set.master.process.kill('SIGKILL');
      await set.untilMasterIs(set.replica);
      production.feed(OTHERS);
      const {code, stderr} = await production.finish();
      expect(code, stderr).toBe(0);
      if (args.length > 0) await expectOnce(set.replica.redis, production);
      else await expectProduced(set.replica.redis, production, {duplicates: 'as told'});
    },
  );

  it('F25 SENTINEL FAILOVER under load with --exactly-once and --durability replicas:1: what is told is on the new master, once', async (context) => {
    const set = await startSentinelSet();
    context.onTestFinished(() => set.stop());
    const production = await begun(context, set.url, [...ONCE, '--durability', 'replicas:1']);
    let isOver = false;
    const failover = set.sentinel
      .call('SENTINEL', 'FAILOVER', 'mymaster')
      .then(() => set.untilMasterIs(set.replica))
      .finally(() => {
        isOver = true;
      });
    const {process} = production.running;
    for (let round = 0; !isOver; round++) {
      production.feed(numbered(`r${round}-`, 100));
      const hasRoom = (): boolean => production.ids.length + 1_000 >= production.values.length;
      await until(() => isOver || process.exitCode !== null || hasRoom(), 'it keeps up');
      if (process.exitCode !== null) break;
    }
    await failover;
    const {code, stderr} = await production.finish();
    // The old master goes on for a while, without anyone to follow it.
    expect(code, stderr).toBeOneOf([0, 75]);
    await expectProduced(set.replica.redis, production, {missing: code === 75});
  });

  it('F19 a master that is a replica now, named in the URL: 75 after --retry-for, and nothing is added', async (context) => {
    const set = await startSentinelSet();
    context.onTestFinished(() => set.stop());
    const production = new Production([...ONCE, '--retry-for', '300ms'], set.replica.url).feed(VALUES);
    context.onTestFinished(() => kill(production.running));
    const {code, stderr} = await production.finish();
    expect(code).toBe(75);
    expect(stderr).toMatch(/READONLY[\s\S]*hint: .*master/);
    expect(await set.master.redis.exists(STREAM)).toBe(0);
  });
});

describe.concurrent('a cluster', () => {
  it.for(WAYS)(
    'F28 kill -9 of the node while records are on their way, and its replica takes over, %s: all arrive',
    async ([, args], context) => {
      const cluster = await cluster3(context);
      const master = await cluster.nodeOf(STREAM);
      const replica = await cluster.addNode(master);
      const production = await begun(context, cluster.url, args);
      await untilReplicated(master.redis, replica.redis);
      production.feed(VALUES);
      master.process.kill('SIGKILL');
      await production.untilTold(/trying again/);
      await replica.redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
      production.feed(OTHERS);
      const {code, stderr} = await production.finish();
      expect(code, stderr).toBe(0);
      if (args.length > 0) await expectOnce(replica.redis, production);
      else await expectProduced(replica.redis, production, {duplicates: 'as told'});
    },
  );

  it.for(WAYS)(
    'F29 a slot that moves under load, there and back, %s: all arrive in order',
    async ([, args], context) => {
      const cluster = await cluster3(context);
      const production = await begun(context, cluster.url, args);
      for (const round of [0, 1, 2, 3]) {
        const from = await cluster.nodeOf(STREAM);
        production.feed(numbered(`r${round}-`, 1_000));
        await until(async () => (await from.redis.xlen(STREAM)) > 10 + 1_000 * round, 'some of them are there');
        await cluster.moveSlot(STREAM, cluster.nodes.find((node) => node !== from)!);
      }
      production.feed(OTHERS);
      const {code, stderr} = await production.finish();
      expect(code, stderr).toBe(0);
      await expectOnce((await cluster.nodeOf(STREAM)).redis, production);
    },
  );

  it.for([
    ['nothing of it has', 'nothing', ONCE],
    ['the stream has', 'stream', ONCE],
    ['the fence has', 'fence', ONCE],
    ['all of it has', 'all', ONCE],
    ['all of it has', 'all', []],
  ] as const)(
    'F29 a slot that stays half-way, when %s moved (%s, %j): it goes on when the move is over',
    async ([, moved, args], context) => {
      const cluster = await cluster3(context);
      const production = await begun(context, cluster.url, args);
      const from = await cluster.nodeOf(STREAM);
      const to = cluster.nodes.find((node) => node !== from)!;
      const [slot, fromId, toId] = [
        Number(await from.redis.call('CLUSTER', 'KEYSLOT', STREAM)),
        String(await from.redis.call('CLUSTER', 'MYID')),
        String(await to.redis.call('CLUSTER', 'MYID')),
      ];
      await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
      await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
      const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
      const isMoved = (key: string): boolean => moved === 'all' || (key === STREAM ? 'stream' : 'fence') === moved;
      const migrate = async (some: string[]): Promise<void> => {
        if (some.length > 0) await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 10_000, 'KEYS', ...some);
      };
      await migrate(keys.filter(isMoved));
      production.feed(VALUES);
      // ASK: it goes on where the keys are, before the slot is there.
      if (moved === 'nothing' || moved === 'all')
        await until(() => production.ids.length === 1_310, 'it goes on while the slot is half-way');
      else await production.untilTold(/moving this slot|ASK|TRYAGAIN/);
      await migrate(keys.filter((key) => !isMoved(key)));
      for (const node of [to, from, ...cluster.nodes]) await node.redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
      production.feed(OTHERS);
      const {code, stderr} = await production.finish();
      expect(code, stderr).toBe(0);
      await expectOnce(to.redis, production);
    },
  );
});

async function cluster3({onTestFinished}: TestContext): Promise<RedisCluster> {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  return cluster;
}

/** Waits until `replica` has got all that `master` has. */
async function untilReplicated(master: Redis, replica: Redis): Promise<void> {
  const offset = async (redis: Redis): Promise<string | undefined> =>
    /master_repl_offset:(\d+)/.exec(await redis.info('replication'))?.[1];
  await until(async () => (await offset(master)) === (await offset(replica)), 'the replica has all entries');
}
