/**
 * Lost links: whatever of a request or a reply gets lost on its way, the same
 * process finds out what became of it, and nothing is printed twice.
 */
import {describe, expect, it} from 'vitest';
import {until} from '../support/redis-server.js';
import {GROUP, gate, numbered, printed, type Scene, STREAM, startScene} from './consume-scene.js';

const VALUES = numbered('v', 12);
const LOST = /the connection to Redis was lost during/;

describe.concurrent('lost replies and requests', () => {
  // A backlog is looked for first; then reads bring one entry, two, four.
  it.for([2, 3, 4])(
    'F1 a lost XREADGROUP reply (read %i): the same process prints its entries, as their first delivery',
    async (n, context) => {
      const scene = await startScene(context);
      await scene.add(...VALUES);
      const cut = scene.proxy.cutAfter('xreadgroup', n);
      const consumer = scene.consume(['--exit']);
      expect((await consumer.finished).code).toBe(0);
      await cut;
      expect(consumer.stderr()).toMatch(LOST);
      expect(printed(consumer).map(({value}) => value)).toEqual(VALUES);
      expect(printed(consumer).every(({deliveries}) => deliveries === 1)).toBe(true);
      await scene.expectAllDelivered();
    },
  );

  it('F1 a lost XREADGROUP reply to a read that blocked: its entry is printed without another one to wake us', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    const reads = scene.proxy.requests('xreadgroup');
    const cut = scene.proxy.cutAfter('xreadgroup', 1);
    await until(() => scene.proxy.requests('xreadgroup') > reads, 'the next read begins');
    await scene.add('after');
    await cut;
    await scene.untilPrinted(consumer, 'after');
    expect(printed(consumer).at(-1)!.deliveries).toBe(1);
    await scene.expectAllDelivered();
  });

  it('F1 a lost reply with our own backlog: it is printed once, counted once more', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0');
    await scene.redis.xreadgroup('GROUP', GROUP, 'w1', 'COUNT', 5, 'STREAMS', STREAM, '>');
    const cut = scene.proxy.cutAfter('xreadgroup', 2);
    const consumer = scene.consume(['--exit']);
    expect((await consumer.finished).code).toBe(0);
    await cut;
    const deliveries = printed(consumer).map((record) => record.deliveries);
    expect(deliveries.slice(0, 3)).toEqual([2, 2, 2]);
    expect(Math.max(...deliveries)).toBe(2);
    await scene.expectAllDelivered();
  });

  it('F1 a lost XCLAIM reply: what was taken over is printed once', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0');
    await scene.redis.xreadgroup('GROUP', GROUP, 'dead', 'STREAMS', STREAM, '>');
    const cut = scene.proxy.cutAfter('xclaim', 2);
    const consumer = scene.consume(['--claim', '50ms']);
    await cut;
    await scene.untilPrinted(consumer, ...VALUES);
    expect(printed(consumer).every(({deliveries}) => deliveries === 2)).toBe(true);
    await scene.expectAllDelivered();
  });

  it.for([1, 2, 3])(
    'F1 a lost XACK reply (number %i): the acknowledgement is repeated, nothing is printed twice',
    async (n, context) => {
      const scene = await startScene(context);
      await scene.add(...VALUES);
      const cut = scene.proxy.cutAfter('xack', n);
      const consumer = scene.consume(['--exit']);
      expect((await consumer.finished).code).toBe(0);
      await cut;
      await scene.expectAllDelivered();
    },
  );

  it.for([1, 2, 3])(
    'F2 an XACK that was never sent (number %i): it is sent again, nothing is printed twice',
    async (n, context) => {
      const scene = await startScene(context);
      await scene.add(...VALUES);
      const cut = scene.proxy.cutBefore('xack', n);
      const consumer = scene.consume(['--exit']);
      expect((await consumer.finished).code).toBe(0);
      await cut;
      await scene.expectAllDelivered();
    },
  );

  // By then reads are large, several are under way, and acknowledgements go with them.
  it.for(
    [20, 21, 30].flatMap((n) => [
      {side: 'after', command: 'xreadgroup', n},
      {side: 'before', command: 'xreadgroup', n},
      {side: 'after', command: 'xack', n},
      {side: 'before', command: 'xack', n},
    ]),
  )(
    'F1 F2 reading ahead, the link is lost $side $command $n: all is printed once, in order, and acknowledged',
    async ({side, command, n}, context) => {
      const scene = await startScene(context);
      const values = numbered('v', 20_000);
      await scene.add(...values);
      const cut = side === 'after' ? scene.proxy.cutAfter(command, n) : scene.proxy.cutBefore(command, n);
      const consumer = scene.consume(['--batch', '1000', '--exit']);
      expect((await consumer.finished).code).toBe(0);
      await cut;
      expect(consumer.stderr().match(new RegExp(LOST, 'g'))).toHaveLength(1);
      expect(printed(consumer).map(({value}) => value)).toEqual(values);
      expect(printed(consumer).every(({deliveries}) => deliveries === 1)).toBe(true);
      await scene.expectAllDelivered();
    },
  );

  it('F2 the last XACK before the end: it is confirmed before the process ends', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    const cut = scene.proxy.cutBefore('xack', 1);
    const consumer = scene.consume(['--count', '1']);
    expect((await consumer.finished).code).toBe(0);
    await cut;
    expect(printed(consumer).map(({value}) => value)).toEqual(['v0']);
    expect(await scene.pending()).toBe(0);
  });

  it('F2 an XACK lost behind a handler: the handler does not run again', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    const lost = [scene.proxy.cutBefore('xack', 2), scene.proxy.cutAfter('xack', 4)];
    const consumer = scene.consume(['--exit', '--exec', 'cat']);
    expect((await consumer.finished).code).toBe(0);
    await Promise.all(lost);
    await scene.expectAllDelivered();
  });

  it.for(['client setname', 'xgroup create', 'xreadgroup', 'xpending'])(
    'F2 a lost %s request: it is asked again',
    async (command, context) => {
      const scene = await startScene(context);
      await scene.add(...VALUES);
      // The first connection decides whether there is a server at all.
      const cut = scene.proxy.cutBefore(command, command === 'client setname' ? 3 : 1);
      if (command === 'client setname') void scene.proxy.cutBefore('xack', 1);
      const consumer = scene.consume([]);
      await scene.untilPrinted(consumer, ...VALUES);
      await cut;
      await scene.expectAllDelivered();
    },
  );

  it('F3 a reply cut within an entry: what is whole and what is not are printed once', async (context) => {
    for (const replyBytes of [1, 60, 100, 250]) {
      const scene = await startScene(context);
      await scene.add(...VALUES);
      const cut = scene.proxy.cutAfter('xreadgroup', 3, {replyBytes});
      const consumer = scene.consume(['--exit']);
      expect((await consumer.finished).code).toBe(0);
      await cut;
      await scene.expectAllDelivered();
    }
  });

  it('F3 replies in slices of one byte: everything is read', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    scene.proxy.slice(1);
    const consumer = scene.consume(['--exit']);
    expect((await consumer.finished).code).toBe(0);
    expect(consumer.stderr()).toBe('');
    await scene.expectAllDelivered();
  });

  it('F11 a reset of every connection, again and again: each time it goes on', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    for (const value of numbered('reset', 5)) {
      scene.proxy.reset();
      await scene.add(value);
      await scene.untilPrinted(consumer, value);
    }
    expect(consumer.stderr()).toMatch(LOST);
    await scene.expectAllDelivered();
  });
});

