/**
 * Which server is the master (docs/adr/0008): a failover that the old master
 * has not heard of is followed by whoever writes, and what the new master
 * lacks of a run with --exactly-once is added again.
 */
import {describe, expect, it, type TestContext} from 'vitest';
import {serve} from '../support/http.js';
import {freePort, startRedis, until} from '../support/redis-server.js';
import {startStreamlog, streamlog} from '../support/run-cli.js';
import {
  NEVER_DEMOTED,
  type SentinelOptions,
  type SentinelSet,
  startCluster,
  startSentinelSet,
} from '../support/topologies.js';
import {AGAIN, expectOnce, kill, numbered, ONCE, Production, STREAM} from './produce-scene.js';
import {collect} from './support/collect.js';

const BEFORE = numbered('before', 10);
const AFTER = numbered('after', 500);

async function sentinelSet({onTestFinished}: TestContext, options: SentinelOptions = {}): Promise<SentinelSet> {
  const set = await startSentinelSet({replicas: 2, sentinels: 3, masterArgs: NEVER_DEMOTED, ...options});
  onTestFinished(async () => {
    for (const {process} of [set.master, ...set.sentinels]) process.kill('SIGCONT');
    await set.stop();
  });
  return set;
}

/** A run that has added some records, and ends with its test. */
async function begun({onTestFinished}: TestContext, url: string, args: readonly string[]): Promise<Production> {
  const production = new Production(args, url).feed(BEFORE);
  onTestFinished(() => kill(production.running));
  await until(
    () => production.ids.length === BEFORE.length || production.running.process.exitCode !== null,
    'it began',
  );
  expect(production.ids, production.running.stderr()).toHaveLength(BEFORE.length);
  return production;
}

