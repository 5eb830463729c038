/**
 * Redis refuses `produce`: for now, and it waits, nothing is lost and nothing
 * added twice; or for good, and it ends at once, saying why and counting all.
 */
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {freePort, until} from '../support/redis-server.js';
import {BOTH_WAYS, LATE, numbered, ONCE, type Production, type Scene, STREAM, startScene} from './produce-scene.js';

const VALUES = numbered('v', 1_300);
const OTHERS = numbered('w', 1_300);

describe.concurrent('a Redis that refuses for now', () => {
  it.for(BOTH_WAYS)('F15 LOADING at the start, %s: waited out', async ([, args], context) => {
    const scene = await startScene(context);
    const {loaded} = await loading(scene);
    const production = scene.produce(args).feed(VALUES);
    await production.untilTold(/LOADING/);
    await scene.redis.config('SET', 'key-load-delay', '0');
    await loaded;
    expect((await production.finish()).code).toBe(0);
    expect(production.running.stderr().match(/LOADING/g)!.length).toBeLessThan(3);
    await scene.expectOnce(production);
  });

  it.for(BOTH_WAYS)('F15 LOADING in the middle, %s: waited out', async ([, args], context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction(args);
    const {loaded} = await loading(scene);
    production.feed(VALUES);
    await production.untilTold(/LOADING/);
    await scene.redis.config('SET', 'key-load-delay', '0');
    await loaded;
    expect((await production.finish()).code).toBe(0);
    await scene.expectAddedThroughRefusals(production, args);
  });

  it.for(BOTH_WAYS)('F16 OOM for a while, %s: waited out, with its reason', async ([, args], context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction(args);
    await scene.redis.config('SET', 'maxmemory', '1');
    production.feed(VALUES);
    await production.untilTold(/\(OOM\)/);
    await scene.redis.config('SET', 'maxmemory', '0');
    production.feed(OTHERS);
    expect((await production.finish()).code).toBe(0);
    await scene.expectAddedThroughRefusals(production, args);
  });

  it.for(BOTH_WAYS)(
    'F16 OOM that comes and goes, %s: nothing is lost or added twice, and records that are late are counted',
    async ([, args], context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction(args);
      let over = false;
      const toggling = (async () => {
        while (!over) {
          await scene.redis.config('SET', 'maxmemory', '1');
          await scene.redis.config('SET', 'maxmemory', '0');
        }
      })();
      for (const round of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
        production.feed(numbered(`r${round}-`, 2_000));
        await until(() => production.ids.length >= 2_000 * round, 'the round before is added');
      }
      await until(() => /OOM/.test(production.running.stderr()), 'something was refused');
      over = true;
      await toggling;
      const {code} = await production.finish();
      expect(code).toBe(0);
      expect(production.ids).toHaveLength(production.values.length);
      await scene.expectAddedThroughRefusals(production, args);
      if (args.length === 0) expect(production.running.stderr()).toMatch(LATE);
    },
  );

  it.for(BOTH_WAYS)('F16 OOM that passed, %s: it goes on by one connection', async ([, args], context) => {
    const scene = await startScene(context);
    /** Those that have added, or ended with a refusal; the proxy has no name. */
    const connections = async (): Promise<number> =>
      String(await scene.redis.client('LIST')).split(' name=streamlog ').length - 1;
    const production = await scene.idleProduction(args);
    const before = await connections();
    await scene.redis.config('SET', 'maxmemory', '1');
    production.feed(VALUES);
    await production.untilTold(/\(OOM\)/);
    await scene.redis.config('SET', 'maxmemory', '0');
    await until(() => production.ids.length === production.values.length, 'all is added');
    await until(async () => (await connections()) === before, 'there are no more connections than before', 15_000);
    expect((await production.finish()).code).toBe(0);
    await scene.expectAddedThroughRefusals(production, args);
  });

  it('F16 OOM for longer than --retry-for: 75, and each record is accounted for', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction(['--retry-for', '500ms']);
    await scene.redis.config('SET', 'maxmemory', '1');
    production.feed(VALUES);
    const {code, stderr} = await production.finish();
    expect(code).toBe(75);
    expect(stderr).toMatch(/read 1310, added 10, rejected 0, unconfirmed 1300/);
    expect(stderr).toMatch(/hint: .*maxmemory/);
    await scene.redis.config('SET', 'maxmemory', '0');
    await scene.expectProduced(production, {missing: true});
  });

  it('F16 OOM, and a refused connection comes back with none of it added: --exactly-once keeps to the order', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction([...ONCE, '--batch', '7']);
    await scene.redis.config('SET', 'maxmemory', '1');
    production.feed(VALUES);
    await production.untilTold(/\(OOM\)/);
    const cut = scene.proxy.cutAfter('evalsha', 3);
    await scene.redis.config('SET', 'maxmemory', '0');
    expect((await production.finish()).code).toBe(0);
    await cut;
    await scene.expectOnce(production);
  });

  it.for(BOTH_WAYS)('F18 MISCONF, %s: waited out', async ([, args], context) => {
    const scene = await startScene(context, {args: ['--save', '900', '1', '--rdb-key-save-delay', '10000000']});
    const production = await scene.idleProduction(args);
    await failToSave(scene);
    production.feed(VALUES);
    await production.untilTold(/MISCONF/);
    await scene.redis.config('SET', 'stop-writes-on-bgsave-error', 'no');
    expect((await production.finish()).code).toBe(0);
    await scene.expectAddedThroughRefusals(production, args);
  });

  it.for(BOTH_WAYS)(
    'F19 READONLY, a master that becomes a replica and then a master again, %s: waited out',
    async ([, args], context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction(args);
      await scene.redis.replicaof('127.0.0.1', await freePort());
      production.feed(VALUES);
      await production.untilTold(/READONLY/);
      await scene.redis.replicaof('NO', 'ONE');
      expect((await production.finish()).code).toBe(0);
      await scene.expectAddedThroughRefusals(production, args);
    },
  );

  it.for(BOTH_WAYS)('F24 maxclients, %s: no room for us is waited out', async ([, args], context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction(args);
    await scene.redis.config('SET', 'maxclients', '1');
    await scene.killClients();
    production.feed(VALUES);
    await production.untilTold(/maxclients/);
    await scene.redis.config('SET', 'maxclients', '100');
    expect((await production.finish()).code).toBe(0);
    await scene.expectOnce(production);
  });

  it('scripts that are forgotten (SCRIPT FLUSH): --exactly-once goes on', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction([...ONCE, '--batch', '50']);
    for (const round of [0, 1, 2]) {
      production.feed(numbered(`r${round}-`, 600));
      await until(async () => (await scene.length()) > 10 + 600 * round, 'some of them are there');
      await scene.redis.script('FLUSH');
    }
    production.feed(OTHERS);
    expect((await production.finish()).code).toBe(0);
    await scene.expectOnce(production);
  });
});

