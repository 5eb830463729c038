/**
 * Lost links under `produce`: whatever of a request or a reply gets lost on its
 * way, every record arrives, in order. By default some may arrive twice, and
 * standard error says how many; with --exactly-once none does.
 */
import {readFileSync} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {describe, expect, it} from 'vitest';
import {freePort, until} from '../support/redis-server.js';
import {streamlog} from '../support/run-cli.js';
import {
  BOTH_WAYS,
  numbered,
  ONCE,
  type Production,
  type Scene,
  STREAM,
  startScene,
  TWICE,
  untilStill,
} from './produce-scene.js';

const VALUES = numbered('v', 1_300);
const LOST = /the connection to Redis was lost/;

describe.concurrent('lost replies and requests', () => {
  // The first of all, the last of a batch, the first of the next one, one in the middle of the last.
  it.for([1, 500, 501, 1_200])(
    'F1 a lost reply (XADD %i): all records arrive in order, at most as many twice as it says',
    async (n, context) => {
      const scene = await startScene(context);
      const cut = scene.proxy.cutAfter('xadd', n);
      const production = scene.produce().feed(VALUES);
      expect((await production.finish()).code).toBe(0);
      await cut;
      expect(production.running.stderr()).toMatch(TWICE);
      expect(production.ids).toHaveLength(VALUES.length);
      await scene.expectProduced(production, {duplicates: 'as told'});
    },
  );

  it.for([1, 2, 3])(
    'F1 a lost reply (call %i of the fence) with --exactly-once: nothing is added twice, and the IDs are those of the stream',
    async (n, context) => {
      const scene = await startScene(context);
      const cut = scene.proxy.cutAfter('evalsha', n);
      const production = scene.produce(ONCE).feed(VALUES);
      expect((await production.finish()).code).toBe(0);
      await cut;
      expect(production.running.stderr()).toMatch(LOST);
      expect(production.running.stderr()).not.toMatch(TWICE);
      await scene.expectOnce(production);
      expect(await scene.redis.keys('*'), 'the fence goes with its run').toEqual([STREAM]);
    },
  );

  it.for(BOTH_WAYS)(
    'F1 all replies of a window lost, %s: each record that is there twice is among those that it says',
    async ([, args], context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction(args);
      scene.proxy.latency(60_000);
      production.feed(VALUES);
      await until(async () => (await scene.length()) === 10 + VALUES.length, 'Redis has executed all of them');
      scene.proxy.cut();
      scene.proxy.heal();
      expect((await production.finish()).code).toBe(0);
      if (args.length > 0) return scene.expectOnce(production);
      await scene.expectProduced(production, {duplicates: 'as told'});
      expect(production.reported(TWICE)).toBe(VALUES.length);
    },
  );

  it.for(BOTH_WAYS)(
    'F2 a lost request, %s: it is sent again, and nothing twice',
    async ([, args, command], context) => {
      const scene = await startScene(context);
      const n = command === 'xadd' ? 700 : 2;
      const cut = scene.proxy.cutBefore(command, n);
      const production = scene.produce(args).feed(VALUES);
      expect((await production.finish()).code).toBe(0);
      await cut;
      await scene.expectOnce(production);
    },
  );

  it.for(['script load', 'del'])(
    'F2 a lost %s of the fence: the records arrive once all the same',
    async (command, context) => {
      const scene = await startScene(context);
      // The first connection decides whether there is a server at all.
      if (command !== 'del') void scene.proxy.cutAfter('evalsha', 1);
      const cut = scene.proxy.cutBefore(command, command === 'del' ? 1 : 2);
      const production = scene.produce(ONCE).feed(VALUES);
      expect((await production.finish()).code).toBe(0);
      await cut;
      await scene.expectOnce(production);
    },
  );

  it.for(BOTH_WAYS)('F3 replies cut in their middle, %s: each ID is that of its record', async ([, args], context) => {
    const scene = await startScene(context);
    // Within an ID, its length, its line end, and between two replies; of the script's answer, within each of its parts.
    const cuts =
      args.length === 0
        ? [3_001, 3_004, 3_013, 3_024].map((bytes) => () => scene.proxy.limitReplies(bytes))
        : [2, 4, 7, 15, 28].map((replyBytes) => () => scene.proxy.cutAfter('evalsha', 2, {replyBytes}));
    for (const arm of cuts) {
      await scene.redis.flushall();
      const cut = arm();
      const production = scene.produce(args).feed(VALUES);
      expect((await production.finish()).code).toBe(0);
      await cut;
      expect(production.ids).toHaveLength(VALUES.length);
      if (args.length > 0) await scene.expectOnce(production);
      else await scene.expectProduced(production, {duplicates: 'as told'});
    }
  });

  it.for(BOTH_WAYS)('F3 replies in slices of one byte, %s: each is read', async ([, args], context) => {
    const scene = await startScene(context);
    scene.proxy.slice(1);
    const production = scene.produce(args).feed(VALUES);
    expect((await production.finish()).code).toBe(0);
    await scene.expectOnce(production);
  });

  it('F3 the last reply before the first XADD cut between its CR and its LF: the replies behind it are read', async (context) => {
    const server = createServer((socket) => {
      context.onTestFinished(() => void socket.destroy());
      socket.once('data', () => socket.write('+OK\r'));
      socket.on('data', (chunk) => {
        if (chunk.includes('XADD')) socket.write('\n$3\r\n7-1\r\n');
      });
    });
    context.onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const {code, stdout, stderr} = await streamlog(['produce', 'a=1', '--url', url, '--retry-for', '0s']);
    expect({code, stdout, stderr}).toEqual({code: 0, stdout: '7-1\n', stderr: ''});
  });

  it.for(BOTH_WAYS)(
    'F11 F13 connections that are reset and killed again and again, %s: each time it goes on',
    async ([, args], context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction(args);
      for (const round of [0, 1, 2, 3, 4, 5]) {
        production.feed(numbered(`r${round}-`, 600));
        // In the midst of them, wherever that is.
        await until(async () => (await scene.length()) > 10 + 600 * round, 'some of them are there');
        if (round % 2 === 0) scene.proxy.reset();
        else await scene.killClients();
      }
      const {code, stderr} = await production.finish();
      expect(code, stderr).toBe(0);
      expect(production.ids).toHaveLength(production.values.length);
      if (args.length > 0) await scene.expectOnce(production);
      else await scene.expectProduced(production, {duplicates: 'as told'});
    },
  );

  it('F13 a connection that is lost while there is nothing to add: the next record arrives', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction();
    await scene.killClients();
    await production.untilTold(LOST);
    production.feed(['after']);
    await until(() => production.ids.length === 11, 'it is added');
    expect((await production.finish()).code).toBe(0);
    await scene.expectOnce(production);
  });
});

