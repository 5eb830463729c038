/** The `group` commands on real servers: who gets what after a group was made, moved or removed. */
import {afterEach, describe, expect, it} from 'vitest';
import {jsonLines} from '../support/json-lines.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';
import {type Finished, streamlog} from '../support/run-cli.js';
import {onTerminal} from '../support/terminal.js';
import {startCluster} from '../support/topologies.js';

type Facts = Record<string, unknown>;

const facts = ({stdout}: Finished): Facts[] => jsonLines(stdout);

/** A lag that is proven, and by what. */
const exactLag = (lag: number, lagSource: 'redis' | 'counted') => ({
  lag,
  lagExact: true,
  lagAtLeast: lag,
  lagAtMost: lag,
  lagSource,
});

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});

  afterEach(() => server.redis.flushall());

  const run = (...args: string[]): Promise<Finished> => streamlog(['group', ...args], {server});

  /** Entries 1-0, 2-0, … up to `count`. */
  async function fill(count: number, stream = 'events'): Promise<void> {
    const pipeline = server.redis.pipeline();
    for (let ms = 1; ms <= count; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', ms);
    await pipeline.exec();
  }

  /** The IDs that a consumer of the group gets next. */
  async function nextIds(group: string, count = 100): Promise<string[]> {
    const reply = await server.redis.xreadgroup('GROUP', group, 'w1', 'COUNT', count, 'STREAMS', 'events', '>');
    const [[, entries]] = (reply ?? [['events', []]]) as [[string, [string, string[]][]]];
    return entries.map(([id]) => id);
  }

  /** What Redis itself says of a group. */
  async function redisSays(group: string): Promise<Facts> {
    const groups = (await server.redis.xinfo('GROUPS', 'events')) as unknown[][];
    const all = groups.map((flat) =>
      Object.fromEntries(flat.flatMap((name, index) => (index % 2 === 0 ? [[name, flat[index + 1]]] : []))),
    );
    return all.find(({name}) => name === group) as Facts;
  }

  describe('create', () => {
    it('makes group and stream, and the group gets everything from the start', async () => {
      const made = await run('create');
      expect(made).toMatchObject({code: 0, stderr: ''});
      expect(facts(made)).toEqual([{stream: 'events', group: 'streamlog', created: true, lastDeliveredId: '0-0'}]);
      await fill(2);
      expect(await nextIds('streamlog')).toEqual(['1-0', '2-0']);
    });

    it.each([
      ['3-0', ['3-0', '4-0', '5-0', '6-0']],
      ['3', ['3-0', '4-0', '5-0', '6-0']],
      ['start', ['1-0', '2-0', '3-0', '4-0', '5-0', '6-0']],
      ['-2', ['4-0', '5-0', '6-0']],
      ['end', ['6-0']],
      ['$', ['6-0']],
    ])('--from %s: that entry is the first one it gets', async (from, expected) => {
      await fill(5);
      expect((await run('create', 'billing', '--from', from)).code).toBe(0);
      await server.redis.xadd('events', '6-0', 'n', 6);
      expect(await nextIds('billing')).toEqual(expected);
    });

    it('leaves a group alone that is there, and says where it stands', async () => {
      await fill(5);
      await run('create', 'billing', '--from', '3-0');
      await nextIds('billing', 1);
      const again = await run('create', 'billing', '--from', 'end');
      expect(again.code).toBe(0);
      expect(facts(again)).toEqual([{stream: 'events', group: 'billing', created: false, lastDeliveredId: '3-0'}]);
      expect(again.stderr).toBe('streamlog: group "billing" already exists on stream "events", at 3-0\n');
      expect(await nextIds('billing')).toEqual(['4-0', '5-0']);
    });

    it('--no-create makes no stream', async () => {
      const refused = await run('create', '--no-create');
      expect(refused).toMatchObject({code: 66, stdout: ''});
      expect(refused.stderr).toContain('no stream "events"');
      expect(await server.redis.exists('events')).toBe(0);
    });

    it('tells Redis the count that makes its own lag right', async () => {
      await fill(7);
      await server.redis.xtrim('events', 'MAXLEN', 5);
      await run('create', 'billing', '--from', '6-0');
      expect(await redisSays('billing')).toMatchObject({lag: 2, 'entries-read': 5});
    });
  });

  describe('seek', () => {
    it('back: the entries come again, and both places are shown', async () => {
      await fill(5);
      await run('create', '--from', 'start');
      await nextIds('streamlog', 4);
      const moved = await run('seek', '--to', '2-0');
      expect(moved.code).toBe(0);
      expect(facts(moved)).toEqual([
        {
          stream: 'events',
          group: 'streamlog',
          dryRun: false,
          before: {lastDeliveredId: '4-0', pending: 4, ...exactLag(1, 'counted')},
          after: {lastDeliveredId: '1-18446744073709551615', pending: 4, ...exactLag(4, 'counted')},
          again: 3,
          skipped: 0,
          exact: true,
        },
      ]);
      expect(moved.stderr).toBe('streamlog: 3 entries will be delivered to group "streamlog" again\n');
      expect(await nextIds('streamlog')).toEqual(['2-0', '3-0', '4-0', '5-0']);
    });

    it('forward: warns of the entries that the group will never get, even with --quiet', async () => {
      await fill(5);
      await run('create', '--from', 'start');
      await nextIds('streamlog', 2);
      const moved = await run('seek', '--to', '-1', '--quiet');
      expect(facts(moved)[0]).toMatchObject({again: 0, skipped: 2, after: {lastDeliveredId: '4-18446744073709551615'}});
      expect(moved.stderr).toContain('group "streamlog" will never get 2 entries that it has not read');
      expect(await nextIds('streamlog')).toEqual(['5-0']);
    });

    it('to where it stands: nothing comes again and nothing is skipped', async () => {
      await fill(3);
      await run('create', '--from', 'end');
      const moved = await run('seek', '--to', 'end');
      expect(moved).toMatchObject({code: 0, stderr: ''});
      expect(facts(moved)[0]).toMatchObject({again: 0, skipped: 0});
    });

    it('--dry-run tells the same and changes nothing', async () => {
      await fill(5);
      await run('create', '--from', 'start');
      await nextIds('streamlog', 4);
      const before = await redisSays('streamlog');
      const dry = await run('seek', '--to', '2-0', '--dry-run');
      expect(await redisSays('streamlog')).toEqual(before);
      expect(dry.stderr).toBe('streamlog: 3 entries would be delivered to group "streamlog" again\n');
      const real = await run('seek', '--to', '2-0');
      expect(facts(dry)).toEqual(facts(real).map((result) => ({...result, dryRun: true})));
    });

    it.each([
      ['near the start', '60-0', 2_491],
      ['near the end', '2549-0', 2],
      ['in the middle', '1300-0', 1_251],
      ['at the start', 'start', 2_500],
      ['at the end', 'end', 0],
    ])('%s: Redis keeps counting the lag from there', async (_, to, lag) => {
      await fill(2_550);
      await server.redis.xtrim('events', 'MINID', '51-0');
      await run('create', '--from', to === 'end' ? 'start' : 'end');
      expect((await run('seek', '--to', to)).code).toBe(0);
      expect(await redisSays('streamlog')).toMatchObject({lag, 'entries-read': 2_550 - lag});
      await server.redis.xadd('events', '2551-0', 'n', '');
      expect(await redisSays('streamlog')).toMatchObject({lag: lag + 1});
    });

    it('does not count what was deleted', async () => {
      await fill(10);
      await run('create', '--from', 'end');
      await server.redis.xdel('events', '1-0', '5-0', '6-0');
      const moved = await run('seek', '--to', '4-0');
      expect(facts(moved)[0]).toMatchObject({again: 5, exact: true, after: {lag: 5, lagExact: true}});
      expect(await nextIds('streamlog')).toHaveLength(5);
    });

    it('says "at least" where counting would take too long, and gives Redis no count that is not proven', async () => {
      await fill(24_000);
      await run('create', '--from', 'end');
      const moved = await run('seek', '--to', '12000-0');
      expect(facts(moved)[0]).toMatchObject({exact: false, after: {lagExact: false}});
      const {again} = facts(moved)[0] as {again: number};
      expect([again > 10_000, again <= 12_001]).toEqual([true, true]);
      expect(moved.stderr).toContain(`at least ${again} entries will be delivered`);
      expect(await redisSays('streamlog')).toMatchObject({lag: null});
      const {lag, lagAtLeast, lagAtMost} = (facts(moved)[0] as {after: Record<string, number>}).after;
      expect(lagAtLeast).toBeLessThanOrEqual(12_001);
      expect(lagAtMost).toBeGreaterThanOrEqual(12_001);
      expect(Math.abs(lag! - 12_001)).toBeLessThan(100);
      await run('seek', '--to', '23000-0');
      expect(await redisSays('streamlog')).toMatchObject({lag: 1_001});
    });

    it('warns of a place beyond the end, where entries may come that it never gets', async () => {
      await fill(3);
      const made = await run('create', 'billing', '--from', '500-0');
      expect(made.code).toBe(0);
      const warning = 'group "billing" is past the end of stream "events": it gets no entry up to ID 499-';
      expect(made.stderr).toContain(warning);
      expect((await run('seek', 'billing', '--to', '3-0')).stderr).not.toContain('past the end');
      expect((await run('seek', 'billing', '--to', 'end')).stderr).not.toContain('past the end');
      expect((await run('seek', 'billing', '--to', '500-0')).stderr).toContain(warning);
      await server.redis.xadd('events', '*', 'a', '1');
      expect((await run('seek', 'billing', '--to', '@-0s')).stderr).not.toContain('past the end');
      expect((await run('seek', 'billing', '--to', '@2100-01-01')).stderr).toContain('past the end');
    });

    it('wants to know where to', async () => {
      expect(await run('seek')).toMatchObject({code: 2, stdout: ''});
      const refused = await run('seek', '--to', 'yesterday');
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('"yesterday" is not a valid position');
    });

    it('names the group that is not there, and exits with 66', async () => {
      await fill(1);
      const refused = await run('seek', 'billing', '--to', 'start');
      expect(refused).toMatchObject({code: 66, stdout: ''});
      expect(refused.stderr).toContain('no group "billing" on stream "events"');
      expect(refused.stderr).toContain(
        'events has no groups; to create it: streamlog group create billing --stream events',
      );
    });
  });

  describe('remove', () => {
    it('a group that has nothing left to do goes without a word', async () => {
      await run('create');
      const removed = await run('remove');
      expect(removed).toMatchObject({code: 0, stderr: ''});
      expect(facts(removed)).toEqual([
        {
          stream: 'events',
          group: 'streamlog',
          removed: true,
          dryRun: false,
          consumers: 0,
          pending: 0,
          unread: 0,
          unreadExact: true,
        },
      ]);
      expect(await server.redis.xinfo('GROUPS', 'events')).toEqual([]);
    });

    it.each([
      ['behind it', '1-0', '1000'],
      ['in front of it', '1-0', '3'],
    ])('one whose unread entries Redis denies stays too: it counted those %s', async (_, id, entriesRead) => {
      await fill(3);
      await server.redis.call('XGROUP', 'CREATE', 'events', 'billing', id, 'ENTRIESREAD', entriesRead);
      await nextIds('billing', 1);
      const refused = await run('remove', 'billing');
      expect(refused).toMatchObject({code: 2, stdout: ''});
      expect(refused.stderr).toContain('has 1 pending and 1 unread');
    });

    it('one with a long pending list goes without holding Redis up', async () => {
      await fill(30_000);
      await run('create', 'billing');
      await nextIds('billing', 30_000);
      await server.redis.config('SET', 'slowlog-log-slower-than', '0');
      await server.redis.slowlog('RESET');
      expect(facts(await run('remove', 'billing', '--force'))[0]).toMatchObject({removed: true, pending: 30_000});
      const commands = (await server.redis.slowlog('GET', 1_000)) as [number, number, number, string[]][];
      // As many as are left when it is destroyed were acknowledged before, a thousand at a time.
      expect(commands.filter(([, , , [name]]) => /^eval/i.test(name!)).length).toBeGreaterThanOrEqual(20);
      expect(await server.redis.xinfo('GROUPS', 'events')).toEqual([]);
    });

    it.each([
      ['unread', 0, 'has 0 pending and 3 unread'],
      ['pending', 3, 'has 3 pending and 0 unread'],
    ])('one with %s entries stays until --force is given', async (_, read, reason) => {
      await fill(3);
      await run('create', 'billing');
      if (read > 0) await nextIds('billing', read);
      const refused = await run('remove', 'billing');
      expect(refused).toMatchObject({code: 2, stdout: ''});
      expect(refused.stderr).toContain(reason);
      const command = /hint: .*: streamlog group (remove .*)/.exec(refused.stderr)![1]!;
      expect(await redisSays('billing')).toBeDefined();

      const removed = await run(...command.split(' '));
      expect(removed.code).toBe(0);
      expect(facts(removed)[0]).toMatchObject({removed: true, pending: read, unread: 3 - read});
      expect(await server.redis.xinfo('GROUPS', 'events')).toEqual([]);
      expect(await server.redis.xlen('events')).toBe(3);
    });

    it('--dry-run says what would be lost and removes nothing', async () => {
      await fill(3);
      await run('create', 'billing');
      await nextIds('billing', 2);
      const dry = await run('remove', 'billing', '--dry-run', '--force');
      expect(dry.code).toBe(0);
      expect(facts(dry)[0]).toMatchObject({removed: false, dryRun: true, consumers: 1, pending: 2, unread: 1});
      expect(await redisSays('billing')).toBeDefined();
    });

    it('a group that is not there is a failure, --force or not', async () => {
      await fill(1);
      for (const more of [[], ['--force'], ['--dry-run']]) {
        expect(await run('remove', 'billing', ...more)).toMatchObject({code: 66, stdout: ''});
      }
    });

    it('the group given in two ways is refused, since the wrong one would go', async () => {
      await run('create', 'a');
      await run('create', 'b');
      const refused = await run('remove', 'a', '--group', 'b');
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('the group is given twice');
      expect(await server.redis.xinfo('GROUPS', 'events')).toHaveLength(2);
    });
  });

  describe('list', () => {
    it('one line a group, of each stream, with a lag that is never blank', async () => {
      await fill(5);
      await fill(2, 'orders');
      await server.redis.xgroup('CREATE', 'events', 'billing', '3-0');
      await server.redis.xgroup('CREATE', 'events', 'audit', '0');
      await server.redis.xgroup('CREATE', 'orders', 'billing', '$');
      await nextIds('billing', 1);
      const listed = await run('list', '-s', 'events', '-s', 'orders');
      expect(listed).toMatchObject({code: 0, stderr: ''});
      expect(facts(listed)).toEqual([
        {
          stream: 'events',
          group: 'audit',
          consumers: 0,
          pending: 0,
          ...exactLag(5, 'redis'),
          lastDeliveredId: '0-0',
          behindMs: expect.any(Number),
        },
        {
          stream: 'events',
          group: 'billing',
          consumers: 1,
          pending: 1,
          ...exactLag(1, 'counted'),
          lastDeliveredId: '4-0',
          behindMs: expect.any(Number),
        },
        {
          stream: 'orders',
          group: 'billing',
          consumers: 0,
          pending: 0,
          ...exactLag(0, 'redis'),
          lastDeliveredId: '2-0',
          behindMs: 0,
        },
      ]);
    });

    it('a stream without groups has none to list; one that is not there is a failure', async () => {
      await fill(1);
      expect(await run('list')).toMatchObject({code: 0, stdout: '', stderr: ''});
      expect(await run('list', '-s', 'nothing')).toMatchObject({code: 66, stdout: ''});
    });

    it('without a stream: all groups of the server, with the same facts', async () => {
      for (const stream of ['events', 'orders', 'mail']) await fill(5, stream);
      for (const group of ['a', 'b']) await server.redis.xgroup('CREATE', 'orders', group, '2-0');
      await server.redis.xgroup('CREATE', 'mail', 'a', '$');
      const listed = await run('list');
      expect(listed).toMatchObject({code: 0, stderr: ''});
      const named = (found: Facts[]) =>
        found
          .map(({behindMs, lagSource, ...rest}) => ({...rest, behind: Number(behindMs) > 0}))
          .toSorted((x, y) => (JSON.stringify(x) < JSON.stringify(y) ? -1 : 1));
      expect(named(facts(listed))).toEqual(named(facts(await run('list', '-s', 'orders', '-s', 'mail'))));
      expect(facts(listed)).toHaveLength(3);
    });

    it('without a stream, on a terminal: a table in the order of names', async () => {
      for (const stream of ['orders', 'mail']) {
        await fill(3, stream);
        for (const group of ['b', 'a']) await server.redis.xgroup('CREATE', stream, group, '$');
      }
      const {text} = await onTerminal(['group', 'list'], {server, env: {NO_COLOR: '1'}, columns: 120});
      expect(
        text.split('\n').map((line) =>
          line
            .split(/\s{2,}/)
            .slice(0, 3)
            .join(' '),
        ),
      ).toEqual(['stream group consumers', 'mail a 0', 'mail b 0', 'orders a 0', 'orders b 0', '']);
      await server.redis.flushall();
      expect((await onTerminal(['group', 'list'], {server})).text).toBe('streamlog: no groups\n');
    });
  });

  describe('consumers', () => {
    it('one line a consumer: what it has, and when it last got something', async () => {
      await fill(5);
      await run('create', 'billing');
      await nextIds('billing', 3);
      await server.redis.xgroup('CREATECONSUMER', 'events', 'billing', 'w0');
      const listed = await run('consumers', 'billing');
      expect(listed).toMatchObject({code: 0, stderr: ''});
      expect(facts(listed)).toMatchObject([
        {stream: 'events', group: 'billing', consumer: 'w0', pending: 0, idleMs: expect.any(Number)},
        {stream: 'events', group: 'billing', consumer: 'w1', pending: 3, idleMs: expect.any(Number)},
      ]);
    });

    it('of a group that is not there: exits with 66', async () => {
      await fill(1);
      expect(await run('consumers', 'billing')).toMatchObject({code: 66, stdout: ''});
    });
  });
});

it('list without a stream, of a cluster: the groups of all masters', async () => {
  const cluster = await startCluster();
  try {
    const names = ['one', 'two', 'three', 'four', 'five', 'six'];
    const holders = new Set<number>();
    for (const name of names) {
      const node = await cluster.nodeOf(name);
      holders.add(node.port);
      for (const id of ['1-0', '2-0', '3-0']) await node.redis.xadd(name, id, 'n', '1');
      await node.redis.xgroup('CREATE', name, 'g', '2-0');
    }
    expect(holders.size).toBeGreaterThan(1);
    const listed = await streamlog(['group', 'list', '--url', cluster.url], {});
    expect(listed).toMatchObject({code: 0, stderr: ''});
    const found = facts(listed).map(({stream, group, lag, lagExact}) => ({stream, group, lag, lagExact}));
    expect(found.toSorted((a, b) => names.indexOf(a.stream as string) - names.indexOf(b.stream as string))).toEqual(
      names.map((stream) => ({stream, group: 'g', lag: 1, lagExact: true})),
    );
  } finally {
    await cluster.stop();
  }
});
