import {describe, expect, it} from 'vitest';
import {serverForAll} from '../support/redis-server.js';
import {type Finished, streamlog} from '../support/run-cli.js';
import {HOSTILE, onTerminal, unsafeIn} from '../support/terminal.js';

const server = serverForAll();

const trim = (...args: string[]): Promise<Finished> => streamlog(['trim', ...args], {server});
const idsOf = async (stream: string): Promise<string[]> =>
  (await server.redis.xrange(stream, '-', '+')).map(([id]) => id);

/** Entries 1-0 to `count`-0. */
async function fill(stream: string, count: number): Promise<void> {
  const pipeline = server.redis.pipeline();
  for (let ms = 1; ms <= count; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', String(ms));
  await pipeline.exec();
}

/** Delivers `count` entries to a group and acknowledges the first `acknowledged` of them. */
async function read(stream: string, group: string, count: number, acknowledged: number): Promise<void> {
  const {redis} = server;
  await redis.xgroup('CREATE', stream, group, '0');
  if (count > 0) await redis.xreadgroup('GROUP', group, 'w', 'COUNT', count, 'STREAMS', stream, '>');
  const ids = (await idsOf(stream)).slice(0, acknowledged);
  if (ids.length > 0) await redis.xack(stream, group, ...ids);
}

describe('a goal', () => {
  it('is a length, an ID, a time, an age or a size', async () => {
    await fill('goals', 100);
    const done = async (...args: string[]) => {
      const {code, stdout, stderr} = await trim('-s', 'goals', ...args);
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout);
    };
    expect(await done('--maxlen', '90')).toEqual({stream: 'goals', removed: 10, left: 90, dryRun: false, losses: []});
    expect(await done('--minid', '16')).toMatchObject({removed: 5, left: 85});
    expect(await done('--minid', '@1970-01-01T00:00:00.020Z')).toMatchObject({removed: 4, left: 81});
    await server.redis.xadd('goals', `${Date.now()}-0`, 'n', 'new');
    expect(await done('--max-age', '1h')).toMatchObject({removed: 81, left: 1});
    expect(await done('--max-bytes', '1MB')).toMatchObject({removed: 0, left: 1, bytes: expect.any(Number)});
  });

  it('of age is refused where the IDs are plainly no times, unless --force is given: 2', async () => {
    const {redis} = server;
    const now = Date.now();
    const ages: [name: string, ids: string[], removed: number][] = [
      ['counters', ['1-0', '2-0', '70000-0'], 3],
      ['seconds', [`${Math.floor(now / 1_000)}-0`], 1],
      ['microseconds', [`${now * 1_000}-0`, `${now * 1_000 + 1}-0`], 0],
      ['one clock', ['5-0', `${now}-0`], 1],
    ];
    for (const [name, ids, removed] of ages) {
      for (const id of ids) await redis.xadd(name, id, 'n', '1');
      const plain = await trim('-s', name, '--max-age', '1h');
      if (name === 'one clock') {
        expect([plain.code, plain.stderr, await redis.xlen(name)]).toEqual([0, '', 1]);
        continue;
      }
      expect([plain.code, plain.stdout, await redis.xlen(name)]).toEqual([2, '', ids.length]);
      expect(plain.stderr).toContain(`the IDs of stream "${name}" are not times (${ids[0]}`);
      expect(plain.stderr).toContain('--force');
      expect((await trim('-s', name, '--max-age', '1h', '--dry-run')).code).toBe(2);
      const forced = await trim('-s', name, '--max-age', '1h', '--force');
      expect([forced.code, JSON.parse(forced.stdout).removed]).toEqual([0, removed]);
    }
  });

  it('of age that nothing has yet is said', async () => {
    await server.redis.xadd('ahead', `${Date.now() + 7_300_000}-0`, 'n', '1');
    const {code, stdout, stderr} = await trim('-s', 'ahead', '--max-age', '1h');
    expect([code, JSON.parse(stdout)]).toMatchObject([0, {removed: 0, left: 1}]);
    expect(stderr).toMatch(
      /^streamlog: no entry of stream "ahead" has an age: the time of the first one, \d+-0, is in 2h\b.*\n$/,
    );
  });

  it('must be one, and one only: 2', async () => {
    for (const args of [
      [],
      ['--maxlen', '1', '--minid', '1'],
      ['--max-age', '1h', '--max-bytes', '1MB'],
      ['--maxlen', '-1'],
    ]) {
      const {code, stdout, stderr} = await trim('-s', 'goals', ...args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^streamlog: .*--(maxlen|max-age)/);
    }
  });

  it('needs a stream: 66, or 65 for what is none', async () => {
    await server.redis.set('a string', 'x');
    expect(await trim('-s', 'missing', '--maxlen', '1')).toMatchObject({code: 66, stdout: ''});
    expect(await trim('-s', 'a string', '--maxlen', '1')).toMatchObject({code: 65, stdout: ''});
    expect(await server.redis.exists('missing')).toBe(0);
  });
});

