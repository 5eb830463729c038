/** `streamlog dlq`: what died is seen, put back once, at a rate, and deleted only when that was said. */
import {afterEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, until} from '../support/redis-server.js';
import {type Finished, type RunOptions, shell, startStreamlog, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const DEAD = '{events}:dead';
const server = serverForAll();

afterEach(async () => {
  await server.redis.config('SET', 'maxmemory', 0);
  await server.redis.flushall();
});

const dlq = (args: string[], options: RunOptions = {}): Promise<Finished> =>
  streamlog(['dlq', ...args], {server, ...options});
const lines = <Line = Record<string, unknown>>({stdout}: Finished): Line[] => jsonLines<Line>(stdout);

/** Dead letters 1-0 … count-0; every third of group `mail`. */
async function bury(count: number, deadLetter = DEAD, stream = 'events'): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let n = 1; n <= count; n++) {
    const group = n % 3 === 0 ? 'mail' : 'billing';
    const origin = ['_dlq_stream', stream, '_dlq_group', group, '_dlq_id', `0-${n}`, '_dlq_consumer', 'w1'];
    const death = ['_dlq_deliveries', '5', '_dlq_reason', 'exit code 1', '_dlq_at', '1700000000000'];
    pipeline.xadd(deadLetter, `${n}-0`, 'n', String(n), ...origin, ...death);
  }
  await pipeline.exec();
}
const ids = async (stream: string): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([id]) => id);
const numbers = async (stream: string): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([, fields]) => fields[fields.indexOf('n') + 1]!);

it('an entry that its handler refuses is listed, shown, put back and handled, with all that it held', async () => {
  await server.redis.xadd('events', '1-0', 'type', 'login', 'type', 'again');
  await streamlog(['consume', '--name', 'w1', '--exec', 'exit 65', '--exit'], {server});
  const [summary] = lines(await dlq(['list']));
  expect(summary).toMatchObject({
    deadLetter: DEAD,
    entries: 1,
    causes: [{stream: 'events', group: 'streamlog', count: 1}],
  });
  const [shown] = lines<{id: string; pairs: [string, string][]}>(await dlq(['show']));
  expect(shown!.pairs.slice(0, 2)).toEqual([
    ['type', 'login'],
    ['type', 'again'],
  ]);

  const [moved] = lines<{newId: string}>(await dlq(['redrive', shown!.id]));
  const handled = await streamlog(['consume', '--name', 'w2', '--exit'], {server});
  expect(lines(handled)).toMatchObject([{id: moved!.newId, pairs: shown!.pairs}]);
  expect(await ids(DEAD)).toEqual([]);
});

describe('list', () => {
  it('finds the streams of dead letters and tells causes apart, and leaves other streams out', async () => {
    await bury(4);
    await bury(1, 'orders{eu}:dead', 'orders{eu}');
    await server.redis.xadd('events', '1-0', 'n', 1);
    const done = await dlq(['list']);
    const summaries = lines<{deadLetter: string}>(done).sort((a, b) => (a.deadLetter < b.deadLetter ? 1 : -1));
    expect(summaries).toMatchObject(
      [
        {
          deadLetter: DEAD,
          entries: 4,
          oldestId: '1-0',
          newestId: '4-0',
          causes: [
            {stream: 'events', group: 'billing', reason: 'exit code 1', count: 3},
            {stream: 'events', group: 'mail', reason: 'exit code 1', count: 1},
          ],
          otherCauses: 0,
        },
        {deadLetter: 'orders{eu}:dead', entries: 1},
      ].sort((a, b) => (a.deadLetter < b.deadLetter ? 1 : -1)),
    );
  });

  it('of one stream, also where nothing has died', async () => {
    await bury(1);
    expect(lines(await dlq(['list', '--stream', 'events']))).toMatchObject([{entries: 1}]);
    expect(lines(await dlq(['list', '-s', 'orders']))).toMatchObject([
      {deadLetter: '{orders}:dead', entries: 0, causes: []},
    ]);
    await bury(2, 'graveyard');
    expect(lines(await dlq(['list', '--dead-letter', 'graveyard']))).toMatchObject([{entries: 2}]);
  });

  it('a reason for each entry does not make the answer grow with them', async () => {
    const pipeline = server.redis.pipeline();
    for (let n = 1; n <= 150; n++) pipeline.xadd(DEAD, `${n}-0`, '_dlq_reason', `reason ${n}`);
    await pipeline.exec();
    const [summary] = lines<{causes: unknown[]; otherCauses: number}>(await dlq(['list']));
    expect([summary!.causes.length, summary!.otherCauses]).toEqual([100, 50]);
  });

  it('says so when nothing has died', async () => {
    expect(await dlq(['list'])).toMatchObject({code: 0, stdout: '', stderr: 'streamlog: no dead letters\n'});
  });
});

