/**
 * A Redis that answers, and says no: for now, so that consuming waits and goes
 * on, or for good, so that it ends with the code that says why.
 */
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {freePort, startRedis, until} from '../support/redis-server.js';
import {startStreamlog, streamlog} from '../support/run-cli.js';
import {GROUP, gate, numbered, printed, type Scene, STREAM, startScene, untilTold} from './consume-scene.js';

const VALUES = numbered('v', 6);

describe.concurrent('a Redis that refuses for now', () => {
  it('F15 LOADING after a restart: waited out, with one line', async (context) => {
    const scene = await startScene(context, {args: ['--appendonly', 'yes', '--appendfsync', 'always']});
    const consumer = await scene.idleConsumer();
    // Of a size at which Redis answers after each of them.
    await scene.redis.call('DEBUG', 'POPULATE', '3000', 'key', '1000');
    await scene.redis.bgrewriteaof();
    await until(
      async () => /aof_rewrite_in_progress:0/.test(await scene.redis.info('persistence')),
      'AOF is rewritten',
    );
    await scene.killServer();
    scene.startServerAgain(['--key-load-delay', '500', '--loading-process-events-interval-bytes', '1024']);
    await untilTold(consumer, /LOADING/);
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect(consumer.stderr().match(/LOADING/g)).toHaveLength(1);
    // With pauses that grow it asks some seven times, without them more than a hundred times.
    expect(scene.proxy.requests('xpending')).toBeLessThan(40);
    await scene.expectAllDelivered();
  });

  it('F15 LOADING for connections that stay, as in DEBUG RELOAD: an acknowledgement waits, and its handler does not run again', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun, open} = gate(scene);
    const consumer = scene.consume(['--exec', command]);
    await until(() => begun() === 1, 'the handler runs');
    await scene.redis.call('DEBUG', 'POPULATE', '3000');
    await scene.redis.config('SET', 'key-load-delay', '500');
    await scene.redis.config('SET', 'loading-process-events-interval-bytes', '1024');
    const acknowledgements = scene.proxy.requests('xack');
    const reload = scene.redis.call('DEBUG', 'RELOAD');
    open();
    await until(() => scene.proxy.requests('xack') > acknowledgements, 'it acknowledges');
    await reload;
    expect(String(await scene.redis.info('errorstats'))).toContain('errorstat_LOADING');
    await scene.add('after');
    await scene.untilPrinted(consumer, 'one', 'after');
    await scene.expectAllDelivered();
    expect(begun()).toBe(2);
    expect(consumer.stderr()).not.toContain('vanished');
  });

  it('F16 OOM: with a group that is there, all goes on', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0');
    await scene.redis.config('SET', 'maxmemory', '1');
    const consumer = scene.consume(['--exit']);
    expect((await consumer.finished).code).toBe(0);
    expect(consumer.stderr()).toBe('');
    await scene.redis.config('SET', 'maxmemory', '0');
    await scene.expectAllDelivered();
  });

  it('F16 OOM: a group that cannot be made yet is waited for', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    await scene.redis.config('SET', 'maxmemory', '1');
    const consumer = scene.consume();
    await untilTold(consumer, /OOM/);
    await scene.redis.config('SET', 'maxmemory', '0');
    await scene.untilPrinted(consumer, ...VALUES);
    await scene.expectAllDelivered();
  });

  it('F16 OOM: an entry that cannot become a dead letter yet stays pending until it can', async (context) => {
    const scene = await startScene(context);
    await scene.add('poison');
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0');
    await scene.redis.config('SET', 'maxmemory', '1');
    const consumer = scene.consume(['--exec', 'exit 65', '--exit']);
    await untilTold(consumer, /OOM/);
    expect(await scene.pending()).toBe(1);
    await scene.redis.config('SET', 'maxmemory', '0');
    expect((await consumer.finished).code).toBe(0);
    expect(await scene.redis.xlen(`{${STREAM}}:dead`)).toBe(1);
    expect(await scene.pending()).toBe(0);
  });

  it('F18 MISCONF: acknowledgements wait, nothing new is read, and no handler runs twice', async (context) => {
    const scene = await startScene(context, {args: ['--save', '900', '1', '--rdb-key-save-delay', '10000000']});
    await scene.add(...VALUES);
    const {command, begun, open} = gate(scene);
    const consumer = scene.consume(['--exec', command, '--batch', '1', '--exit']);
    await until(() => begun() === 1, 'the first handler runs');
    await failToSave(scene);
    open();
    await untilTold(consumer, /MISCONF/);
    await until(() => scene.proxy.requests('xack') > 2, 'the acknowledgement is sent again');
    const delivered = await deliveredSoFar(scene);
    await until(() => printed(consumer).length === delivered, 'what was delivered is handled');
    const requests = scene.proxy.requests('xack');
    await until(() => scene.proxy.requests('xack') > requests, 'the acknowledgement is sent once more');
    expect(await deliveredSoFar(scene)).toBe(delivered);
    await scene.redis.config('SET', 'rdb-key-save-delay', '0');
    await scene.redis.config('SET', 'stop-writes-on-bgsave-error', 'no');
    expect((await consumer.finished).code).toBe(0);
    expect(begun()).toBe(VALUES.length);
    await scene.expectAllDelivered();
  });

  it('F18 MISCONF: what was printed is acknowledged when Redis can write again', async (context) => {
    const scene = await startScene(context, {args: ['--save', '900', '1', '--rdb-key-save-delay', '10000000']});
    const consumer = await scene.idleConsumer();
    await failToSave(scene);
    await untilTold(consumer, /MISCONF/);
    await scene.redis.config('SET', 'stop-writes-on-bgsave-error', 'no');
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    await untilTold(consumer, /Redis answers again/);
    await scene.expectAllDelivered();
  });

  it('F19 READONLY: a master that becomes a replica and then a master again', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    await scene.redis.replicaof('127.0.0.1', await freePort());
    await untilTold(consumer, /READONLY|UNBLOCKED/);
    await scene.redis.replicaof('NO', 'ONE');
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    await scene.expectAllDelivered();
  });

  it('F24 maxclients: no room for us is waited out; a consumer takes two connections', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    expect(await scene.clients()).toHaveLength(2);
    await scene.redis.config('SET', 'maxclients', '1');
    await scene.redis.call('CLIENT', 'KILL', 'TYPE', 'normal');
    await untilTold(consumer, /maxclients/);
    await scene.redis.config('SET', 'maxclients', '100');
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect(await scene.clients()).toHaveLength(2);
    await scene.expectAllDelivered();
  });

  it('F12 BUSY: a script that keeps Redis busy is waited out', async (context) => {
    const scene = await startScene(context, {args: ['--busy-reply-threshold', '50']});
    const consumer = await scene.idleConsumer();
    const busy = scene.redis.eval('while true do end', 0).catch(() => {});
    await untilTold(consumer, /BUSY/);
    const other = scene.redis.duplicate({enableReadyCheck: false});
    await other.call('SCRIPT', 'KILL');
    other.disconnect();
    await busy;
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    await scene.expectAllDelivered();
  });
});

