/**
 * Entries that go in a transaction (docs/adr/0007), on more than one server: a
 * failover, a slot that moves and a wait for replicas lose none of them, and add
 * none twice, among others that go by the script.
 */
import {describe, expect, it, type TestContext} from 'vitest';
import {serve} from '../support/http.js';
import {until} from '../support/redis-server.js';
import {type SentinelSet, startCluster, startSentinelSet, type TopologyOptions} from '../support/topologies.js';
import {expectOnce, expectProduced, kill, numbered, ONCE, Production, STREAM} from './produce-scene.js';

const FIRST = numbered('first', 4);
/** Every third one is wide, the first included. */
const some = (index: number): number => (index % 3 === 0 ? 4_000 : 0);

async function begun({onTestFinished}: TestContext, url: string, args: readonly string[]): Promise<Production> {
  const production = new Production(args, url).feed(FIRST, some);
  onTestFinished(() => kill(production.running));
  const {process, stderr} = production.running;
  await until(() => production.ids.length === FIRST.length || process.exitCode !== null, 'it has begun');
  expect(production.ids, stderr()).toHaveLength(FIRST.length);
  return production;
}

async function sentinelSet({onTestFinished}: TestContext, options?: TopologyOptions): Promise<SentinelSet> {
  const set = await startSentinelSet(options);
  onTestFinished(() => set.stop());
  return set;
}

describe.concurrent('wide entries among others, behind sentinels', () => {
  const LACKING = numbered('lacking', 30);
  const AFTER = numbered('after', 30);

  /** The replica gets nothing from now on: it cannot come back to a master that wants a password. */
  async function stopReplication({master}: SentinelSet): Promise<void> {
    await master.redis.config('SET', 'requirepass', 'secret');
    await master.redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
  }

  /** A run whose last records the replica never gets, and which has them confirmed; then the master is gone. */
  async function failedOver(context: TestContext, args: readonly string[]): Promise<[SentinelSet, Production]> {
    const set = await sentinelSet(context);
    const production = await begun(context, set.url, args);
    await until(async () => (await set.replica.redis.xlen(STREAM)) === FIRST.length, 'the replica has the first ones');
    await stopReplication(set);
    production.feed(LACKING, some);
    await until(() => production.ids.length === FIRST.length + LACKING.length, 'all are confirmed');
    set.master.process.kill('SIGKILL');
    await set.untilMasterIs(set.replica);
    return [set, production];
  }

  it('a new master gets again what it lacks of them, in their order', async (context) => {
    const [set, production] = await failedOver(context, ONCE);
    const {code, stderr} = await production.feed(AFTER, some).finish();
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`${LACKING.length} records were added again`);
    const entries = await set.replica.redis.xrange(STREAM, '-', '+');
    expect(entries.map(([, fields]) => fields[1])).toEqual(production.values);
    expect(production.ids.slice(-AFTER.length)).toEqual(entries.slice(-AFTER.length).map(([id]) => id));
  });

  it('serve: requests with an Idempotency-Key are added again too', async (context) => {
    const set = await sentinelSet(context);
    const served = await serve([], {env: {STREAMLOG_URL: set.url}});
    context.onTestFinished(async () => {
      served.process.kill('SIGKILL');
      await served.finished.catch(() => {});
    });
    const body = (value: string): string =>
      `[{"value":"${value}"},{"value":"${value}-wide"${Array.from({length: 4_000}, (_, n) => `,"f${n}":1`).join('')}}]`;
    const post = async (value: string): Promise<void> =>
      expect((await served.post(`/streams/${STREAM}`, body(value), {'Idempotency-Key': value})).status).toBe(201);
    await post('kept');
    await until(async () => (await set.replica.redis.xlen(STREAM)) === 2, 'the replica has the first ones');
    await stopReplication(set);
    for (const value of ['lost1', 'lost2']) await post(value);
    set.master.process.kill('SIGKILL');
    await until(() => served.stderr().includes('2 requests with an Idempotency-Key were added again'), 'they are');
    await until(async () => (await fetch(`${served.url}/readyz`)).ok, 'it is ready again');
    await post('lost2');
    const values = (await set.replica.redis.xrange(STREAM, '-', '+')).map(([, fields]) => fields[1]);
    expect(values).toEqual(['kept', 'lost1', 'lost2'].flatMap((value) => [value, `${value}-wide`]));
  });

  it('SENTINEL FAILOVER with --durability replicas:1: what is confirmed is on the new master, once', async (context) => {
    const set = await sentinelSet(context);
    const production = await begun(context, set.url, [...ONCE, '--durability', 'replicas:1']);
    let isOver = false;
    const failover = set.sentinel
      .call('SENTINEL', 'FAILOVER', 'mymaster')
      .then(() => set.untilMasterIs(set.replica))
      .finally(() => {
        isOver = true;
      });
    const {process} = production.running;
    for (let round = 0; !isOver && process.exitCode === null; round++) {
      production.feed(numbered(`r${round}-`, 10), some);
      const hasRoom = (): boolean => production.ids.length + 30 >= production.values.length;
      await until(() => isOver || process.exitCode !== null || hasRoom(), 'it keeps up');
    }
    await failover;
    const {code, stderr} = await production.finish();
    // The old master goes on for a while, without anyone to follow it.
    expect(code, stderr).toBeOneOf([0, 75]);
    await expectProduced(set.replica.redis, production, {missing: code === 75});
  });
});