describe.concurrent('connections that Redis ends or that go silent', () => {
  it('F13 CLIENT KILL TYPE normal: it goes on, and what came meanwhile is printed once', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    for (const value of numbered('kill', 5)) {
      await scene.redis.call('CLIENT', 'KILL', 'TYPE', 'normal');
      await scene.add(value);
      await scene.untilPrinted(consumer, value);
    }
    await scene.expectAllDelivered();
  });

  it('a loss after more was printed with --ack none than is remembered: nothing is printed twice, nothing is left out', async (context) => {
    const scene = await startScene(context);
    const values = numbered('v', 12_500);
    await scene.add(...values);
    const consumer = scene.consume(['--ack', 'none', '--batch', '1000']);
    await until(() => printed(consumer).length === values.length, 'all is printed');
    await scene.untilBlocked();
    await scene.redis.call('CLIENT', 'KILL', 'TYPE', 'normal');
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect(printed(consumer).map(({value}) => value)).toEqual([...values, 'after']);
    expect(await scene.pending()).toBe(values.length + 1);
  });

  it.for([true, false])(
    'F13 CLIENT KILL of one connection (the one that blocks: %s): it goes on',
    async (blocking, context) => {
      const scene = await startScene(context);
      const consumer = await scene.idleConsumer();
      const killed = (await scene.clients()).find(({flags}) => flags!.includes('b') === blocking)!;
      expect(await scene.redis.call('CLIENT', 'KILL', 'ID', killed.id!)).toBe(1);
      await scene.add('after');
      await scene.untilPrinted(consumer, 'after');
      await scene.add('later');
      await scene.untilPrinted(consumer, 'later');
      await scene.expectAllDelivered();
      expect(await scene.clients()).toHaveLength(2);
      expect(scene.proxy.requests('client setname')).toBe(4);
    },
  );

  it('F13 CLIENT KILL of the read that blocks, with an entry in its reply: printed by the same process, as its first delivery', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer(['--claim', 'off']);
    const {id} = (await scene.clients()).find(({flags}) => flags!.includes('b'))!;
    // In one go: Redis gives the entry to the read, and ends its connection before the reply has left.
    const results = await scene.redis
      .pipeline()
      .xadd(STREAM, '*', 'value', 'given')
      .call('CLIENT', 'KILL', 'ID', id!)
      .xpending(STREAM, GROUP)
      .exec();
    expect(results![1]).toEqual([null, 1]);
    expect((results![2]![1] as unknown[])[0]).toBe(1);
    await scene.untilPrinted(consumer, 'given');
    await scene.untilAllAcknowledged();
    expect(printed(consumer)).toMatchObject([{value: 'first'}, {value: 'given', deliveries: 1}]);
  });

  it.for(['ERROR', 'TIMEOUT'])('F14 CLIENT UNBLOCK with %s: it reads again', async (how, context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    const {id} = (await scene.clients()).find(({flags}) => flags!.includes('b'))!;
    await scene.redis.call('CLIENT', 'UNBLOCK', id!, how);
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect(consumer.process.exitCode).toBe(null);
    await scene.expectAllDelivered();
  });

  it('F9 a server that is stopped (SIGSTOP): noticed and told, not taken for an idle stream, and gone on with', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer(['--wait', '3s', '--connect-timeout', '2s']);
    scene.signalServer('SIGSTOP');
    await until(() => /no answer/.test(consumer.stderr()), 'the silence is noticed', 30_000);
    await until(() => /cannot reach Redis/.test(consumer.stderr()), 'it tries to connect', 30_000);
    expect(consumer.process.exitCode).toBe(null);
    scene.signalServer('SIGCONT');
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect((await consumer.finished).code).toBe(0);
    await scene.expectAllDelivered();
  });

  it('F10 a link that swallows everything: noticed, and gone on with when it heals', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer(['--connect-timeout', '2s']);
    scene.proxy.blackhole();
    // The server hands it to the connection that nobody hears any more.
    await scene.add('swallowed');
    await until(() => /no answer/.test(consumer.stderr()), 'the silence is noticed', 30_000);
    await scene.add('later');
    scene.proxy.heal();
    await scene.untilPrinted(consumer, 'swallowed', 'later');
    expect(printed(consumer).every(({deliveries}) => deliveries === 1)).toBe(true);
    await scene.expectAllDelivered();
  });

  it('F10 a read that Redis executes late, for a connection that is gone: its entry is found at the next sweep', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer(['--claim', '300ms']);
    await readInItsName(scene, 'late');
    await scene.untilPrinted(consumer, 'late');
    await scene.untilAllAcknowledged();
    expect(printed(consumer).map(({value}) => value)).toEqual(['first', 'late']);
  });

  it.for([
    ['printed', []],
    ['with a handler', ['--exec', 'cat']],
  ] as const)(
    'F10 a read that Redis still serves for a lost connection when there is a new one, without --claim: its entry is found, as its first delivery (%s)',
    async ([, args], context) => {
      const scene = await startScene(context);
      const consumer = await scene.idleConsumer(['--claim', 'off', ...args]);
      for (const round of [1, 2]) {
        const looks = scene.proxy.requests('xpending');
        scene.proxy.cut();
        await until(() => scene.proxy.requests('xpending') > looks, 'it looks for what the loss has cost');
        await scene.untilBlocked();
        await readInItsName(scene, `late${round}`);
        await scene.add(`after${round}`);
        await scene.untilPrinted(consumer, `after${round}`, `late${round}`);
      }
      await scene.untilAllAcknowledged();
      const inOrder = printed(consumer).sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(inOrder.map(({value}) => value)).toEqual(['first', 'late1', 'after1', 'late2', 'after2']);
      expect(inOrder.every(({deliveries}) => deliveries === 1)).toBe(true);
    },
  );

  it('F12 a slow server: late replies and CLIENT PAUSE are no loss, and nothing is printed twice', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer(['--claim', '3s']);
    scene.proxy.latency(300);
    await scene.redis.call('CLIENT', 'PAUSE', '700', 'WRITE');
    await scene.add(...VALUES);
    await scene.untilPrinted(consumer, ...VALUES);
    scene.proxy.heal();
    expect(consumer.stderr()).toBe('');
    await scene.expectAllDelivered();
  });

  it('F12 a slow server while a handler runs: its lease is kept, and no other consumer takes its entry', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun, open} = gate(scene);
    const consumer = scene.consume(['--exec', command, '--claim', '3s']);
    await until(() => begun() === 1, 'the handler runs');
    scene.proxy.latency(250);
    const peer = scene.consume(['--name', 'w2', '--exec', command, '--claim', '3s'], {
      env: {STREAMLOG_URL: scene.server.url},
    });
    const lists = async (): Promise<number> =>
      Number(/cmdstat_xpending:calls=(\d+)/.exec(await scene.redis.info('commandstats'))?.[1] ?? 0);
    await until(async () => (await scene.clients()).some(({addr}) => addr!.includes('sock')), 'the other one is there');
    // Renewals and our own looks are among them; a quarter and more are those of the other one.
    const before = await lists();
    await until(async () => (await lists()) >= before + 16, 'the other one has looked for abandoned entries');
    expect(begun()).toBe(1);
    open();
    await scene.untilPrinted(consumer, 'one');
    expect(printed(peer)).toEqual([]);
    expect(consumer.stderr()).toBe('');
    await scene.expectAllDelivered();
  });

  it('a quiet stream without acknowledgements: each read waits as long as others do', async (context) => {
    const scene = await startScene(context);
    const waits: (string | undefined)[] = [];
    const monitor = await scene.redis.monitor();
    context.onTestFinished(() => monitor.disconnect());
    monitor.on('monitor', (_time: string, words: string[]) => {
      if (words[0]!.toLowerCase() === 'xreadgroup')
        waits.push(words[words.findIndex((word) => /block/i.test(word)) + 1]);
    });
    const consumer = scene.consume(['--no-ack']);
    await until(() => waits.length > 2, 'it reads again and again');
    expect(new Set(waits)).toEqual(new Set(['1000']));
    expect(await scene.end(consumer)).toBe(143);
  });
});