describe('show', () => {
  it('prints what matches, and can be narrowed further by any tool', async () => {
    await bury(7);
    const shown = lines<{id: string}>(await dlq(['show', '--where', '_dlq_group=mail']));
    expect(shown.map(({id}) => id)).toEqual(['3-0', '6-0']);
    expect(lines(await dlq(['show', '--where', '_dlq_group=mail', '--where', 'n=6'])).length).toBe(1);
    expect(lines(await dlq(['show', '--where', 'n=', '--limit', '2'])).length).toBe(0);
    expect(lines(await dlq(['show', '--limit', '2'])).length).toBe(2);
    expect((await dlq(['show', '5-0', '-f', '%f{n} %f{_dlq_reason}\\n'])).stdout).toBe('5 exit code 1\n');
    const piped = await shell('streamlog dlq show | grep mail | streamlog dlq redrive -', {server});
    expect(lines(piped).map(({id}) => id)).toEqual(['3-0', '6-0']);
  });

  it('an ID that is not there is a failure, after the others were shown', async () => {
    await bury(1);
    const done = await dlq(['show', '1-0', '9-0']);
    expect(done.code).toBe(66);
    expect(lines(done)).toHaveLength(1);
    expect(done.stderr).toContain('9-0 is not in "{events}:dead"');
  });

  it('on a terminal is safe to look at, whatever the entries hold', async () => {
    await server.redis.xadd(
      DEAD,
      '1-0',
      HOSTILE,
      HOSTILE,
      '_dlq_reason',
      HOSTILE,
      '_dlq_stream',
      HOSTILE,
      '_dlq_group',
      HOSTILE,
    );
    for (const args of [
      ['dlq', 'show'],
      ['dlq', 'list'],
      ['dlq', 'show', '--json'],
      ['dlq', 'redrive', '--dry-run', '--any-stream'],
    ]) {
      const {code, text} = await onTerminal(args, {server, columns: 400});
      expect(code).toBe(0);
      expect(text).toContain('evil');
      expect(unsafeIn(text)).toEqual([]);
    }
  });
});