describe('what groups still need', () => {
  it('goes without --safe, and standard error says how much of whom', async () => {
    await fill('losing', 20);
    await read('losing', 'billing', 8, 3);
    await read('losing', 'audit', 20, 20);
    const {code, stdout, stderr} = await trim('-s', 'losing', '--maxlen', '5');
    expect(code).toBe(0);
    expect(stderr).toBe(
      'streamlog: warning: 7 unread and 5 pending entries of group "billing" were removed; --safe keeps them\n',
    );
    expect(JSON.parse(stdout)).toMatchObject({
      removed: 15,
      left: 5,
      losses: [{group: 'billing', unread: 7, pending: 5}],
    });
  });

  it('stays with --safe, and standard error says for whom', async () => {
    await fill('safe', 20);
    await read('safe', 'billing', 8, 3);
    const {code, stdout, stderr} = await trim('-s', 'safe', '--maxlen', '5', '--safe');
    expect([code, stderr]).toEqual([
      0,
      'streamlog: kept everything from 4-0 on: group "billing" has not read and acknowledged it\n',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({removed: 3, left: 17, losses: []});
    expect((await idsOf('safe'))[0]).toBe('4-0');
    expect((await trim('-s', 'safe', '--maxlen', '5', '--safe', '-q')).stderr).toBe('');
  });

  it('is foretold by --dry-run, which changes nothing', async () => {
    await fill('dry', 20);
    await read('dry', 'billing', 8, 3);
    const dump = await server.redis.dumpBuffer('dry');
    const {code, stdout, stderr} = await trim('-s', 'dry', '--minid', '11-0', '--dry-run');
    expect(code).toBe(0);
    expect(stderr).toBe(
      'streamlog: warning: 2 unread and 5 pending entries of group "billing" would be removed; --safe keeps them\n',
    );
    expect(JSON.parse(stdout)).toEqual({
      stream: 'dry',
      removed: 10,
      left: 10,
      dryRun: true,
      losses: [{group: 'billing', unread: 2, pending: 5}],
    });
    expect(await server.redis.dumpBuffer('dry')).toEqual(dump);
  });
});

it('a size that no trim can reach is said, and the entries are kept', async () => {
  await fill('pending', 3_000);
  await read('pending', 'g', 3_000, 0);
  const {code, stdout, stderr} = await trim('-s', 'pending', '--max-bytes', '50KB');
  expect(code).toBe(0);
  expect(stderr).toMatch(/the stream still takes [\d.]+ [KM]B: the rest is not used by entries\n$/);
  expect(JSON.parse(stdout).left).toBeGreaterThan(2_000);
});

it('a terminal shows the same facts, and what is hostile does nothing there', async () => {
  await fill('events', 10);
  const {text} = await onTerminal(['trim', '--maxlen', '4', '--dry-run'], {server, env: {NO_COLOR: '1'}});
  expect(text).toBe('stream        events\nwould remove  6\nleft          4\n');

  await fill(HOSTILE, 10);
  await read(HOSTILE, HOSTILE, 2, 0);
  const shown = await onTerminal(['trim', '--stream', HOSTILE, '--maxlen', '0', '--force'], {server});
  expect(shown.code).toBe(0);
  expect(shown.text).toContain('pending entries of group');
  expect(unsafeIn(shown.text)).toEqual([]);
});