/** How many clients listen to each sentinel. */
const listeners = ({sentinels}: SentinelSet): Promise<number[]> =>
  Promise.all(
    sentinels.map(async ({redis}) => {
      const list = String(await redis.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
      return list.split('\n').filter((line) => line.startsWith('id=')).length;
    }),
  );

describe.concurrent('SENTINEL FAILOVER, of which the old master never hears', () => {
  it.for([
    ['by default', []],
    ['with --exactly-once', ONCE],
  ] as const)('%s: what is fed after the switch is added to the new master', async ([, args], context) => {
    const set = await sentinelSet(context);
    const production = await begun(context, set.url, args);
    await until(async () => (await listeners(set)).every((count) => count === 1), 'it listens to each sentinel');
    await set.sentinel.call('SENTINEL', 'FAILOVER', 'mymaster');
    await production.untilTold(/the sentinels have made 127\.0\.0\.1:\d+ the master/);
    production.feed(AFTER);
    const {code, stderr} = await production.finish();
    expect(code, stderr).toBe(0);
    const master = await set.untilMasterIsNot(set.master);
    await expectOnce(master.redis, production);
    expect(await set.master.redis.xlen(STREAM), stderr).toBe(BEFORE.length + production.reported(AGAIN));
    // What listened to the sentinels has ended with it.
    await until(async () => (await listeners(set)).every((count) => count === 0), 'nobody listens any more');
  });

  it('any sentinel that can be heard is enough', async (context) => {
    const set = await sentinelSet(context);
    const production = await begun(context, set.url, ONCE);
    await until(async () => (await listeners(set)).every((count) => count === 1), 'it listens to each sentinel');
    // To the program, the first two are gone; among themselves they agree on the failover.
    for (const {redis} of set.sentinels.slice(0, 2)) {
      await redis.call('ACL', 'SETUSER', 'default', '-subscribe', '-sentinel', '+sentinel|failover');
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
    await set.sentinel.call('SENTINEL', 'FAILOVER', 'mymaster');
    await production.untilTold(/the sentinels have made 127\.0\.0\.1:\d+ the master/);
    const {code, stderr} = await production.feed(AFTER).finish();
    expect(code, stderr).toBe(0);
  });
});

describe.concurrent('an input that ends during SENTINEL FAILOVER', () => {
  /** Until a replica has left its master: from then on nothing that the old one confirms stays. */
  const promoted = ({replicas}: SentinelSet): Promise<void> =>
    until(async () => {
      const roles = await Promise.all(replicas.map(({redis}) => redis.role()));
      return roles.some(([role]) => role === 'master');
    }, 'a replica has become a master');

  it.for([
    ['in the same moment', 0],
    ['when the replica has been promoted and no sentinel says so', 1],
    ['when it has been promoted, many records', 20],
  ] as const)('%s, with --exactly-once: 0 means that the new master has all', async ([, rounds], context) => {
    const set = await sentinelSet(context);
    const production = await begun(context, set.url, ONCE);
    await set.sentinel.call('SENTINEL', 'FAILOVER', 'mymaster');
    if (rounds > 0) await promoted(set);
    for (let round = 0; round <= rounds; round++) production.feed(numbered(`round${round}-`, 500));
    const {code, stderr} = await production.finish();
    expect(code, stderr).toBe(0);
    const master = await set.untilMasterIsNot(set.master);
    const {stream} = await collect(master.redis, STREAM);
    // Not as a whole: the first that is missing says enough.
    const missing = production.values.findIndex((value, at) => stream[at]?.value !== value);
    expect({missing, length: stream.length}, stderr).toEqual({missing: -1, length: production.values.length});
  });

  it('by default: what is lost is told', async (context) => {
    const set = await sentinelSet(context);
    const production = await begun(context, set.url, []);
    await set.sentinel.call('SENTINEL', 'FAILOVER', 'mymaster');
    await promoted(set);
    const {stderr} = await production.feed(AFTER).finish();
    const master = await set.untilMasterIsNot(set.master);
    const there = await master.redis.xlen(STREAM);
    const lost = Number(/up to (\d+) records that were confirmed are lost/.exec(stderr)?.[1] ?? 0);
    expect(there + lost, stderr).toBeGreaterThanOrEqual(production.values.length);
  });

  it('serve, at its end: what was answered with 201 is with the new master, or its loss is told', async (context) => {
    const set = await sentinelSet(context);
    const served = await serve([], {env: {STREAMLOG_URL: set.url}});
    context.onTestFinished(async () => {
      served.process.kill('SIGKILL');
      await served.finished.catch(() => {});
    });
    await set.sentinel.call('SENTINEL', 'FAILOVER', 'mymaster');
    await promoted(set);
    const post = (value: string, headers?: Record<string, string>): Promise<Response> =>
      served.post(`/streams/${STREAM}`, JSON.stringify({value}), headers);
    expect((await post('keyed', {'Idempotency-Key': 'k1'})).status).toBe(201);
    expect((await post('plain')).status).toBe(201);
    served.process.kill('SIGTERM');
    const {code, stderr} = await served.finished;
    expect(code, stderr).toBe(0);
    const {stream} = await collect((await set.untilMasterIsNot(set.master)).redis, STREAM);
    const there = stream.map(({value}) => value);
    expect(there, stderr).toContain('keyed');
    expect(there.includes('plain') || stderr.includes('records that were answered with 201 are lost'), stderr).toBe(
      true,
    );
  });

  it('a failover that is called off: it ends with 0 on the master that stays', async (context) => {
    const set = await sentinelSet(context, {replicas: 1, sentinels: 1, masterArgs: []});
    const production = await begun(context, set.url, ONCE);
    set.replica.process.kill('SIGSTOP');
    context.onTestFinished(() => void set.replica.process.kill('SIGCONT'));
    await set.sentinel.call('SENTINEL', 'FAILOVER', 'mymaster');
    const {code, stderr} = await production.feed(AFTER).finish();
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('a failover is under way');
    await expectOnce(set.master.redis, production);
  });
});

/** The replica gets nothing from now on: it cannot come back to a master that wants a password. */
async function stopReplication({master}: SentinelSet): Promise<void> {
  await master.redis.config('SET', 'requirepass', 'secret');
  await master.redis.call('CLIENT', 'KILL', 'TYPE', 'replica');
}

describe.concurrent('a new master that lacks what the old one had confirmed', () => {
  const LACKING = numbered('lacking', 1_200);

  /** A run whose last records the replica never gets, and which has them confirmed; then the master is gone. */
  async function failedOver(context: TestContext, args: readonly string[]): Promise<[SentinelSet, Production]> {
    const set = await sentinelSet(context, {replicas: 1, sentinels: 1});
    const production = await begun(context, set.url, args);
    await until(async () => (await set.replica.redis.xlen(STREAM)) === BEFORE.length, 'the replica has the first ones');
    await stopReplication(set);
    production.feed(LACKING);
    await until(() => production.ids.length === BEFORE.length + LACKING.length, 'all are confirmed');
    set.master.process.kill('SIGKILL');
    await set.untilMasterIs(set.replica);
    return [set, production];
  }

  it('with --exactly-once: it gets them again, in their order, and standard error says so', async (context) => {
    const [set, production] = await failedOver(context, ONCE);
    await production.untilTold(/has not got records 11 to 1210, which were confirmed.*adding them again/);
    const {code, stderr} = await production.feed(AFTER).finish();
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('1200 records were added again');
    expect(production.ids).toHaveLength(production.values.length);
    expect((await collect(set.replica.redis, STREAM)).stream.map(({value}) => value)).toEqual(production.values);
  });

  it('more than --hold keeps: 75, and standard error says which are lost', async (context) => {
    const [set, production] = await failedOver(context, [...ONCE, '--hold', '0s']);
    const {code, stderr} = await production.feed(AFTER).finish();
    expect(code, stderr).toBe(75);
    expect(stderr).toMatch(/has lost records 11 to 1210 of this producer, which were confirmed/);
    expect(await set.replica.redis.xlen(STREAM)).toBe(BEFORE.length);
  });

  it('by default: standard error says how many may be lost, and of which IDs', async (context) => {
    const [set, production] = await failedOver(context, []);
    // What is added to the new master meanwhile hides nothing.
    production.feed(AFTER);
    await production.untilTold(/up to 1200 records that were confirmed are lost/);
    const {code, stderr} = await production.finish();
    expect(code, stderr).toBe(0);
    const [, after, upTo] = /IDs after (\S+) up to (\d+-\d+)/.exec(stderr)!;
    expect([after, upTo]).toEqual([
      production.ids[BEFORE.length - 1],
      production.ids[BEFORE.length + LACKING.length - 1],
    ]);
    expect(await set.replica.redis.xlen(STREAM)).toBe(BEFORE.length + AFTER.length);
  });
});

it('serve: requests with an Idempotency-Key are added again to a new master that lacks them, and the loss of others is told', async (context) => {
  const set = await sentinelSet(context, {replicas: 1, sentinels: 1});
  const served = await serve([], {env: {STREAMLOG_URL: set.url}});
  context.onTestFinished(async () => {
    served.process.kill('SIGKILL');
    await served.finished.catch(() => {});
  });
  const post = async (value: string, headers: Record<string, string> = {}): Promise<void> =>
    expect((await served.post(`/streams/${STREAM}`, JSON.stringify({value}), headers)).status).toBe(201);
  const both = async (name: string): Promise<void> => {
    for (const n of [1, 2, 3]) await post(`${name}-keyed${n}`, {'Idempotency-Key': `${name}-${n}`});
    for (const n of [1, 2, 3]) await post(`${name}-plain${n}`);
  };
  await both('kept');
  await until(async () => (await set.replica.redis.xlen(STREAM)) === 6, 'the replica has the first ones');
  await stopReplication(set);
  await both('lost');
  set.master.process.kill('SIGKILL');
  await until(() => /\d records that were answered with 201 are lost/.test(served.stderr()), 'the loss is told');
  expect(served.stderr()).toContain('3 requests with an Idempotency-Key were added again');
  // Those of one moment share what is known of them.
  expect(Number(/up to (\d+) records that were answered/.exec(served.stderr())![1])).toBeOneOf([3, 4, 5, 6]);
  const {stream} = await collect(set.replica.redis, STREAM);
  const kept = ['keyed1', 'keyed2', 'keyed3', 'plain1', 'plain2', 'plain3'].map((name) => `kept-${name}`);
  expect(stream.map(({value}) => value)).toEqual([...kept, 'lost-keyed1', 'lost-keyed2', 'lost-keyed3']);
  await until(async () => (await fetch(`${served.url}/readyz`)).ok, 'it is ready again');
  await post('lost-keyed1', {'Idempotency-Key': 'lost-1'});
  expect(await set.replica.redis.xlen(STREAM)).toBe(9);
});

it('consume: says what it has had and the new master lacks, and not what was deleted', async (context) => {
  const set = await sentinelSet(context, {replicas: 1, sentinels: 1});
  const add = (value: string): Promise<string | null> => set.master.redis.xadd(STREAM, '*', 'value', value);
  const consumer = startStreamlog(['consume', '--name', 'w1', '--url', set.url]);
  context.onTestFinished(() => kill(consumer));
  const printed = (value: string) => until(() => consumer.stdout().includes(`"${value}"`), `${value} is printed`);
  await add('before');
  await printed('before');
  // A queue whose entries are deleted once they are done.
  const deleted = await add('deleted');
  await printed('deleted');
  await set.master.redis.xdel(STREAM, deleted!);
  await set.master.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await until(() => /answers again/.test(consumer.stderr()), 'it is connected again');
  expect(consumer.stderr()).not.toContain('are lost');
  await until(async () => (await set.replica.redis.xlen(STREAM)) === 1, 'the replica has the first one');
  await stopReplication(set);
  const lost = await add('lost');
  await printed('lost');
  set.master.process.kill('SIGKILL');
  await until(() => /entries that were delivered here are lost/.test(consumer.stderr()), 'the loss is told');
  expect(consumer.stderr()).toMatch(new RegExp(`none of the IDs after \\S+ up to ${lost}`));
  await set.untilMasterIs(set.replica);
  await set.replica.redis.xadd(STREAM, '*', 'value', 'after');
  await printed('after');
});

describe.concurrent('F26 a master that is stopped', () => {
  /** Longer than any test: it is not the silence that is noticed. */
  const PATIENT = ['--silence', '1h'];

  it('in a cluster, the other nodes are asked, and the one that has taken over is used', async (context) => {
    const cluster = await startCluster();
    context.onTestFinished(() => cluster.stop());
    const master = await cluster.nodeOf(STREAM);
    context.onTestFinished(() => void master.process.kill('SIGCONT'));
    const replica = await cluster.addNode(master);
    const production = await begun(context, cluster.url, [...ONCE, ...PATIENT]);
    await until(async () => (await replica.redis.dbsize()) === (await master.redis.dbsize()), 'the replica has all');
    master.process.kill('SIGSTOP');
    production.feed(AFTER);
    await replica.redis.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
    await production.untilTold(/does not answer, and the cluster has made 127\.0\.0\.1:\d+ the master/);
    const {code, stderr} = await production.finish();
    expect(code, stderr).toBe(0);
    await expectOnce(replica.redis, production);
  });

  it('behind sentinels, their announcement is enough', async (context) => {
    const set = await sentinelSet(context);
    const production = await begun(context, set.url, [...ONCE, ...PATIENT]);
    set.master.process.kill('SIGSTOP');
    const {code, stderr} = await production.feed(AFTER).finish();
    expect(code, stderr).toBe(0);
    await expectOnce((await set.untilMasterIsNot(set.master)).redis, production);
  });

  it('with nobody to take over, it is left after --silence', async (context) => {
    const server = await startRedis({tcp: true});
    context.onTestFinished(async () => {
      server.process.kill('SIGCONT');
      await server.stop();
    });
    const production = await begun(context, server.url, ['--silence', '300ms', '--retry-for', '1s']);
    server.process.kill('SIGSTOP');
    production.feed(AFTER);
    await production.untilTold(/no answer for 0\.3 s/);
    expect((await production.finish()).code).toBe(75);
    const info = await streamlog(['info', '--url', server.url, '--connect-timeout', '300ms']);
    expect(info).toMatchObject({code: 69, stdout: ''});
  });
});

describe.concurrent('a command that is over soon, during a failover', () => {
  it('waits for the new master, and says so once', async (context) => {
    const set = await sentinelSet(context, {replicas: 1, sentinels: 1, masterArgs: []});
    await set.master.redis.xadd(STREAM, '*', 'value', 'a');
    await until(async () => (await set.replica.redis.xlen(STREAM)) === 1, 'the replica has it');
    // Nothing is done about it until all of them have seen that the master is gone.
    const timeouts = (ms: string) => set.sentinel.call('SENTINEL', 'SET', 'mymaster', 'down-after-milliseconds', ms);
    await timeouts('600000');
    set.master.process.kill('SIGKILL');
    const retry = ['--retry-for', '40s', '--url', set.url];
    const running = [['range'], ['trim', '--maxlen', '0', '--stream', 'other'], ['produce', 'value=b']].map((args) => {
      const command = startStreamlog([...args, ...retry]);
      context.onTestFinished(() => kill(command));
      command.process.stdin.end();
      return command;
    });
    await until(() => running.every(({stderr}) => /trying again/.test(stderr())), 'all of them wait');
    await timeouts('1000');
    const [range, trim, added] = await Promise.all(running.map(({finished}) => finished));
    expect(range).toMatchObject({code: 0, stdout: expect.stringContaining('"value":"a"')});
    expect(range!.stderr.match(/trying again for 40s/g)).toHaveLength(1);
    expect(trim).toMatchObject({code: 66, stderr: expect.stringContaining('no stream "other"')});
    expect(added!.code, added!.stderr).toBe(0);
  });

  it('ends at once where nothing ever answered and nothing can take over, unless it is told to wait', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    const {code, stderr} = await streamlog(['info', '--url', url]);
    expect(code).toBe(69);
    expect(stderr).not.toContain('trying again');
    const reported = await streamlog(['info', '--url', url, '--retry-for', '300ms']);
    expect(reported.code).toBe(69);
    expect(reported.stderr).toContain('trying again for 300ms');
  });
});