describe.concurrent('wide entries among others, in a cluster', () => {
  it('arrive once and in order while their slot moves, there and back', async (context) => {
    const cluster = await startCluster();
    context.onTestFinished(() => cluster.stop());
    const production = await begun(context, cluster.url, ONCE);
    for (const round of [0, 1, 2, 3]) {
      const from = await cluster.nodeOf(STREAM);
      production.feed(numbered(`r${round}-`, 60), some);
      await until(async () => (await from.redis.xlen(STREAM)) > FIRST.length + 60 * round, 'some of them are there');
      await cluster.moveSlot(STREAM, cluster.nodes.find((node) => node !== from)!);
    }
    const {code, stderr} = await production.finish();
    expect(code, stderr).toBe(0);
    await expectOnce((await cluster.nodeOf(STREAM)).redis, production);
  });

  it.for([
    ['nothing', true],
    ['the stream', false],
    ['the state', false],
    ['all', true],
  ] as const)('go on while a slot is half-way, when %s has moved (%s)', async ([moved, goesOn], context) => {
    const cluster = await startCluster();
    context.onTestFinished(() => cluster.stop());
    const production = await begun(context, cluster.url, ONCE);
    const from = await cluster.nodeOf(STREAM);
    const to = cluster.nodes.find((node) => node !== from)!;
    const slot = Number(await from.redis.call('CLUSTER', 'KEYSLOT', STREAM));
    const toId = String(await to.redis.call('CLUSTER', 'MYID'));
    await to.redis.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(await from.redis.call('CLUSTER', 'MYID')));
    await from.redis.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    const keys = (await from.redis.call('CLUSTER', 'GETKEYSINSLOT', slot, 10)) as string[];
    const isMoved = (key: string): boolean =>
      moved === 'all' || (key === STREAM ? 'the stream' : 'the state') === moved;
    const migrate = async (some: string[]): Promise<void> => {
      if (some.length > 0) await from.redis.call('MIGRATE', '127.0.0.1', to.port, '', 0, 10_000, 'KEYS', ...some);
    };
    await migrate(keys.filter(isMoved));
    production.feed(numbered('half', 20), some);
    if (goesOn) await until(() => production.ids.length === FIRST.length + 20, 'it goes on while the slot is half-way');
    else await production.untilTold(/moving this slot|ASK|TRYAGAIN/);
    await migrate(keys.filter((key) => !isMoved(key)));
    for (const node of [to, from, ...cluster.nodes]) await node.redis.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
    production.feed(numbered('after', 20), some);
    const {code, stderr} = await production.finish();
    expect(code, stderr).toBe(0);
    await expectOnce(to.redis, production);
  });
});
