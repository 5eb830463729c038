/**
 * Endings and readers: signals in every state, a reader that closes, dawdles or
 * stops, a process that was frozen; and streams whose entries vanish, weigh much
 * or have odd IDs. What was not handed over stays pending, always.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {until} from '../support/redis-server.js';
import {shell} from '../support/run-cli.js';
import {GROUP, gate, numbered, printed, type Scene, STREAM, startScene, untilTold} from './consume-scene.js';

const VALUES = numbered('v', 6);
const CODES = {SIGTERM: 143, SIGINT: 130, SIGHUP: 129} as const;
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

describe.concurrent('signals', () => {
  it.for(SIGNALS)('F33 %s while idle: it ends', async (signal, context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    consumer.process.kill(signal);
    expect((await consumer.finished).code).toBe(CODES[signal]);
    expect(consumer.stderr()).toBe('');
    await scene.expectAllDelivered();
  });

  it.for(SIGNALS)('F33 %s while busy: the handlers that run finish, nothing new begins', async (signal, context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    const {command, begun, open} = gate(scene);
    const consumer = scene.consume(['--exec', command, '-P', '2', '--drain', '20s']);
    await until(() => begun() === 2, 'two handlers run');
    consumer.process.kill(signal);
    await scene.add('later');
    open();
    expect((await consumer.finished).code).toBe(CODES[signal]);
    expect(printed(consumer)).toHaveLength(2);
    expect(begun()).toBe(2);
    const left = scene.consume(['--exec', 'cat', '--exit']);
    expect((await left.finished).code).toBe(0);
    await scene.expectAllDelivered();
  });

  it.for((['SIGTERM', 'SIGINT'] as const).flatMap((signal) => [100, 1_000].map((batch) => [signal, batch] as const)))(
    'F33 %s while it reads ahead by %i: what was asked for is printed and acknowledged too',
    async ([signal, batch], context) => {
      const scene = await startScene(context);
      await scene.add(...numbered('v', 30_000));
      const consumer = scene.consume(['--batch', String(batch)]);
      await until(() => consumer.stdout().length > 200_000, 'much is printed');
      consumer.process.kill(signal);
      expect((await consumer.finished).code).toBe(CODES[signal]);
      expect(await scene.pending()).toBe(0);
      const left = scene.consume(['--exit']);
      expect((await left.finished).code).toBe(0);
      await scene.expectAllDelivered();
    },
  );

  it('F33 a signal while busy with a handler that goes on: it ends within --drain, and the entry stays pending', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun} = gate(scene);
    const consumer = scene.consume(['--exec', command, '--drain', '200ms']);
    await until(() => begun() === 1, 'the handler runs');
    consumer.process.kill('SIGTERM');
    expect((await consumer.finished).code).toBe(143);
    expect(await scene.pending()).toBe(1);
  });

  it('F33 a second signal while draining: it leaves at once', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun} = gate(scene);
    const consumer = scene.consume(['--exec', command, '--drain', '10m']);
    await until(() => begun() === 1, 'the handler runs');
    consumer.process.kill('SIGTERM');
    consumer.process.kill('SIGINT');
    expect([130, 143]).toContain((await consumer.finished).code);
    expect(await scene.pending()).toBe(1);
  });

  it.for(SIGNALS)('F33 %s while it connects to a server that does not answer: it ends', async (signal, context) => {
    const scene = await startScene(context);
    scene.proxy.blackhole();
    const consumer = scene.consume(['--connect-timeout', '10m', '--drain', '10m']);
    await until(() => scene.proxy.connections > 0, 'it connects');
    await until(() => scene.proxy.requests('client setname') > 0, 'it greets');
    consumer.process.kill(signal);
    expect((await consumer.finished).code).toBe(CODES[signal]);
  });

  it('F33 a signal while Redis is down: it ends', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer(['--drain', '10m']);
    scene.proxy.refuse();
    scene.proxy.cut();
    await untilTold(consumer, /cannot reach Redis/);
    expect(await scene.end(consumer)).toBe(143);
  });

  it('F33 a signal while Redis is silent: it ends without waiting for its answer', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer(['--connect-timeout', '10m', '--drain', '10m']);
    scene.signalServer('SIGSTOP');
    expect(await scene.end(consumer)).toBe(143);
  });

  it.for(['down', 'silent'])(
    'F33 a signal while acknowledgements cannot be sent since Redis is %s: it ends within --drain, and says what it could not do',
    async (how, context) => {
      const scene = await startScene(context);
      await scene.add('one');
      const {command, begun, open} = gate(scene);
      const consumer = scene.consume(['--exec', command, '--drain', '1s', '--connect-timeout', '10m']);
      await until(() => begun() === 1, 'the handler runs');
      if (how === 'silent') scene.proxy.blackhole();
      else {
        scene.proxy.refuse();
        scene.proxy.cut();
      }
      open();
      await scene.untilPrinted(consumer, 'one');
      expect(await scene.end(consumer)).toBe(143);
      expect(consumer.stderr()).toMatch(/1 entries were finished but could not be acknowledged/);
      expect(await scene.pending()).toBe(1);
    },
  );

  it('F33 a second signal while Redis is down: it leaves at once', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun, open} = gate(scene);
    const consumer = scene.consume(['--exec', command, '--drain', '10m']);
    await until(() => begun() === 1, 'the handler runs');
    scene.proxy.refuse();
    scene.proxy.cut();
    open();
    await scene.untilPrinted(consumer, 'one');
    await untilTold(consumer, /cannot reach Redis/);
    consumer.process.kill('SIGTERM');
    consumer.process.kill('SIGINT');
    expect([130, 143]).toContain((await consumer.finished).code);
    expect(await scene.pending()).toBe(1);
  });

  it('F33 Redis comes back while it drains: what was finished is acknowledged', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun, open} = gate(scene);
    const consumer = scene.consume(['--exec', command, '--drain', '20s']);
    await until(() => begun() === 1, 'the handler runs');
    scene.proxy.refuse();
    scene.proxy.cut();
    open();
    await scene.untilPrinted(consumer, 'one');
    consumer.process.kill('SIGTERM');
    await untilTold(consumer, /cannot reach Redis/);
    await scene.proxy.listen();
    expect((await consumer.finished).code).toBe(143);
    await scene.expectAllDelivered();
  });
});

describe.concurrent('readers of our output', () => {
  const BIG = 20_000;
  const PIPE_BYTES = 500_000;
  /** 300 entries of 20 kB: more than a pipe holds. */
  const fill = async (scene: Scene): Promise<void> => {
    const pipeline = scene.redis.pipeline();
    for (let index = 0; index < 300; index++) pipeline.xadd(STREAM, '*', 'value', `${index}-${'x'.repeat(BIG)}`);
    await pipeline.exec();
  };
  const entriesRead = async ({redis}: Scene): Promise<number> => {
    const groups = (await redis.xinfo('GROUPS', STREAM).catch(() => [])) as unknown[][];
    return groups[0] === undefined ? 0 : Number(groups[0][groups[0].indexOf('entries-read') + 1]);
  };

  it('F34 a reader that goes away: 0, and what it did not take stays pending', async (context) => {
    const scene = await startScene(context);
    await fill(scene);
    const consumer = scene.consume();
    consumer.process.stdout.once('data', () => consumer.process.stdout.destroy());
    expect((await consumer.finished).code).toBe(0);
    const acknowledged = (await entriesRead(scene)) - (await scene.pending());
    // The pipe between us may have taken a little that nobody read.
    expect(acknowledged - printed(consumer).length).toBeLessThanOrEqual(PIPE_BYTES / BIG);
    expect(await scene.pending()).toBeGreaterThan(0);
  });

  it('F34 a reader that goes away while the stream is quiet: 0, and the next entry is not taken', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    consumer.process.stdout.destroy();
    expect((await consumer.finished).code).toBe(0);
    await scene.add('later');
    expect(await scene.pending()).toBe(0);
  });

  it.for(['', "--exec 'cat'"])(
    'F35 a full disk behind standard output (%s): 74, and what was not written stays pending',
    async (how, context) => {
      const scene = await startScene(context);
      await scene.add(...VALUES);
      const {code, stderr} = await shell(`streamlog consume --name w1 --batch 1 --exit ${how} > /dev/full`, {
        server: scene.server,
      });
      expect(code).toBe(74);
      expect(stderr).toContain('no space is left');
      expect(await scene.pending()).toBeGreaterThan(0);
      const later = scene.consume(['--exit']);
      expect((await later.finished).code).toBe(0);
      await scene.expectAllDelivered();
    },
  );

  it('F35 a file in which the last line is torn: what was torn comes again, and by the recipe of docs/delivery.md nothing is unreadable', async (context) => {
    const scene = await startScene(context);
    const values = numbered('v', 20).map((value) => value.padEnd(100, '.'));
    await scene.add(...values);
    const {code, stdout, stderr} = await shell(
      `cd '${scene.server.directory}'
      (trap '' XFSZ; ulimit -f 1; streamlog consume --name w1 --exit >> orders.ndjson)
      echo "$? $(wc -c < orders.ndjson)" >&2
      [ -z "$(tail -c 1 orders.ndjson)" ] || echo >> orders.ndjson
      streamlog consume --name w1 --exit >> orders.ndjson
      jq -R 'fromjson? | .fields.value' orders.ndjson`,
      {server: scene.server},
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/^74 1024$/m);
    expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(values.map((value) => `"${value}"`)));
    expect(await scene.pending()).toBe(0);
  });

  it.for(SIGNALS)(
    'F34 a reader that stops: reading stops with a bounded number of entries pending, and %s ends it all the same',
    async (signal, context) => {
      const scene = await startScene(context);
      const consumer = scene.consume(['--batch', '10', '--drain', '300ms']);
      consumer.process.stdout.pause();
      await fill(scene);
      await until(async () => (await entriesRead(scene)) > 0, 'a batch is read');
      let before = -1;
      await until(async () => {
        const [read, stuck] = [await entriesRead(scene), before];
        before = read;
        const readers = (await scene.clients()).filter(({cmd}) => cmd === 'xreadgroup');
        return read === stuck && readers.length > 0 && readers.every(({idle}) => Number(idle) >= 2);
      }, 'it reads no more');
      expect(await scene.pending()).toBeLessThanOrEqual(10);
      expect(await entriesRead(scene)).toBeLessThan(40);
      consumer.process.kill(signal);
      await until(() => consumer.process.exitCode !== null, 'it ends');
      expect(consumer.process.exitCode).toBe(CODES[signal]);
      expect(await scene.pending()).toBeGreaterThan(0);
    },
  );

  it.for([10, 200])(
    'F34 a slow reader gets everything once, in order; of --batch %i, no more is read ahead',
    async (batch, context) => {
      const scene = await startScene(context);
      await fill(scene);
      const consumer = scene.consume(['--exit', '--batch', String(batch)]);
      const {stdout} = consumer.process;
      let most = 0;
      stdout.on('data', () => {
        stdout.pause();
        void scene
          .pending()
          .then((count) => {
            most = Math.max(most, count);
          })
          .finally(() => stdout.resume());
      });
      expect((await consumer.finished).code).toBe(0);
      const numbers = printed(consumer).map(({value}) => Number.parseInt(value, 10));
      expect(numbers).toEqual(Array.from({length: 300}, (_, index) => index));
      expect(most).toBeLessThanOrEqual(batch);
      expect(await scene.pending()).toBe(0);
    },
  );
});