describe.concurrent('servers that are away, silent or slow', () => {
  it('F7 a server that is not there at the start: 69, naming where, without the password', async () => {
    const port = await freePort();
    const {code, stdout, stderr} = await streamlog(['produce'], {
      input: '{"a":1}\n',
      env: {STREAMLOG_URL: `redis://:geheim@127.0.0.1:${port}`},
    });
    expect({code, stdout}).toEqual({code: 69, stdout: ''});
    expect(stderr).toContain(`cannot reach Redis at 127.0.0.1:${port}`);
    expect(stderr).not.toContain('geheim');
  });

  it.for(BOTH_WAYS)('F7 a server that never says a word at the start, %s: 69', async ([, args], context) => {
    const scene = await startScene(context);
    scene.proxy.blackhole();
    const production = scene.produce(['--connect-timeout', '300ms', ...args]).feed(['a']);
    expect((await production.finish()).code).toBe(69);
    expect(production.running.stderr()).toContain('no answer in time');
  });

  it.for(BOTH_WAYS)(
    'F8 a server away for longer than --retry-for, %s: 75, and each record is accounted for',
    async ([, args], context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction(['--retry-for', '700ms', ...args]);
      scene.proxy.refuse();
      scene.proxy.cut();
      await production.untilTold(LOST);
      production.feed(VALUES);
      const {code, stderr} = await production.finish();
      expect(code).toBe(75);
      expect(stderr).toMatch(/read 1310, added 10, rejected 0, unconfirmed 1300/);
      // None of them was sent, so none can be there twice.
      expect(stderr).not.toMatch(TWICE);
      await scene.expectProduced(production, {missing: true});
      expect(await scene.length()).toBe(10);
    },
  );

  it('F8 replies lost, and a server away for longer than --retry-for: 75, and what was sent once is not said to be there twice', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction(['--retry-for', '300ms']);
    scene.proxy.latency(60_000);
    production.feed(VALUES);
    await until(async () => (await scene.length()) === 1_310, 'Redis has executed all of them');
    scene.proxy.refuse();
    scene.proxy.cut();
    const {code, stderr} = await production.finish();
    expect(code).toBe(75);
    expect(stderr).toMatch(/added 10, rejected 0, unconfirmed 1300/);
    expect(stderr).not.toMatch(TWICE);
    await scene.expectProduced(production);
  });

  it('F8 a server away for a while: the input is held back meanwhile, memory is flat, and then all of it arrives', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction(ONCE);
    scene.proxy.refuse();
    scene.proxy.cut();
    await production.untilTold(LOST);
    production.feed(numbered('x'.repeat(200), 60_000));
    const {process, stdin} = {process: production.running.process, stdin: production.running.process.stdin};
    const held = await untilStill(() => stdin.writableLength);
    expect(held).toBeGreaterThan(6_000_000);
    expect(memoryMegabytes(process.pid!)).toBeLessThan(250);
    await scene.proxy.listen();
    expect((await production.finish()).code).toBe(0);
    await scene.expectOnce(production);
  });

  it('F10 a link that swallows everything: noticed by the silence, and what arrives late adds nothing twice', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction([...ONCE, '--connect-timeout', '1s']);
    scene.proxy.blackhole();
    production.feed(VALUES);
    await production.untilTold(/no answer/);
    await production.untilTold(/cannot reach Redis/);
    scene.proxy.heal();
    expect((await production.finish()).code).toBe(0);
    await scene.expectOnce(production);
  });

  it.for([
    ['by default', 700, []],
    ['by default', 1, []],
    ['with --exactly-once', 700, ONCE],
  ] as const)(
    'F12 a server that does not answer yet, %s: no more than --max-inflight %i wait for it',
    async ([, most, args], context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction(['--max-inflight', String(most), ...args]);
      await scene.redis.call('CLIENT', 'PAUSE', '60000', 'WRITE');
      const before = sent(scene);
      production.feed(numbered('w', Math.max(100, 3 * most)));
      await until(() => sent(scene) > before, 'the first of them are sent');
      const waiting = (await untilStill(() => sent(scene))) - before;
      if (args.length === 0) expect(waiting).toBeLessThanOrEqual(most);
      await scene.redis.call('CLIENT', 'UNPAUSE');
      expect((await production.finish()).code).toBe(0);
      await scene.expectOnce(production);
    },
  );
});

