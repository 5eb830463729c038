/**
 * --durability: a record counts as added, and its ID is printed, when it is as
 * safe as was asked for; else it is unconfirmed, whatever the stream has.
 */
import {describe, expect, it, type TestContext} from 'vitest';
import {type RedisServer, serverPrograms, startRedis, until} from '../support/redis-server.js';
import {BOTH_WAYS, expectOnce, numbered, ONCE, type Scene, STREAM, startScene, TWICE} from './produce-scene.js';

const VALUES = numbered('v', 1_300);
/** Of so many batches that to wait for each of them would take more time than a test has. */
const MANY = numbered('v', 12_000);
const REPLICA = ['--durability', 'replicas:1'];
/** For those who wait in vain: more than one WAIT. */
const SOON = ['--retry-for', '1500ms'];
const FSYNC = ['--durability', 'fsync'];

describe.concurrent('--durability replicas:N', () => {
  it.for(BOTH_WAYS)('with a replica, %s: what is told has reached it', async ([, args], context) => {
    const scene = await startScene(context, {tcp: true});
    const replica = await follower(context, scene);
    const production = scene.produce([...REPLICA, ...args]).feed(VALUES);
    const {code, stderr} = await production.finish();
    expect(code, stderr).toBe(0);
    await expectOnce(replica.redis, production);
  });

  it.for(BOTH_WAYS)(
    'without a replica, %s: 75 after --retry-for, all of them unconfirmed, and no ID is printed',
    async ([, args], context) => {
      const scene = await startScene(context, {tcp: true});
      const production = scene.produce([...REPLICA, ...SOON, ...args]).feed(MANY);
      const {code, stdout, stderr} = await production.finish();
      expect({code, stdout}).toEqual({code: 75, stdout: ''});
      expect(stderr).toContain('read 12000, added 0, rejected 0, unconfirmed 12000');
      expect(stderr).toContain('0 of 1 replicas had the entries');
      expect(stderr).toContain('they are in the stream');
      // Said once, however often it is asked for.
      expect(stderr.match(/waiting for them/g)).toHaveLength(1);
      expect(await scene.length()).toBeGreaterThan(0);
    },
  );

  it.for(BOTH_WAYS)(
    'a replica that stops in the middle, %s: what it has got is told, what it has not is unconfirmed',
    async ([, args], context) => {
      const scene = await startScene(context, {tcp: true});
      const replica = await follower(context, scene);
      const production = await scene.idleProduction([...REPLICA, ...SOON, ...args]);
      replica.process.kill('SIGSTOP');
      production.feed(VALUES);
      const {code, stderr} = await production.finish();
      replica.process.kill('SIGCONT');
      expect(code).toBe(75);
      expect(stderr).toContain('read 1310, added 10, rejected 0, unconfirmed 1300');
      expect(production.ids).toHaveLength(10);
      await scene.expectProduced(production, {missing: true});
    },
  );

  it.for(BOTH_WAYS)(
    'a replica that is away for longer than a WAIT, %s: its return is waited for, and all are told once',
    async ([, args], context) => {
      const scene = await startScene(context, {tcp: true});
      const replica = await follower(context, scene);
      const production = await scene.idleProduction([...REPLICA, ...args]);
      replica.process.kill('SIGSTOP');
      production.feed(VALUES);
      await production.untilTold(/0 of 1 replicas had the entries within 1s; waiting for them/);
      replica.process.kill('SIGCONT');
      const {code, stderr} = await production.finish();
      expect(code, stderr).toBe(0);
      expect(production.reported(TWICE)).toBe(0);
      await expectOnce(replica.redis, production);
    },
  );

  it.for(BOTH_WAYS)(
    'a user without WAIT, %s: 77 that names it, before anything is added',
    async ([, args], context) => {
      const scene = await startScene(context, {tcp: true});
      await scene.redis.call('ACL', 'SETUSER', 'app', 'on', '>secret', '~*', '+@all', '-wait');
      const env = {STREAMLOG_USERNAME: 'app', STREAMLOG_PASSWORD: 'secret'};
      const {code, stderr} = await scene
        .produce([...REPLICA, ...args], {env})
        .feed(VALUES)
        .finish();
      expect(code).toBe(77);
      expect(stderr).toMatch(/may not run WAIT\n.*hint: .*\+wait/);
      expect(await scene.redis.exists(STREAM)).toBe(0);
    },
  );

  it('a lost reply to WAIT: by default all of the batch is sent again, and counted as perhaps twice', async (context) => {
    const scene = await startScene(context, {tcp: true});
    const replica = await follower(context, scene);
    const cut = scene.proxy.cutAfter('wait', 2);
    const production = scene.produce(REPLICA).feed(VALUES);
    expect((await production.finish()).code).toBe(0);
    await cut;
    expect(production.ids).toHaveLength(VALUES.length);
    expect(production.reported(TWICE)).toBeGreaterThanOrEqual(500);
    await scene.expectProduced(production, {duplicates: 'as told'});
    expect(await replica.redis.xlen(STREAM)).toBe(await scene.length());
  });

  it.for(['wait', 'evalsha'])(
    'a lost reply to %s with --exactly-once: all of them are told when the replica has them, and once',
    async (command, context) => {
      const scene = await startScene(context, {tcp: true});
      const replica = await follower(context, scene);
      const cut = scene.proxy.cutAfter(command, 2);
      const production = scene.produce([...REPLICA, ...ONCE]).feed(VALUES);
      expect((await production.finish()).code).toBe(0);
      await cut;
      await expectOnce(replica.redis, production);
    },
  );

  it('a call that is repeated does not pass for replicated: it waits for the replica too', async (context) => {
    const scene = await startScene(context, {tcp: true});
    const replica = await follower(context, scene);
    const production = await scene.idleProduction([...REPLICA, ...SOON, ...ONCE]);
    replica.process.kill('SIGSTOP');
    const cut = scene.proxy.cutAfter('evalsha', 1);
    production.feed(['late']);
    await cut;
    const {code} = await production.finish();
    replica.process.kill('SIGCONT');
    expect(code).toBe(75);
    expect(production.ids).toHaveLength(10);
  });
});