describe.concurrent('a process that was frozen', () => {
  it('F40 SIGSTOP for longer than --claim: the other one has its entry, which is not acknowledged twice', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun, open} = gate(scene);
    const stopped = join(scene.server.directory, 'stopped');
    const untilStopped = `trap 'touch ${stopped}; exit 1' TERM; ${command}`;
    const frozen = scene.consume(['--exec', untilStopped, '--claim', '1s']);
    await until(() => begun() === 1, 'the handler runs');
    frozen.process.kill('SIGSTOP');
    const peer = scene.consume(['--name', 'w2', '--exec', command, '--claim', '1s']);
    await until(() => begun() === 2, 'the other one has taken it over').catch((e) => {
      throw new Error(peer.stderr() + peer.stdout() + frozen.stderr() + e.message);
    });
    frozen.process.kill('SIGCONT');
    await until(() => existsSync(stopped), 'its handler is stopped, since it has lost the entry');
    open();
    await scene.untilPrinted(peer, 'one');
    await scene.untilAllAcknowledged();
    expect(printed(frozen)).toEqual([]);
    expect(printed(peer)).toMatchObject([{value: 'one', deliveries: 2}]);
  });

  it('F40 SIGSTOP of an idle consumer for longer than its silence: it goes on', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    consumer.process.kill('SIGSTOP');
    await scene.redis.call('CLIENT', 'KILL', 'TYPE', 'normal');
    await scene.add('meanwhile');
    consumer.process.kill('SIGCONT');
    await scene.untilPrinted(consumer, 'meanwhile');
    await scene.expectAllDelivered();
  });
});