describe.concurrent('a Redis that refuses for good', () => {
  it.for(BOTH_WAYS)(
    'F21 a stream that becomes another type, %s: 65, and no second attempt',
    async ([, args, command], context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction(args);
      await scene.redis.set(STREAM, 'a string');
      const before = scene.proxy.requests(command);
      production.feed(['a', 'b', 'c']);
      const {code, stderr} = await production.finish();
      expect(code).toBe(65);
      expect(stderr).toContain('"events" is not a stream');
      expect(stderr).not.toContain('trying again');
      expectAccounted(production, 13, 10);
      expect(scene.proxy.requests(command) - before).toBe(command === 'xadd' ? 3 : 1);
      expect(await scene.redis.get(STREAM)).toBe('a string');
    },
  );

  it.for([
    ['XADD', '-xadd', BOTH_WAYS[0]![1]],
    ['XADD', '-xadd', ONCE],
    ['EVALSHA', '-evalsha', ONCE],
  ] as const)('F22 %s is forbidden in the middle (%s %j): 77', async ([command, rule, args], context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction([...args]);
    await scene.redis.acl('SETUSER', 'default', rule);
    production.feed(VALUES);
    const {code, stderr} = await production.finish();
    expect(code).toBe(77);
    // Redis 7.0 does not say which command of a script it refuses.
    expect(stderr).toMatch(new RegExp(`may not run (a command of the script for )?${command}.* on stream "events"`));
    expect(stderr).not.toContain('trying again');
    expectAccounted(production, 1_310, 10);
    await scene.expectProduced(production, {missing: true});
  });

  it.for([
    ['no key but the stream', ['~events']],
    ['the fence for reading only', ['~events', '%R~{events}:streamlog:*']],
    ['no scripts', ['~*', '-eval', '-evalsha', '-script']],
  ])('a user who may use %s: --exactly-once ends with 77, and adds nothing', async ([, rules], context) => {
    const scene = await startScene(context);
    await scene.redis.acl('SETUSER', 'adder', 'on', '>geheim', '+@all', ...rules!);
    const env = {STREAMLOG_URL: `redis://adder:geheim@127.0.0.1:${scene.proxy.port}`};
    const production = scene.produce(ONCE, {env}).feed(VALUES);
    const {code, stderr} = await production.finish();
    expect(code).toBe(77);
    expect(stderr).toMatch(/keeps a hash beside the stream/);
    expect(stderr).toMatch(/hint: .*streamlog:/);
    expect(await scene.redis.exists(STREAM)).toBe(0);
    const plain = scene.produce([], {env}).feed(VALUES);
    expect((await plain.finish()).code).toBe(0);
  });

  it('a fence that is no fence: --exactly-once ends with 65, names it, and adds nothing', async (context) => {
    const scene = await startScene(context);
    await scene.redis.set('{events}:streamlog:producer:events:p', 'a string');
    const production = scene.produce([...ONCE, '--producer-id', 'p']).feed(VALUES);
    const {code, stderr} = await production.finish();
    expect(code).toBe(65);
    expect(stderr).toContain('{events}:streamlog:producer:events:p');
    expect(await scene.redis.exists(STREAM)).toBe(0);
  });

  it('a fence that is replaced in the middle: --exactly-once ends with 65, and adds nothing more', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction([...ONCE, '--producer-id', 'p']);
    await scene.redis.set('{events}:streamlog:producer:events:p', 'a string');
    production.feed(VALUES);
    expect((await production.finish()).code).toBe(65);
    expectAccounted(production, 1_310, 10);
    await scene.expectProduced(production, {missing: true});
    expect(await scene.length()).toBe(10);
  });

  it.for(BOTH_WAYS)(
    'F23 a password that is changed in the middle, %s: 77, and it is in no output',
    async ([, args], context) => {
      const scene = await startScene(context, {password: 'geheim'});
      const env = {STREAMLOG_URL: `redis://:geheim@127.0.0.1:${scene.proxy.port}`};
      const production = await scene.idleProduction([...args, '-v'], {env});
      await scene.redis.config('SET', 'requirepass', 'anders');
      await scene.killClients();
      production.feed(VALUES);
      const {code, stderr, stdout} = await production.finish();
      expect(code).toBe(77);
      expect(stderr).toContain('refuses the given user or password');
      expect(stderr + stdout).not.toMatch(/geheim|anders/);
      expectAccounted(production, 1_310, 10);
      await scene.expectProduced(production, {missing: true});
    },
  );

  it.for(BOTH_WAYS)(
    'F23 a password that is changed while no input comes, %s: 77, without waiting for more of it',
    async ([, args], context) => {
      const scene = await startScene(context, {password: 'geheim'});
      const env = {STREAMLOG_URL: `redis://:geheim@127.0.0.1:${scene.proxy.port}`};
      const production = await scene.idleProduction([...args], {env});
      await scene.redis.config('SET', 'requirepass', 'anders');
      await scene.killClients();
      // Its standard input stays open.
      expect((await production.running.finished).code).toBe(77);
    },
  );

  it.for(BOTH_WAYS)(
    'F38 a record that is larger than Redis takes, %s: 65, those before it are there, and it is not sent again and again',
    async ([, args], context) => {
      const scene = await startScene(context);
      await scene.redis.config('SET', 'proto-max-bulk-len', '1mb');
      const production = await scene.idleProduction([...args, '--retry-for', '40s']);
      production.feed(['before', 'x'.repeat(3 * 1024 ** 2), 'after']);
      const {code, stderr} = await production.finish();
      expect(code, stderr.slice(0, 500)).toBe(65);
      expect(stderr).toMatch(/larger than this server takes/);
      await scene.expectProduced(production, {missing: true});
      expect(await scene.length()).toBeLessThan(13);
    },
  );

  it('a record that is refused for what it is, and the connection is lost behind it: 65, and not forgotten', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd(STREAM, '50-0', 'value', 'earlier');
    const ids = ['60-1', '40-1', ...Array.from({length: 20}, (_, index) => `70-${index}`)];
    const cut = scene.proxy.cutAfter('xadd', 10);
    const production = scene.produce(['--input', 'envelope', '--keep-ids']);
    production.running.process.stdin.write(ids.map((id) => `{"id":"${id}","fields":{"value":"v${id}"}}\n`).join(''));
    const {code, stderr} = await production.finish();
    await cut;
    expect(code, stderr).toBe(65);
    expect(stderr).toContain('rejected 1');
    expect(stderr).toContain('not above the last ID');
  });
});