describe.concurrent('a group that goes missing', () => {
  const losses: [name: string, lose: (scene: Scene) => Promise<unknown>][] = [
    ['FLUSHALL', ({redis}) => redis.flushall()],
    ['DEL of the stream', ({redis}) => redis.del(STREAM)],
    ['RENAME of the stream', ({redis}) => redis.rename(STREAM, 'elsewhere')],
    ['XGROUP DESTROY', ({redis}) => redis.xgroup('DESTROY', STREAM, GROUP)],
  ];

  it.for(losses)(
    'F20 %s while a read blocks: the group is made again, loudly, and nothing new is missed',
    async ([, lose], context) => {
      const scene = await startScene(context);
      const consumer = await scene.idleConsumer();
      await lose(scene);
      await scene.add('after');
      await scene.untilPrinted(consumer, 'after');
      await untilTold(consumer, /group "streamlog" on stream "events" had vanished; it was made again/);
      expect(printed(consumer).map(({value}) => value)).toEqual(['first', 'after']);
      await scene.untilAllAcknowledged();
    },
  );

  it.for(losses)('F20 %s with --no-create: 66', async ([, lose], context) => {
    const scene = await startScene(context);
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
    const consumer = await scene.idleConsumer(['--no-create']);
    await lose(scene);
    expect((await consumer.finished).code).toBe(66);
    expect(consumer.stderr()).toMatch(/no (group|stream)/);
  });

  it.for(losses)('F20 %s while the link is down: found after reconnecting', async ([, lose], context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    scene.proxy.refuse();
    scene.proxy.cut();
    await untilTold(consumer, /trying again/);
    await lose(scene);
    await scene.add('after');
    await scene.proxy.listen();
    await scene.untilPrinted(consumer, 'after');
    await untilTold(consumer, /had vanished/);
    expect(printed(consumer).map(({value}) => value)).toEqual(['first', 'after']);
  });

  it('F20 XGROUP DESTROY before anything was read: the group goes on where it was, not where a new one would begin', async (context) => {
    const scene = await startScene(context);
    const ids = await scene.add('old0', 'old1', 'due');
    await scene.redis.xgroup('CREATE', STREAM, GROUP, ids[2]!);
    const consumer = scene.consume();
    await scene.untilBlocked();
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect(printed(consumer).map(({value}) => value)).toEqual(['after']);
  });

  it('F20 XGROUP DESTROY with --from end and a lag: what the group had not read is not skipped', async (context) => {
    const scene = await startScene(context);
    const ids = await scene.add('old', 'due0', 'due1');
    await scene.redis.xgroup('CREATE', STREAM, GROUP, ids[0]!);
    const lost = scene.proxy.cutBefore('xreadgroup', 1);
    const consumer = scene.consume(['--from', 'end']);
    await lost;
    scene.proxy.refuse();
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    await scene.proxy.listen();
    await scene.untilPrinted(consumer, 'due0', 'due1');
    expect(printed(consumer).map(({value}) => value)).toEqual(['due0', 'due1']);
  });

  it('F20 XGROUP DESTROY while a handler runs: when it fails, it is tried again all the same', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun, open} = gate(scene);
    const attempts = `[ $STREAMLOG_DELIVERIES -gt 1 ] && { cat; exit 0; }; (${command}) > /dev/null; exit 1`;
    const consumer = scene.consume(['--exec', attempts, '--retry-backoff', '10ms']);
    await until(() => begun() === 1, 'the handler runs');
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    await untilTold(consumer, /had vanished/);
    open();
    await scene.untilPrinted(consumer, 'one');
    expect(printed(consumer)).toMatchObject([{value: 'one', deliveries: 2}]);
    await scene.expectAllDelivered();
  });

  it('F20 XGROUP DESTROY under two consumers: one of them makes the group again and says so, both go on', async (context) => {
    const scene = await startScene(context);
    const consumers = [await scene.idleConsumer(), scene.consume(['--name', 'w2'])];
    const blocked = async (): Promise<boolean> =>
      (await scene.clients()).filter(({flags}) => flags!.includes('b')).length === 2;
    await until(blocked, 'both wait');
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    await until(async () => (await blocked()) && consumers.some((each) => each.stderr() !== ''), 'both wait again');
    const values = numbered('after', 20);
    await scene.add(...values);
    const all = (): string[] => consumers.flatMap((each) => printed(each).map(({value}) => value));
    await until(() => all().length >= 21, 'all is printed');
    await scene.expectAllDelivered();
    expect(
      consumers
        .map((each) => each.stderr())
        .join('')
        .match(/had vanished/g),
    ).toHaveLength(1);
  });

  it('F20 XGROUP DESTROY after a lost reply: what that reply held counts as read', async (context) => {
    const scene = await startScene(context);
    const values = numbered('v', 5);
    await scene.add(...values);
    const cut = scene.proxy.cutAfter('xreadgroup', 3);
    const consumer = scene.consume();
    await cut;
    await scene.untilPrinted(consumer, ...values);
    await scene.untilAllAcknowledged();
    await scene.untilBlocked();
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect(printed(consumer).map(({value}) => value)).toEqual([...values, 'after']);
  });

  it('F20 XGROUP DESTROY while it reads ahead: the group goes on where it was, and all is printed once', async (context) => {
    const scene = await startScene(context);
    const values = numbered('v', 60_000);
    await scene.add(...values);
    const consumer = scene.consume(['--batch', '1000', '--exit']);
    await until(() => consumer.stdout().length > 200_000, 'much is printed');
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    expect((await consumer.finished).code).toBe(0);
    expect(consumer.stderr()).toContain('had vanished');
    expect(printed(consumer).map(({value}) => value)).toEqual(values);
    await scene.expectAllDelivered();
  });

  it('F20 a stream that begins anew with lower IDs is read from its start', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    await scene.redis.multi().del(STREAM).xadd(STREAM, '1-0', 'value', 'low').exec();
    await scene.untilPrinted(consumer, 'low');
    expect(printed(consumer).at(-1)).toMatchObject({id: '1-0', deliveries: 1});
    await untilTold(consumer, /made again, to go on after 0-0: the stream has begun anew/);
  });

  it.each([
    ['fewer entries', ['1-0', '9-0'], 'old'],
    ['another first entry', ['2-0', '3-0', '4-0', '5-0', '9-0'], 'old'],
    ['other fields under the last ID', ['1-0', '2-0', '3-0', '4-0', '9-0'], 'new'],
    ['no entry under the last ID', ['1-0', '2-0', '4-0', '5-0', '9-0'], 'old'],
  ])(
    'a stream that was filled again past our place in one step, with %s: nothing of it is skipped',
    async (_, ids, value) => {
      const server = await startRedis();
      const running = startStreamlog(['consume', '--name', 'w1'], {server});
      try {
        for (const id of ['1-0', '2-0', '3-0']) await server.redis.xadd(STREAM, id, 'value', 'old');
        await until(() => printed(running).length === 3, 'three are printed');
        const transaction = server.redis.multi().del(STREAM);
        for (const id of ids) transaction.xadd(STREAM, id, 'value', value);
        await transaction.exec();
        await until(() => printed(running).some(({id}) => id === '9-0'), 'the last one is printed');
        expect(
          printed(running)
            .slice(3)
            .map(({id}) => id),
        ).toEqual(ids);
      } finally {
        running.process.kill('SIGKILL');
        await running.finished;
        await server.stop();
      }
    },
  );

  it.for([
    ['1-0', '2-0', '3-0', '5-0'],
    // IDs are no text: 10-0 comes after 9-0.
    ['9-0', '10-0', '11-0', '12-0'],
  ] as const)(
    'a stream that was filled again with fewer entries than we have read since we looked: nothing of it is skipped (%s)',
    async ([first, second, third, last]) => {
      const server = await startRedis();
      await server.redis.xadd(STREAM, first, 'value', 'same');
      const running = startStreamlog(['consume', '--name', 'w1'], {server});
      try {
        await until(() => printed(running).length === 1, 'what was there is printed');
        for (const id of [second, third]) await server.redis.xadd(STREAM, id, 'value', 'same');
        await until(() => printed(running).length === 3, 'what came since is printed');
        const transaction = server.redis.multi().del(STREAM);
        for (const id of [first, third]) transaction.xadd(STREAM, id, 'value', 'same');
        await transaction.exec();
        await until(() => /begun anew|made again/.test(running.stderr()), 'the group is made again');
        await server.redis.xadd(STREAM, last, 'value', 'last');
        await until(() => printed(running).at(-1)?.id === last, 'the last one is printed');
        expect(
          printed(running)
            .slice(3)
            .map(({id}) => id),
        ).toEqual([first, third, last]);
      } finally {
        running.process.kill('SIGKILL');
        await running.finished;
        await server.stop();
      }
    },
  );

  it('a stream that was filled again twice: what was known of the first one says nothing of the third', async () => {
    const server = await startRedis();
    const fill = async (...ids: string[]): Promise<void> => {
      const transaction = server.redis.multi().del(STREAM);
      for (const id of ids) transaction.xadd(STREAM, id, 'value', 'same');
      await transaction.exec();
    };
    await fill('2-0', '3-0', '4-0');
    const running = startStreamlog(['consume', '--name', 'w1'], {server});
    try {
      await until(() => printed(running).length === 3, 'the first one is printed');
      await fill('1-0', '9-0');
      await until(() => printed(running).length === 5, 'the second one is printed');
      await fill('2-0', '9-0', '10-0');
      await until(() => printed(running).at(-1)?.id === '10-0', 'the last one is printed');
      expect(
        printed(running)
          .slice(5)
          .map(({id}) => id),
      ).toEqual(['2-0', '9-0', '10-0']);
    } finally {
      running.process.kill('SIGKILL');
      await running.finished;
      await server.stop();
    }
  });

  it('XGROUP DESTROY says that what was pending with others is gone, and how to get it again', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    const [id] = await scene.add('other');
    await scene.untilPrinted(consumer, 'other');
    await scene.untilAllAcknowledged();
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    await untilTold(
      consumer,
      /it was made again, to go on after \S+; what was pending with other consumers is pending no more: streamlog group seek streamlog --stream events --to ID delivers again from an ID on/,
    );
    const again = await streamlog(['group', 'seek', GROUP, '--stream', STREAM, '--to', id!], {server: scene.server});
    expect(again.code).toBe(0);
    await until(() => printed(consumer).filter(({value}) => value === 'other').length === 2, 'it comes again');
  });
});