describe.concurrent('entries that vanish', () => {
  /** Six entries pending with `consumer`; of them the first two are deleted, the next two trimmed. */
  async function withGaps(scene: Scene, consumer: string): Promise<string[]> {
    const ids = await scene.add(...VALUES);
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0');
    await scene.redis.xreadgroup('GROUP', GROUP, consumer, 'STREAMS', STREAM, '>');
    await scene.redis.xclaim(STREAM, GROUP, consumer, 0, ...ids, 'IDLE', 3_600_000, 'JUSTID');
    await scene.redis.xdel(STREAM, ids[0]!, ids[1]!);
    await scene.redis.xtrim(STREAM, 'MAXLEN', 2);
    return ids;
  }

  it.for([
    ['in our own backlog', 'w1', []],
    ['in our own backlog, with a handler', 'w1', ['--exec', 'cat']],
    ['with a consumer that went silent', 'dead', ['--claim', '1h']],
    ['with a consumer that went silent, with a handler', 'dead', ['--claim', '1h', '--exec', 'cat']],
  ] as const)(
    'F37 trimmed and deleted entries %s: acknowledged, counted and reported',
    async ([, owner, args], context) => {
      const scene = await startScene(context);
      await withGaps(scene, owner);
      const consumer = scene.consume([...args, '--exit']);
      expect((await consumer.finished).code).toBe(0);
      expect(printed(consumer).map(({value}) => value)).toEqual(VALUES.slice(4));
      expect(consumer.stderr()).toMatch(/4 pending entries were no longer in the stream/);
      expect(await scene.pending()).toBe(0);
    },
  );

  it('F37 with --fail-on-trimmed: 65', async (context) => {
    const scene = await startScene(context);
    await withGaps(scene, 'w1');
    const consumer = scene.consume(['--exit', '--fail-on-trimmed']);
    expect((await consumer.finished).code).toBe(65);
    expect(await scene.pending()).toBe(0);
  });

  it('F37 nothing vanished: --fail-on-trimmed says nothing', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    const consumer = scene.consume(['--exit', '--fail-on-trimmed']);
    expect((await consumer.finished).code).toBe(0);
    expect(consumer.stderr()).toBe('');
  });

  it('F37 a backlog of which nothing is left: it is let go, and new entries are read', async (context) => {
    const scene = await startScene(context);
    await scene.add(...numbered('gone', 250));
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0');
    await scene.redis.xreadgroup('GROUP', GROUP, 'w1', 'STREAMS', STREAM, '>');
    await scene.redis.xtrim(STREAM, 'MAXLEN', 0);
    const consumer = scene.consume();
    await until(async () => (await scene.pending()) === 0, 'it lets go of them');
    await scene.add('after');
    await scene.untilPrinted(consumer, 'after');
    await scene.untilAllAcknowledged();
    expect(await scene.end(consumer)).toBe(143);
    expect(consumer.stderr()).toMatch(/250 pending entries/);
  });

  it('F37 an entry that is trimmed while its handler runs: its work counts', async (context) => {
    const scene = await startScene(context);
    await scene.add('one');
    const {command, begun, open} = gate(scene);
    const consumer = scene.consume(['--exec', command, '--exit', '--fail-on-trimmed']);
    await until(() => begun() === 1, 'the handler runs');
    await scene.redis.xtrim(STREAM, 'MAXLEN', 0);
    open();
    expect((await consumer.finished).code).toBe(0);
    expect(printed(consumer).map(({value}) => value)).toEqual(['one']);
    expect(await scene.pending()).toBe(0);
  });

  it('F37 entries that a lost reply left in our name and that were trimmed before we looked: counted', async (context) => {
    const scene = await startScene(context);
    await scene.add(...VALUES);
    // The first entry comes alone, the next read takes several.
    const cut = scene.proxy.cutAfter('xreadgroup', 3).then(() => scene.proxy.refuse());
    const consumer = scene.consume(['--exit', '--fail-on-trimmed']);
    await cut;
    await untilTold(consumer, /trying again/);
    const given = await scene.pending();
    await scene.redis.xtrim(STREAM, 'MAXLEN', 0);
    scene.proxy.cut();
    await scene.proxy.listen();
    expect((await consumer.finished).code).toBe(65);
    expect(consumer.stderr()).toMatch(/pending entr(y was|ies were) no longer in the stream/);
    expect(given).toBeGreaterThan(0);
    expect(await scene.pending()).toBe(0);
  });
});

