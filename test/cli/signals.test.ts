import {execFileSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {idsIn} from '../support/json-lines.js';
import {type RedisServer, serverForAll, startRedis, until} from '../support/redis-server.js';
import {EXECUTABLE, type Running, startShell, startStreamlog} from '../support/run-cli.js';
import {startListener} from '../support/topologies.js';

const server = serverForAll();

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

const numbered = (from: number, to: number): string[] =>
  Array.from({length: to - from + 1}, (_, index) => `${from + index}-0`);

async function add(stream: string, count: number): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (const id of numbered(1, count)) pipeline.xadd(stream, id, 'n', 'x'.repeat(100));
  await pipeline.exec();
}

/** How many clients wait in a blocking read. */
const blocked = async ({redis}: RedisServer): Promise<number> =>
  Number(/blocked_clients:(\d+)/.exec(await redis.info('clients'))?.[1]);

const countsIn = (stderr: string): number[] =>
  /read (\d+), added (\d+), rejected (\d+), unconfirmed (\d+)/.exec(stderr)!.slice(1).map(Number);

describe.each(SIGNALS)('%s', (signal, code) => {
  it('ends consume while it waits', async () => {
    const running = startStreamlog(['consume', '-s', `idle ${signal}`, '--name', 'w1'], {server});
    await until(async () => (await blocked(server)) === 1, 'it waits for entries');
    running.process.kill(signal);
    expect(await running.finished).toMatchObject({code, stdout: '', stderr: ''});
    expect(await blocked(server)).toBe(0);
  });

  it('ends consume in the middle of work: what is acknowledged was printed, all else is pending or unread', async () => {
    const stream = `busy ${signal}`;
    await add(stream, 30_000);
    for (const enough of [1, 1_000]) {
      const running = startStreamlog(['consume', '-s', stream, '--name', `w${enough}`, '--batch', '50'], {server});
      await until(() => running.stdout().split('\n').length > enough, 'some are printed');
      running.process.kill(signal);
      const {code: found, stdout, stderr} = await running.finished;
      expect([found, stderr]).toEqual([code, '']);
      // Nothing in hand is left half done: what was printed is what was acknowledged, in its order.
      const printed = idsIn(stdout);
      expect(printed).toEqual(numbered(Number.parseInt(printed[0]!, 10), Number.parseInt(printed.at(-1)!, 10)));
      const pending = (await server.redis.xpending(stream, 'streamlog', '-', '+', 10_000)) as [string][];
      expect(pending.filter(([id]) => printed.includes(id))).toEqual([]);
      const [group = []] = (await server.redis.xinfo('GROUPS', stream)) as unknown[][];
      const lastDelivered = Number.parseInt(String(group[group.indexOf('last-delivered-id') + 1]), 10);
      // A reply that was under way when the signal came may have made some more pending, and nothing else.
      expect(pending.map(([id]) => id)).toEqual(numbered(Number.parseInt(printed.at(-1)!, 10) + 1, lastDelivered));
      await server.redis.xgroup('SETID', stream, 'streamlog', printed.at(-1)!);
      await server.redis.xack(stream, 'streamlog', '0-1', ...pending.map(([id]) => id));
    }
  });

  it('ends produce while it waits for input: what was read is added, and the counts say so', async () => {
    const stream = `input ${signal}`;
    const running = startStreamlog(['produce', '-s', stream], {server});
    running.process.stdin.write('{"a":1}\n{"a":2}\n{"a":');
    await until(() => running.stdout().split('\n').length === 3, 'two entries are added');
    running.process.kill(signal);
    const {code: found, stderr} = await running.finished;
    expect([found, countsIn(stderr)]).toEqual([code, [2, 2, 0, 0]]);
    expect(await server.redis.xlen(stream)).toBe(2);
  });

  it.each(['text', 'csv'])('adds no half line of %s', async (input) => {
    const stream = `half ${input} ${signal}`;
    const running = startStreamlog(['produce', '-s', stream, '--input', input], {server});
    running.process.stdin.write('header\nwhole\nha');
    await until(async () => (await server.redis.xlen(stream)) > 0, 'the whole lines are added');
    running.process.kill(signal);
    expect((await running.finished).code).toBe(code);
    const values = (await server.redis.xrange(stream, '-', '+')).map(([, [, value]]) => value);
    expect(values).toEqual(input === 'csv' ? ['whole'] : ['header', 'whole']);
  });

  it('ends produce in the middle of its input: each ID is printed, and the counts are right', async () => {
    const stream = `flood ${signal}`;
    const running = startStreamlog(['produce', '-s', stream], {server});
    const {stdin} = running.process;
    const chunk = `{"payload":"${'x'.repeat(100)}"}\n`.repeat(1_000);
    const feed = (): void => {
      while (stdin.writable && stdin.write(chunk));
    };
    stdin.on('drain', feed);
    feed();
    await until(async () => (await server.redis.xlen(stream)) > 2_000, 'some are added');
    running.process.kill(signal);
    const {code: found, stdout, stderr} = await running.finished;
    stdin.off('drain', feed);
    const length = await server.redis.xlen(stream);
    expect([found, countsIn(stderr)]).toEqual([code, [length, length, 0, 0]]);
    expect(stdout.split('\n').slice(0, -1)).toEqual((await server.redis.xrange(stream, '-', '+')).map(([id]) => id));
  });

  it('ends a load that would never end', async () => {
    const stream = `load ${signal}`;
    const running = startStreamlog(['produce', '-s', stream, 'type=ping', '--rate', '100'], {server});
    await until(async () => (await server.redis.xlen(stream)) > 3, 'some are added');
    running.process.kill(signal);
    const {code: found, stderr} = await running.finished;
    const length = await server.redis.xlen(stream);
    expect([found, countsIn(stderr)]).toEqual([code, [length, length, 0, 0]]);
  });

  it('ends info --watch', async () => {
    await server.redis.xadd('watched', '*', 'a', '1');
    const running = startStreamlog(['info', '-s', 'watched', '--watch', '20ms'], {server});
    await until(() => running.stdout().split('\n').length > 3, 'it was shown some times');
    running.process.kill(signal);
    const {code: found, stdout} = await running.finished;
    expect(found).toBe(code);
    for (const line of stdout.split('\n').slice(0, -1)) expect(JSON.parse(line)).toMatchObject({stream: 'watched'});
  });
});