describe.concurrent.each(serverPrograms())('--durability fsync on $name', ({program}) => {
  it.for(BOTH_WAYS)(
    'with an append-only file, %s: all are confirmed; or 78 where there is no WAITAOF, and nothing is added',
    async ([, args], context) => {
      const scene = await startScene(context, {program, args: ['--appendonly', 'yes']});
      const production = scene.produce([...FSYNC, ...args]).feed(VALUES);
      const {code, stdout, stderr} = await production.finish();
      if (await knowsWaitAof(scene)) {
        expect(code, stderr).toBe(0);
        return scene.expectOnce(production);
      }
      expect({code, stdout}).toEqual({code: 78, stdout: ''});
      expect(stderr).toMatch(/does not know WAITAOF\n.*hint: .*7\.2/);
      expect(await scene.redis.exists(STREAM)).toBe(0);
    },
  );

  it.for(BOTH_WAYS)('without an append-only file, %s: 78, and nothing is added', async ([, args], context) => {
    const scene = await startScene(context, {program});
    const production = scene.produce([...FSYNC, ...args]).feed(VALUES);
    const {code, stdout, stderr} = await production.finish();
    expect({code, stdout}).toEqual({code: 78, stdout: ''});
    expect(stderr).toMatch(/hint: .*(appendonly yes|7\.2)/);
    expect(await scene.redis.exists(STREAM)).toBe(0);
  });
});

const knowsWaitAof = async ({redis}: Scene): Promise<boolean> =>
  ((await redis.call('COMMAND', 'INFO', 'WAITAOF')) as unknown[])[0] !== null;

/** A replica of the scene's server that is up to date, and ends with its test. */
async function follower({onTestFinished}: TestContext, {server, redis}: Scene): Promise<RedisServer> {
  await redis.config('SET', 'repl-diskless-sync-delay', '0');
  const replica = await startRedis({args: ['--replicaof', '127.0.0.1', String(server.port)]});
  onTestFinished(async () => {
    replica.process.kill('SIGCONT');
    await replica.stop();
  });
  await until(async () => /state=online/.test(await redis.info('replication')), 'it follows');
  return replica;
}
