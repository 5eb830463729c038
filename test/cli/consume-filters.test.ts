/** `consume --where … --others ack|leave`: what is processed, and what becomes of the rest. */
import {beforeEach, describe, expect, it} from 'vitest';
import {idsIn, jsonLines, wholeLines} from '../support/json-lines.js';
import {serverForAll, until} from '../support/redis-server.js';
import {startStreamlog, streamlog} from '../support/run-cli.js';
import {onTerminal, unwrapped} from '../support/terminal.js';

const server = serverForAll();
beforeEach(() => server.redis.flushall());

const PAID = ['--where', 'type=paid'];
const consume = (...flags: string[]) => streamlog(['consume', '--exit', ...flags], {server});

/** `count` entries with the IDs 1-0, 2-0 …; each fifth is `type=paid`. */
async function addOrders(count: number, stream = 'events'): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let n = 1; n <= count; n++) pipeline.xadd(stream, `${n}-0`, 'type', n % 5 === 0 ? 'paid' : 'open', 'n', `${n}`);
  await pipeline.exec();
}

interface Pending {
  id: string;
  consumer: string;
  idleMs: number;
  deliveries: number;
}

async function pending(count = 1_000): Promise<Pending[]> {
  const entries = (await server.redis.xpending('events', 'streamlog', '-', '+', count)) as [
    string,
    string,
    number,
    number,
  ][];
  return entries.map(([id, consumer, idleMs, deliveries]) => ({id, consumer, idleMs, deliveries}));
}

const statistic = async (section: string, pattern: RegExp): Promise<number> =>
  Number(pattern.exec(await server.redis.info(section))?.[1] ?? 0);
const blockedReads = (): Promise<number> => statistic('clients', /blocked_clients:(\d+)/);
const createConsumers = (): Promise<number> => statistic('commandstats', /cmdstat_xgroup\|createconsumer:calls=(\d+)/);

const everyFifth = (count: number): string[] => Array.from({length: count}, (_, index) => `${5 * (index + 1)}-0`);

describe('--others ack', () => {
  it('acknowledges what does not match, unseen, and counts it', async () => {
    await addOrders(500);

    const {code, stdout, stderr} = await consume('--name', 'w1', ...PAID, '--others', 'ack', '-v');

    expect(code).toBe(0);
    expect(idsIn(stdout)).toEqual(everyFifth(100));
    expect(stderr).toContain('written 100, acknowledged 500, failed attempts 0, dead letters 0, lost 0, skipped 400');
    expect(await pending()).toEqual([]);
  });

  it('with --ack none leaves what matches to "streamlog ack"', async () => {
    await addOrders(500);

    const {stdout} = await consume('--name', 'w1', ...PAID, '--others', 'ack', '--ack', 'none');

    expect(idsIn(stdout)).toEqual(everyFifth(100));
    expect((await pending()).map(({id}) => id)).toEqual(everyFifth(100));
  });

  it('with --exec runs no handler for the others', async () => {
    await addOrders(50);

    const {code, stdout} = await consume('--name', 'w1', ...PAID, '--others', 'ack', '--exec', 'cat', '-P', '4');

    expect(code).toBe(0);
    expect(idsIn(stdout).sort()).toEqual(everyFifth(10).sort());
    expect(await pending()).toEqual([]);
  });

  it('-n counts what matches, over several streams', async () => {
    await addOrders(200);
    await addOrders(200, 'more');

    const flags = ['-s', 'events', '-s', 'more', '-n', '7', ...PAID, '--others', 'ack', '--batch', '3'];
    const first = await consume('--name', 'w1', ...flags);
    const second = await consume('--name', 'w1', '-s', 'events', '-s', 'more', ...PAID, '--others', 'ack');

    expect(idsIn(first.stdout)).toHaveLength(7);
    expect(idsIn(second.stdout)).toHaveLength(80 - 7);
  });

  it('goes on after kill -9 as without a filter: each match is printed, and nothing stays pending', async () => {
    await addOrders(20_000);
    const printed = new Set<string>();
    for (let kill = 1; kill <= 5; kill++) {
      const running = startStreamlog(['consume', '--name', 'w1', ...PAID, '--others', 'ack', '--batch', '20'], {
        server,
      });
      const enough = kill * 150 * 40;
      await until(() => running.stdout().length > enough, 'some of it was printed');
      running.process.kill('SIGKILL');
      for (const id of idsIn(wholeLines((await running.finished).stdout))) printed.add(id);
    }
    for (const id of idsIn((await consume('--name', 'w1', ...PAID, '--others', 'ack')).stdout)) printed.add(id);

    expect([...printed].sort()).toEqual(everyFifth(4_000).sort());
    expect(await pending()).toEqual([]);
  });
});