describe('redrive', () => {
  it('puts all of them back in their order, each where it came from, and says the new IDs', async () => {
    await bury(250);
    await server.redis.xadd(DEAD, '300-0', 'n', '300', '_dlq_stream', 'orders');
    const done = await dlq(['redrive', '--any-stream']);
    expect(done).toMatchObject({code: 0, stderr: 'streamlog: 251 put back\n'});
    expect(await numbers('events')).toEqual(Array.from({length: 250}, (_, index) => String(index + 1)));
    expect(
      lines(done)
        .slice(0, 250)
        .map(({newId}) => newId),
    ).toEqual(await ids('events'));
    expect(lines(done).at(-1)).toMatchObject({id: '300-0', stream: 'orders'});
    expect(await server.redis.exists(DEAD).then(() => server.redis.xlen(DEAD))).toBe(0);
  });

  it('an entry whose fields name another stream stays, and is named, whatever dead letters it is among', async () => {
    await server.redis.xadd('app-dead', '1-0', 'n', '1', '_dlq_stream', 'app-x');
    for (let n = 2; n <= 9; n++) await server.redis.xadd('app-dead', `${n}-0`, 'n', n, '_dlq_stream', `admin-${n}`);
    const args = ['redrive', '-s', 'app-x', '--dead-letter', 'app-dead'];
    for (const dryRun of [['--dry-run'], []]) {
      const done = await dlq([...args, ...dryRun]);
      expect(done.code).toBe(65);
      expect(lines(done).map(({id, stream}) => [id, stream])).toEqual([['1-0', 'app-x']]);
      expect(done.stderr).toContain('8 of another stream left in place\n');
      expect(done.stderr).toContain('8 entries came from another stream than "app-x": "admin-2", "admin-3", ');
      expect(done.stderr).toContain('--any-stream');
    }
    expect(await ids('app-dead')).toHaveLength(8);
    expect(await server.redis.exists('admin-2')).toBe(0);
    expect((await dlq([...args, '2-0', '--to', 'by-hand'])).code).toBe(0);
    expect(await numbers('by-hand')).toEqual(['2']);
    expect((await dlq([...args, '--any-stream'])).code).toBe(0);
    expect(await numbers('admin-3')).toEqual(['3']);
    expect(await ids('app-dead')).toEqual([]);
  });

  it('one that cannot be put back does not hide those that were', async () => {
    await bury(3);
    await server.redis.set('text', 'no stream');
    await server.redis.xadd(DEAD, '4-0', 'n', '4', '_dlq_stream', 'text');
    await server.redis.xadd(DEAD, '5-0', 'n', '5', '_dlq_stream', 'events');
    const done = await dlq(['redrive', '--any-stream']);
    expect(done.code).toBe(65);
    expect(lines(done).map(({id}) => id)).toEqual(['1-0', '2-0', '3-0', '5-0']);
    expect(done.stderr).toContain('streamlog: before it failed: 4 put back\n');
    expect(await ids(DEAD)).toEqual(['4-0']);
  });

  it('--dry-run, --where, --limit and --to do what they say', async () => {
    await bury(6);
    const dry = await dlq(['redrive', '--where', '_dlq_group=billing', '--limit', '3', '--dry-run']);
    expect(lines(dry).map(({id, newId}) => [id, newId])).toEqual([
      ['1-0', null],
      ['2-0', null],
      ['4-0', null],
    ]);
    expect(dry.stderr).toBe('streamlog: 3 would be put back\n');
    expect(await server.redis.exists('events')).toBe(0);
    await dlq(['redrive', '--where', '_dlq_group=billing', '--limit', '3', '--to', 'by-hand']);
    expect(await numbers('by-hand')).toEqual(['1', '2', '4']);
    expect(await numbers(DEAD)).toEqual(['3', '5', '6']);
  });

  it('what dies again meanwhile is left for the next run', async () => {
    await bury(60);
    const worker = startStreamlog(['consume', '--name', 'w1', '--exec', 'exit 65'], {server});
    try {
      await until(async () => (await server.redis.exists('events')) === 1, 'the worker has joined');
      const done = await dlq(['redrive', '--rate', '100/s']);
      expect(lines(done).map(({id}) => id)).toEqual(Array.from({length: 60}, (_, index) => `${index + 1}-0`));
      await until(async () => (await server.redis.xlen(DEAD)) === 60, 'all have died again');
    } finally {
      worker.process.kill('SIGTERM');
      await worker.finished;
    }
  });

  it('--rate leaves the rest to a later time, and the first signal to a later run', async () => {
    await bury(50);
    const running = startStreamlog(['dlq', 'redrive', '--rate', '1/s'], {server});
    await until(() => running.stdout().includes('newId'), 'the first was put back');
    running.process.kill('SIGINT');
    const done = await running.finished;
    expect(done.code).toBe(130);
    const back = lines(done).length;
    expect(back).toBeLessThan(10);
    expect(done.stderr).toContain(`${back} put back`);
    expect([await server.redis.xlen('events'), await server.redis.xlen(DEAD)]).toEqual([back, 50 - back]);
  });

  it('without memory says how far it came, and loses and doubles nothing', async () => {
    await bury(5);
    await server.redis.config('SET', 'maxmemory', 1);
    const done = await dlq(['redrive']);
    expect(done.code).toBe(75);
    expect(done.stderr).toContain('streamlog: before it failed: 0 put back\n');
    expect(await server.redis.exists('events')).toBe(0);
    expect(await ids(DEAD)).toHaveLength(5);
  });

  it('a user who may not delete is refused before anything is added', async () => {
    await bury(2);
    await server.redis.call('ACL', 'SETUSER', 'adder', 'on', '>pw', '~*', '+@all', '-xdel');
    const env = {STREAMLOG_USERNAME: 'adder', STREAMLOG_PASSWORD: 'pw'};
    expect((await dlq(['redrive'], {env})).code).toBe(77);
    expect(await server.redis.exists('events')).toBe(0);
  });

  it('an entry that does not say where it came from stays, and the command fails', async () => {
    await server.redis.xadd(DEAD, '1-0', 'n', '1');
    await server.redis.xadd(DEAD, '2-0', 'n', '2', '_dlq_stream', 'events');
    const done = await dlq(['redrive']);
    expect(done.code).toBe(65);
    expect(done.stderr).toContain('--to');
    expect(await numbers('events')).toEqual(['2']);
    expect(await ids(DEAD)).toEqual(['1-0']);
  });

  it('the record of the entry itself is no dead letter', async () => {
    await bury(1);
    const done = await dlq(['redrive', '{"stream":"events","id":"1-0"}']);
    expect(done.code).toBe(65);
    expect(await ids(DEAD)).toEqual(['1-0']);
    expect((await dlq(['redrive', '--to', DEAD])).code).toBe(2);
  });

  it('of nothing is no failure', async () => {
    expect(await dlq(['redrive'])).toMatchObject({code: 0, stdout: '', stderr: 'streamlog: 0 put back\n'});
  });
});