const sent = ({proxy}: Scene): number => proxy.requests('xadd') + proxy.requests('evalsha');

describe.concurrent('signals and readers', () => {
  it.for(['SIGINT', 'SIGTERM'] as const)(
    'F33 %s while replies are awaited: what was read is added, and the counts say so',
    async (signal, context) => {
      const scene = await startScene(context);
      const production = await scene.idleProduction();
      scene.proxy.latency(500);
      production.feed(VALUES);
      await until(async () => (await scene.length()) === 1_310, 'Redis has executed all of them');
      production.running.process.kill(signal);
      const {code, stderr} = await production.running.finished;
      expect(code).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(stderr).toContain('read 1310, added 1310, rejected 0, unconfirmed 0');
      await scene.expectOnce(production);
    },
  );

  it.for(BOTH_WAYS)('F33 SIGTERM while Redis is away, %s: ends soon, with counts', async ([, args], context) => {
    const scene = await startScene(context);
    const production = await unreachable(scene, args);
    production.running.process.kill('SIGTERM');
    const {code, stderr} = await production.running.finished;
    expect(code).toBe(143);
    expect(stderr).toMatch(/read 1310, added 10, rejected 0, unconfirmed 1300/);
    await scene.expectProduced(production, {missing: true});
  });

  it('F33 SIGTERM while Redis is away, and Redis comes back at once: all that was read is added', async (context) => {
    const scene = await startScene(context);
    const production = await unreachable(scene, ONCE);
    production.running.process.kill('SIGTERM');
    await scene.proxy.listen();
    const {code, stderr} = await production.running.finished;
    expect(code).toBe(143);
    expect(stderr).toMatch(/read 1310, added 1310, rejected 0, unconfirmed 0/);
    await scene.expectOnce(production);
  });

  it('F33 a second signal while Redis is away: ends at once', async (context) => {
    const scene = await startScene(context);
    const production = await unreachable(scene, []);
    const {process, finished} = production.running;
    process.kill('SIGINT');
    process.kill('SIGTERM');
    const {code, stderr} = await finished;
    expect(code).toBeOneOf([130, 143]);
    expect(stderr, 'it has not waited to count').not.toContain('unconfirmed');
  });

  it('F33 a signal while connecting: ends at once', async (context) => {
    const scene = await startScene(context);
    scene.proxy.blackhole();
    const production = scene.produce(['--connect-timeout', '40s']);
    await until(() => scene.proxy.connections > 0, 'it connects');
    production.running.process.kill('SIGINT');
    const {code, stderr} = await production.running.finished;
    expect(code).toBe(130);
    expect(stderr).toContain('nothing was added');
  });

  it('F34 nobody reads the IDs: adding waits for the reader, and then each ID is there', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction([...ONCE, '--max-inflight', '2000']);
    const {stdout, pid} = production.running.process;
    stdout.pause();
    production.feed(numbered('y', 100_000));
    const added = await untilStill(() => scene.length());
    expect(added).toBeLessThan(85_000);
    expect(memoryMegabytes(pid!)).toBeLessThan(250);
    stdout.resume();
    expect((await production.finish()).code).toBe(0);
    await scene.expectOnce(production);
  });

  it('F34 the reader of the IDs has gone, and the connection is cut: every record arrives', async (context) => {
    const scene = await startScene(context);
    const production = await scene.idleProduction(ONCE);
    production.running.process.stdout.destroy();
    const cut = scene.proxy.cutAfter('evalsha', 2);
    production.feed(VALUES);
    expect((await production.finish()).code).toBe(0);
    await cut;
    await scene.expectProduced(production);
  });
});

/** A production that has read more, and knows that Redis is away. */
async function unreachable(scene: Scene, args: readonly string[]): Promise<Production> {
  const production = await scene.idleProduction(args);
  scene.proxy.refuse();
  scene.proxy.cut();
  await production.untilTold(LOST);
  production.feed(VALUES);
  await until(() => production.running.process.stdin.writableLength === 0, 'it has read them');
  await production.untilTold(/trying again/);
  return production;
}

const memoryMegabytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