describe.concurrent('what no waiting mends', () => {
  it('F21 another type under the name while a read blocks: 65', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    await scene.redis.set(STREAM, 'text');
    expect((await consumer.finished).code).toBe(65);
    expect(consumer.stderr()).toContain('"events" is a string, not a stream');
  });

  it.for(['xreadgroup', 'xack', 'xpending'])('F22 %s denied while it runs: 77, naming it', async (command, context) => {
    const scene = await startScene(context);
    await scene.redis.call('ACL', 'SETUSER', 'worker', 'on', '>geheim', '~*', '+@all');
    const consumer = await scene.idleConsumer(['--claim', '200ms'], {
      env: {STREAMLOG_URL: `redis://worker:geheim@127.0.0.1:${scene.proxy.port}`},
    });
    await scene.redis.call('ACL', 'SETUSER', 'worker', `-${command}`);
    await scene.add('after');
    expect((await consumer.finished).code).toBe(77);
    expect(consumer.stderr()).toContain(`the Redis user may not run ${command.toUpperCase()}`);
    expect(consumer.stderr() + consumer.stdout()).not.toContain('geheim');
    expect(await scene.pending()).toBe(command === 'xack' ? 1 : 0);
  });

  it('F22 xack denied while it reads ahead: 77, and what is not acknowledged is pending', async (context) => {
    const scene = await startScene(context);
    await scene.redis.call('ACL', 'SETUSER', 'worker', 'on', '>geheim', '~*', '+@all');
    const ids = await scene.add(...numbered('v', 60_000));
    const url = scene.proxy.url.replace('://', '://worker:geheim@');
    const consumer = scene.consume(['--batch', '1000'], {env: {STREAMLOG_URL: url}});
    await until(() => consumer.stdout().length > 200_000, 'much is printed');
    await scene.redis.call('ACL', 'SETUSER', 'worker', '-xack');
    expect((await consumer.finished).code).toBe(77);
    expect(consumer.stderr()).toMatch(/XACK/);
    const [pending, lowest] = (await scene.redis.xpending(STREAM, GROUP)) as [number, string];
    expect(pending).toBeGreaterThan(0);
    // A batch that was printed, and one that was asked for.
    expect(pending).toBeLessThanOrEqual(2_000);
    // Nothing before the first that is pending was left out.
    const acknowledged = ids.slice(0, ids.indexOf(lowest));
    const seen = new Set(printed(consumer).map(({id}) => id));
    expect(acknowledged.filter((id) => !seen.has(id))).toEqual([]);
  });

  it('F23 a password that is changed while it runs, and a connection that ends: 77, showing neither', async (context) => {
    const scene = await startScene(context, {password: 'alt-geheim'});
    const consumer = await scene.idleConsumer([], {env: {STREAMLOG_PASSWORD: 'alt-geheim', DEBUG: ''}});
    await scene.redis.config('SET', 'requirepass', 'neu-geheim');
    await scene.redis.call('CLIENT', 'KILL', 'TYPE', 'normal');
    expect((await consumer.finished).code).toBe(77);
    expect(consumer.stderr()).toContain('Redis refuses the given user or password');
    expect(consumer.stderr() + consumer.stdout()).not.toContain('geheim');
  });
});

/** Has a BGSAVE fail, as Redis' own tests do it, so that Redis refuses writes. */
async function failToSave({redis}: Scene): Promise<void> {
  await redis.bgsave();
  const child = async (): Promise<number> =>
    Number(/rdb_bgsave_in_progress:1/.test(await redis.info('persistence')) ? 1 : 0);
  await until(async () => (await child()) === 1, 'BGSAVE has begun');
  const pid = Number(/process_id:(\d+)/.exec(await redis.info('server'))![1]);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const each of children) process.kill(Number(each), 'SIGKILL');
  await until(async () => /rdb_last_bgsave_status:err/.test(await redis.info('persistence')), 'BGSAVE has failed');
}

/** How many entries the group has been given. */
async function deliveredSoFar({redis}: Scene): Promise<number> {
  const [info] = (await redis.xinfo('GROUPS', STREAM)) as unknown[][];
  return Number(info![info!.indexOf('entries-read') + 1]);
}