it.each([['redrive'], ['purge', '--force']])(
  '%s of what is no stream says that, and counts nothing',
  async (...args) => {
    await server.redis.set(DEAD, 'no stream');
    const done = await dlq(args);
    expect(done).toMatchObject({code: 65, stdout: ''});
    expect(done.stderr).toBe(`streamlog: "${DEAD}" is a string, not a stream\nhint: give another stream\n`);
  },
);

describe('purge', () => {
  it('wants to be told which ones, or --force', async () => {
    await bury(3);
    const refused = await dlq(['purge']);
    expect(refused).toMatchObject({code: 2, stdout: ''});
    expect(await ids(DEAD)).toHaveLength(3);
    expect(lines(await dlq(['purge', '--dry-run']))).toEqual([{deadLetter: DEAD, purged: 3, left: 3, dryRun: true}]);
    expect(lines(await dlq(['purge', '2-0']))).toEqual([{deadLetter: DEAD, purged: 1, left: 2, dryRun: false}]);
    expect(lines(await dlq(['purge', '--where', '_dlq_group=mail']))).toMatchObject([{purged: 1, left: 1}]);
    expect(await ids(DEAD)).toEqual(['1-0']);
    expect(lines(await dlq(['purge', '--force']))).toMatchObject([{purged: 1, left: 0}]);
  });

  it('--older-than keeps what died later', async () => {
    await bury(2);
    await server.redis.xadd(DEAD, '*', 'n', '3');
    expect(lines(await dlq(['purge', '--older-than', '7d']))).toMatchObject([{purged: 2, left: 1}]);
    expect(await numbers(DEAD)).toEqual(['3']);
  });
});