describe.concurrent('data that goes away', () => {
  it('FLUSHALL in the middle: by default it goes on', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction();
    await scene.redis.flushall();
    production.feed(VALUES);
    expect((await production.finish()).code).toBe(0);
    expect(await scene.length()).toBe(VALUES.length);
  });

  it.for([[], ['--producer-id', 'p']])(
    'FLUSHALL in the middle, --exactly-once %j: 70, saying what had been confirmed',
    async (args, context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction([...ONCE, ...args]);
      await scene.redis.flushall();
      production.feed(VALUES);
      const {code, stderr} = await production.finish();
      expect(code).toBe(70);
      expect(stderr).toContain('what Redis knew of this producer is gone, though 10 records were confirmed');
      expectAccounted(production, 1_310, 10);
      expect(await scene.length()).toBe(0);
    },
  );
});

/** The counts on standard error: all that was read, and none that is in two places. */
function expectAccounted(production: Production, read: number, added: number): void {
  const text = production.running.stderr();
  const counts = /read (\d+), added (\d+), rejected (\d+), unconfirmed (\d+)/.exec(text)?.slice(1).map(Number);
  expect(counts, text).toBeDefined();
  expect(counts!.slice(0, 2)).toEqual([read, added]);
  expect(counts![1]! + counts![2]! + counts![3]!).toBe(read);
}

/** Has Redis load its data, slowly, until `key-load-delay` is taken back; resolves when that has begun. */
async function loading({redis}: Scene): Promise<{loaded: Promise<unknown>}> {
  await redis.call('DEBUG', 'POPULATE', '20000');
  await redis.config('SET', 'key-load-delay', '200');
  await redis.config('SET', 'loading-process-events-interval-bytes', '1024');
  const other = redis.duplicate();
  const loaded = other.call('DEBUG', 'RELOAD').finally(() => other.disconnect());
  await until(async () => /loading:1/.test(await redis.info('persistence')), 'it loads');
  return {loaded};
}

/** A BGSAVE that fails, so that Redis refuses writes. */
async function failToSave({redis}: Scene): Promise<void> {
  await redis.bgsave();
  await until(async () => /rdb_bgsave_in_progress:1/.test(await redis.info('persistence')), 'BGSAVE has begun');
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))![1]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const each of children) process.kill(Number(each), 'SIGKILL');
  await until(async () => /rdb_last_bgsave_status:err/.test(await redis.info('persistence')), 'BGSAVE has failed');
}