describe('SIGHUP', () => {
  it('drains consume --exec: the handler ends, and its entry is acknowledged', async () => {
    await add('hangup', 3);
    const exec = 'echo started; read -r go < "$GO"; echo done';
    const go = join(mkdtempSync(join(tmpdir(), 'streamlog-signals-')), 'go');
    execFileSync('mkfifo', [go]);
    const running = startStreamlog(['consume', '-s', 'hangup', '--name', 'w1', '--exec', exec], {
      server,
      env: {GO: go},
    });
    await until(() => running.stdout() === 'started\n', 'the handler has begun');
    running.process.kill('SIGHUP');
    writeFileSync(go, 'go\n');
    expect(await running.finished).toMatchObject({code: 129, stdout: 'started\ndone\n'});
    const pending = (await server.redis.xpending('hangup', 'streamlog', '-', '+', 10)) as [string][];
    expect(pending.map(([id]) => id)).not.toContain('1-0');
    rmSync(dirname(go), {recursive: true});
  });

  it('stays ignored where nohup has it ignored', async () => {
    await add('nohup', 1);
    const running = startShell('exec nohup "$0" consume -s nohup --name w1 2>/dev/null'.replace('$0', EXECUTABLE), {
      server,
    });
    await until(() => running.stdout() !== '', 'it prints the first entry');
    running.process.kill('SIGHUP');
    await server.redis.xadd('nohup', '2-0', 'n', 'x');
    await until(() => idsIn(running.stdout()).length === 2, 'it prints the second one too');
    running.process.kill('SIGTERM');
    expect((await running.finished).code).toBe(143);
  });
});

describe('a Redis that hangs', () => {
  /** Runs `work` while the server neither answers nor is gone. */
  async function hanging(work: (mortal: RedisServer) => Promise<void>): Promise<void> {
    const mortal = await startRedis();
    try {
      await work(mortal);
    } finally {
      mortal.process.kill('SIGCONT');
      await mortal.stop();
    }
  }

  it('does not keep consume that waits', () =>
    hanging(async (mortal) => {
      const running = startStreamlog(['consume', '--name', 'w1'], {server: mortal});
      await until(async () => (await blocked(mortal)) === 1, 'it waits for entries');
      mortal.process.kill('SIGSTOP');
      running.process.kill('SIGTERM');
      expect((await running.finished).code).toBe(143);
    }));

  it('does not keep produce beyond the second signal', () =>
    hanging(async (mortal) => {
      // Less than a first signal leaves for what is in hand: to end by that would be too late.
      const running = startStreamlog(['produce'], {server: mortal, limitMs: 20_000});
      running.process.stdin.write('{"a":1}\n');
      await until(() => running.stdout() !== '', 'the first entry is added');
      mortal.process.kill('SIGSTOP');
      running.process.stdin.write('{"a":2}\n');
      running.process.kill('SIGINT');
      running.process.kill('SIGTERM');
      expect((await running.finished).code).toBeOneOf([130, 143]);
    }));

  it('does not keep anybody who still connects', async () => {
    const silent = await startListener();
    const args = ['-u', `redis://127.0.0.1:${silent.port}`, '--connect-timeout', '1h'];
    for (const command of [['info'], ['consume'], ['produce']]) {
      const running: Running = startStreamlog([...command, ...args], {});
      // It has its handlers when it has loaded its command; before that a signal ends it anyhow.
      await once(running.process, 'spawn');
      await until(() => {
        running.process.kill('SIGTERM');
        return running.process.exitCode !== null || running.process.signalCode !== null;
      }, 'it ends');
      expect([143, null]).toContain((await running.finished).code);
    }
    await silent.stop();
  });
});