describe('--others leave', () => {
  const leave = [...PAID, '--others', 'leave'];

  it('leaves what does not match pending, not counted as a delivery', async () => {
    await addOrders(500);

    const {stdout, stderr} = await consume('--name', 'w1', ...leave, '-v');

    expect(idsIn(stdout)).toEqual(everyFifth(100));
    expect(stderr).toContain('written 100, acknowledged 100, failed attempts 0, dead letters 0, lost 0, skipped 400');
    const left = await pending();
    expect(left).toHaveLength(400);
    expect(new Set(left.map(({consumer, deliveries}) => `${consumer} ${deliveries}`))).toEqual(new Set(['w1 0']));
  });

  it.each([[[]], [['--exec', 'cat']]])(
    'no worker with that filter claims it, restarted or not (%j)',
    async (handler) => {
      await addOrders(50);
      await consume('--name', 'w1', ...leave);
      const running = startStreamlog(['consume', '--name', 'w1', '--claim', '1s', ...leave, ...handler], {server});
      const other = startStreamlog(['consume', '--name', 'w2', '--claim', '1s', ...leave, ...handler], {server});
      await until(
        async () => (await pending()).every(({idleMs}) => idleMs > 3_000),
        'all have been idle for three claims',
      );
      for (const {process} of [running, other]) process.kill('SIGINT');
      const ends = [await running.finished, await other.finished];

      expect(ends.map(({stdout}) => stdout)).toEqual(['', '']);
      const left = await pending();
      expect(left).toHaveLength(40);
      expect(new Set(left.map(({consumer, deliveries}) => `${consumer} ${deliveries}`))).toEqual(new Set(['w1 0']));
    },
  );

  it('others that want it take it over, with all of its attempts', async () => {
    await addOrders(10);
    await consume('--name', 'w1', ...leave);
    await until(async () => (await pending()).every(({idleMs}) => idleMs > 1_000), 'they are idle');

    const flags = ['--where', 'n<3', '--others', 'leave', '--claim', '1s'];
    const failing = ['--exec', 'echo "$STREAMLOG_ID" >&2; exit 1', '--max-deliver', '2', '--retry-backoff', '1ms'];
    const {code, stderr} = await consume('--name', 'w2', ...flags, ...failing);

    expect(code).toBe(0);
    expect(stderr.match(/the handler failed/g)).toHaveLength(2);
    expect(stderr.match(/went to the dead letters/g)).toHaveLength(2);
    expect(await server.redis.xlen('{events}:dead')).toBe(2);
    expect((await pending()).map(({id}) => id)).toEqual(['3-0', '4-0', '6-0', '7-0', '8-0', '9-0']);
  });

  it.each([0, 1])(
    'what others have acknowledged is not pending again when it ends (%i matched before)',
    async (matched) => {
      const running = startStreamlog(['consume', '--name', 'w1', '--claim', '1s', ...leave], {server});
      await until(async () => (await blockedReads()) > 0, 'it waits');
      if (matched > 0) await server.redis.xadd('events', '0-1', 'type', 'paid');
      for (const n of [1, 2, 3, 4]) {
        await until(async () => (await blockedReads()) > 0, 'it waits');
        await server.redis.xadd('events', `${n}-0`, 'type', 'open');
        await until(async () => (await pending()).length === n, `${n}-0 was read`);
      }
      await until(async () => (await blockedReads()) > 0, 'it waits');
      for (const id of ['1-0', '2-0', '3-0', '4-0']) {
        await server.redis.xclaim('events', 'streamlog', 'w2', 0, id);
        await server.redis.xack('events', 'streamlog', id);
      }
      running.process.kill('SIGINT');
      const {code, stderr} = await running.finished;

      expect(code).toBe(130);
      expect(stderr).not.toContain('removed');
      expect(await pending()).toEqual([]);
    },
  );

  it('what its consumer had is pending again when that was removed, without what others have acknowledged', async () => {
    await addOrders(4);
    await server.redis.xgroup('CREATE', 'events', 'streamlog', '0');
    const running = startStreamlog(['consume', '--name', 'w1', '--claim', '1s', ...leave], {server});
    await until(async () => (await pending()).length === 4, 'all were read');
    for (const id of ['1-0', '3-0']) await server.redis.xack('events', 'streamlog', id);
    const checks = await createConsumers();
    // Each sweep looks what became of what it left, behind such a check.
    await until(async () => (await createConsumers()) > checks + 8, 'it has looked');
    await server.redis.xgroup('DELCONSUMER', 'events', 'streamlog', 'w1');
    await until(async () => (await pending()).length > 0, 'they are pending again');

    expect((await pending()).map(({id}) => id)).toEqual(['2-0', '4-0']);
    running.process.kill('SIGINT');
    await running.finished;
    expect((await pending()).map(({id}) => id)).toEqual(['2-0', '4-0']);
  });

  it('what its consumer had is pending again when that was removed, and created again by the next entry', async () => {
    const running = startStreamlog(['consume', '--name', 'w1', '--claim', '1s', ...leave], {server});
    await until(async () => (await blockedReads()) > 0, 'it waits');
    await server.redis.xadd('events', '0-1', 'type', 'paid');
    for (const n of [1, 2]) {
      await server.redis.xadd('events', `${n}-0`, 'type', 'open');
      await until(async () => (await pending()).length === n, `${n}-0 was read`);
    }
    await until(async () => (await blockedReads()) > 0, 'it waits');
    await server.redis
      .multi()
      .xgroup('DELCONSUMER', 'events', 'streamlog', 'w1')
      .xadd('events', '3-0', 'type', 'open')
      .exec();
    await until(async () => (await pending()).some(({id}) => id === '3-0'), '3-0 was read');
    running.process.kill('SIGINT');
    await running.finished;

    expect((await pending()).map(({id}) => id)).toEqual(['1-0', '2-0', '3-0']);
  });

  it('what was pending with it before a restart is delivered, if it matches, and counted', async () => {
    await addOrders(10);
    await consume('--name', 'w1', '--ack', 'none');

    const {stdout} = await consume('--name', 'w1', ...leave);

    expect(jsonLines(stdout).map(({id, deliveries}) => [id, deliveries])).toEqual([
      ['5-0', 2],
      ['10-0', 2],
    ]);
    expect((await pending()).every(({deliveries}) => deliveries === 1)).toBe(true);
  });
});

describe('how it is asked for', () => {
  it.each([
    [PAID, '--where needs --others'],
    [['--others', 'ack'], '--others needs --where, --not-where or --grep'],
    [[...PAID, '--others', 'leave', '--no-ack'], '--no-ack leaves nothing pending: give --others ack'],
    [[...PAID, '--others', 'drop'], '--others takes ack or leave, not "drop"'],
  ])('%j is a usage error', async (flags, message) => {
    const {code, stderr} = await consume(...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(`streamlog: ${message}\n`);
  });

  it.each([40, 80, 120])('the last line says what was skipped (%i columns)', async (columns) => {
    await addOrders(10);

    const {text} = await onTerminal(['consume', '--name', 'w1', '--exit', ...PAID, '--others', 'ack'], {
      columns,
      server,
    });

    expect(unwrapped(text)).toContain('streamlog: 2 written, 10 acknowledged, 8 skipped\n');
  });
});