describe.concurrent('odd streams', () => {
  it('F38 huge entries: few are read at a time, whatever --batch says, so that memory stays flat', async (context) => {
    const scene = await startScene(context);
    const huge = 'x'.repeat(8 * 1024 * 1024);
    for (let index = 0; index < 20; index++) await scene.redis.xadd(STREAM, '*', 'value', huge);
    await scene.redis.xgroup('CREATE', STREAM, GROUP, '0');
    const consumer = scene.consume(['--format', '%o\n', '--exit']);
    let mostPending = 0;
    await until(async () => {
      mostPending = Math.max(mostPending, await scene.pending());
      return consumer.process.exitCode !== null;
    }, 'it ends');
    expect((await consumer.finished).code).toBe(0);
    expect(consumer.stdout().trim().split('\n')).toHaveLength(20);
    expect(mostPending).toBeLessThanOrEqual(4);
    expect(await scene.pending()).toBe(0);
  });

  it('F36 an ID from the far future first: what follows is read in order, lost replies included', async (context) => {
    const scene = await startScene(context);
    await scene.redis.xadd(STREAM, '18446744073709551000-5', 'value', 'future');
    const cut = scene.proxy.cutAfter('xreadgroup', 3);
    await scene.redis.xadd(STREAM, '*', 'value', 'next');
    await scene.redis.xadd(STREAM, '*', 'value', 'last');
    const consumer = scene.consume(['--exit']);
    expect((await consumer.finished).code).toBe(0);
    await cut;
    expect(printed(consumer)).toMatchObject([
      {id: '18446744073709551000-5', value: 'future', deliveries: 1},
      {id: '18446744073709551000-6', value: 'next', deliveries: 1},
      {id: '18446744073709551000-7', value: 'last', deliveries: 1},
    ]);
    expect(await scene.pending()).toBe(0);
  });

  it('F36 the last ID that there is: read and acknowledged, and a group that vanishes then is made again', async (context) => {
    const scene = await startScene(context);
    const consumer = await scene.idleConsumer();
    await scene.redis.xadd(STREAM, '18446744073709551615-18446744073709551615', 'value', 'last');
    await scene.untilPrinted(consumer, 'last');
    await scene.untilAllAcknowledged();
    await scene.redis.xgroup('DESTROY', STREAM, GROUP);
    await untilTold(consumer, /had vanished/);
    await scene.redis.del(STREAM);
    await scene.add('anew');
    await scene.untilPrinted(consumer, 'anew');
    expect(printed(consumer).map(({value}) => value)).toEqual(['first', 'last', 'anew']);
  });
});