describe.concurrent('servers that go and come', () => {
  const durable = (fsync: string) => ({args: ['--appendonly', 'yes', '--appendfsync', fsync]});

  it.for(['always', 'everysec'])(
    'F4 F5 F6 kill -9 of redis-server and a restart at once, again and again (appendfsync %s): nothing is lost',
    async (fsync, context) => {
      const scene = await startScene(context, durable(fsync));
      const consumer = await scene.idleConsumer(['--batch', '5']);
      for (const round of [0, 1, 2, 3]) {
        const values = numbered(`r${round}-`, 50);
        await scene.add(...values);
        await scene.untilPrinted(consumer, values[round * 10]!);
        await scene.killServer();
        scene.startServerAgain();
        await scene.untilPrinted(consumer, ...values);
      }
      // With everysec, what Redis has told us last may not be written down yet.
      await scene.expectAllDelivered({repeats: fsync === 'everysec'});
      expect(await scene.end(consumer)).toBe(143);
    },
  );

  it.for(['always', 'everysec'])(
    'F4 F5 kill -9 of redis-server when it has given entries in a reply that was lost (appendfsync %s): printed once, as their first delivery',
    async (fsync, context) => {
      const scene = await startScene(context, durable(fsync));
      const consumer = await scene.idleConsumer(['--claim', 'off']);
      const reads = scene.proxy.requests('xreadgroup');
      const cut = scene.proxy.cutAfter('xreadgroup', 1);
      await until(() => scene.proxy.requests('xreadgroup') > reads, 'the next read begins');
      scene.proxy.refuse();
      await scene.add('given');
      await cut;
      expect(await scene.pending()).toBe(1);
      await scene.killServer();
      scene.startServerAgain();
      await scene.proxy.listen();
      await scene.untilPrinted(consumer, 'given');
      expect(printed(consumer).at(-1)).toMatchObject({value: 'given', deliveries: 1});
      await scene.expectAllDelivered();
    },
  );

  it.for(['always', 'everysec'])(
    'F4 F5 kill -9 of redis-server before it got an acknowledgement (appendfsync %s): it is sent again, and the handler does not run again',
    async (fsync, context) => {
      const scene = await startScene(context, durable(fsync));
      await scene.add('one');
      const {command, begun, open} = gate(scene);
      const consumer = scene.consume(['--exec', command]);
      await until(() => begun() === 1, 'the handler runs');
      const cut = scene.proxy.cutBefore('xack', 1);
      scene.proxy.refuse();
      open();
      await cut;
      await scene.killServer();
      scene.startServerAgain();
      await scene.proxy.listen();
      await scene.add('after');
      await scene.untilPrinted(consumer, 'one', 'after');
      await scene.expectAllDelivered();
      expect(begun()).toBe(2);
    },
  );

  it('F7 a server that is not there at the start: 69, naming where, without the password', async (context) => {
    const scene = await startScene(context);
    scene.proxy.refuse();
    const consumer = scene.consume([], {
      env: {STREAMLOG_URL: `redis://:geheim@127.0.0.1:${scene.proxy.port}`},
    });
    expect((await consumer.finished).code).toBe(69);
    expect(consumer.stderr()).toContain(`cannot reach Redis at 127.0.0.1:${scene.proxy.port}`);
    expect(consumer.stderr()).not.toContain('geheim');
  });

  it('F8 a server away for longer than a read blocks: told once, not for each attempt, then gone on with', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    await scene.awayFor(6);
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    expect(consumer.stderr().match(/trying again/g)!.length, consumer.stderr()).toBeLessThan(5);
    await until(() => consumer.stderr().includes('Redis answers again'), 'it says that all is well');
    await scene.expectAllDelivered();
  });
});

/** As if an earlier connection of w1 had read `value`: it is pending with w1, which has not seen it. */
async function readInItsName({redis}: Scene, value: string): Promise<void> {
  // In one transaction, so that the read that blocks does not get it.
  await redis
    .multi()
    .xadd(STREAM, '*', 'value', value)
    .xreadgroup('GROUP', GROUP, 'w1', 'COUNT', 1, 'STREAMS', STREAM, '>')
    .exec();
}
