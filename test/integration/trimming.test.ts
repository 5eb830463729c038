import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {compareStreamIds} from '../../src/lib/records/stream-id.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import {type TrimGoal, type TrimRequest, type TrimResult, trimStream} from '../../src/lib/trimming/trim-stream.js';
import {type RedisServer, serverPrograms, startRedis} from '../support/redis-server.js';
import {type SeededRandom, seededRandom} from '../support/seeded-random.js';

/** What a naive program finds by reading everything. */
interface Seen {
  ids: string[];
  groups: {name: string; unread: string[]; pending: string[]}[];
}

describe.each(serverPrograms())('trimming on $name', ({program}) => {
  let server: RedisServer;
  let client: StreamClient;

  beforeAll(async () => {
    // Small nodes, so that `~` has something to keep in a small stream.
    server = await startRedis({program, args: ['--stream-node-max-entries', '10']});
    client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
  });

  const trim = (stream: string, goal: TrimGoal, request: Partial<TrimRequest> = {}): Promise<TrimResult> =>
    trimStream(client, stream, {goal, approximate: false, safe: false, dryRun: false, ...request});

  async function look(stream: string): Promise<Seen> {
    const {redis} = server;
    const ids = (await redis.xrange(stream, '-', '+')).map(([id]) => id);
    const groups: Seen['groups'] = [];
    for (const {name, lastDeliveredId: lastDelivered} of await client.groups(stream)) {
      const rows = (await redis.xpending(stream, name, '-', '+', 10_000)) as [string][];
      const held = new Set(rows.map(([id]) => id));
      groups.push({
        name,
        unread: ids.filter((id) => compareStreamIds(id, lastDelivered) > 0),
        pending: ids.filter((id) => held.has(id)),
      });
    }
    return {ids, groups};
  }

  async function fill(stream: string, count: number, firstMs = 1): Promise<void> {
    const pipeline = server.redis.pipeline();
    for (let ms = firstMs; ms < firstMs + count; ms++) pipeline.xadd(stream, `${ms}-0`, 'n', String(ms));
    await pipeline.exec();
  }

  it('removes what was asked, and tells how many went and stayed', async () => {
    await fill('plain', 30);
    expect(await trim('plain', {kind: 'maxLen', maxLen: 20})).toMatchObject({removed: 10, left: 20, losses: []});
    expect(await trim('plain', {kind: 'minId', minId: '15-0'})).toMatchObject({removed: 4, left: 16});
    expect(await trim('plain', {kind: 'minId', minId: '15-0'})).toMatchObject({removed: 0, left: 16});
    expect((await look('plain')).ids[0]).toBe('15-0');
    expect(await trim('plain', {kind: 'maxLen', maxLen: 0})).toMatchObject({removed: 16, left: 0});
    await expect(trim('no such', {kind: 'maxLen', maxLen: 0})).rejects.toMatchObject({kind: 'notFound'});
  });

  it('keeps whole nodes with approximate, and goes on until Redis removes no more', async () => {
    await fill('nodes', 2_005);
    expect(await trim('nodes', {kind: 'maxLen', maxLen: 7}, {approximate: true})).toMatchObject({
      removed: 1_990,
      left: 15,
    });
  });

  it('keeps whole nodes with approximate and safe, too', async () => {
    await fill('whole safe', 35);
    await server.redis.xgroup('CREATE', 'whole safe', 'g', '30-0');
    const goal: TrimGoal = {kind: 'maxLen', maxLen: 20};
    expect(await trim('whole safe', goal, {approximate: true, safe: true})).toMatchObject({removed: 10, left: 25});
    expect(await trim('whole safe', goal, {safe: true})).toMatchObject({removed: 5, left: 20});
  });

  it('tells what each group lost, entries that were deleted before excepted', async () => {
    await fill('losses', 20);
    const {redis} = server;
    await redis.xgroup('CREATE', 'losses', 'behind', '0');
    await redis.xreadgroup('GROUP', 'behind', 'w', 'COUNT', 8, 'STREAMS', 'losses', '>');
    await redis.xack('losses', 'behind', '1-0', '2-0');
    await redis.xdel('losses', '3-0', '4-0', '9-0');
    await redis.xgroup('CREATE', 'losses', 'done', '20-0');
    expect(await trim('losses', {kind: 'minId', minId: '13-0'})).toMatchObject({
      removed: 9,
      losses: [{group: 'behind', unread: 3, pending: 4}],
    });
  });

  it('is not held by what is pending but gone', async () => {
    await fill('ghosts', 20);
    const {redis} = server;
    await redis.xgroup('CREATE', 'ghosts', 'g', '0');
    await redis.xreadgroup('GROUP', 'g', 'dead', 'COUNT', 10, 'STREAMS', 'ghosts', '>');
    await redis.xtrim('ghosts', 'MINID', '4-0');
    await redis.xdel('ghosts', '4-0', '5-0');
    const result = await trim('ghosts', {kind: 'maxLen', maxLen: 0}, {safe: true});
    expect(result).toMatchObject({removed: 0, heldBy: {fromId: '6-0'}});
    await redis.xack('ghosts', 'g', '6-0', '8-0');
    await redis.xdel('ghosts', '7-0');
    expect(await trim('ghosts', {kind: 'maxLen', maxLen: 0}, {safe: true})).toMatchObject({
      removed: 2,
      heldBy: {group: 'g', fromId: '9-0'},
    });
  });

  it('keeps what a group that was moved back will read again', async () => {
    await fill('back', 20);
    const {redis} = server;
    await redis.xgroup('CREATE', 'back', 'g', '0');
    await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 15, 'STREAMS', 'back', '>');
    await redis.xack('back', 'g', ...Array.from({length: 9}, (_, index) => `${index + 1}-0`));
    await redis.xgroup('SETID', 'back', 'g', '3-0');
    expect(await trim('back', {kind: 'maxLen', maxLen: 0}, {safe: true})).toMatchObject({
      removed: 3,
      heldBy: {group: 'g', fromId: '3-1'},
    });
  });

  it('removes with safe what goes to the very entry that a group needs', async () => {
    await fill('border', 20);
    await server.redis.xgroup('CREATE', 'border', 'g', '13-0');
    for (const [maxLen, left] of [
      [8, 8],
      [7, 7],
      [6, 7],
    ] as const)
      expect(await trim('border', {kind: 'maxLen', maxLen}, {safe: true})).toMatchObject({left});
  });

  it('names the group that held a safe trim, and only when it held something', async () => {
    await fill('held', 20);
    const {redis} = server;
    await redis.xgroup('CREATE', 'held', 'first', '0');
    await redis.xreadgroup('GROUP', 'first', 'w', 'COUNT', 5, 'STREAMS', 'held', '>');
    await redis.xack('held', 'first', '1-0', '2-0');
    await redis.xgroup('CREATE', 'held', 'second', '10-0');
    expect(await trim('held', {kind: 'maxLen', maxLen: 0}, {safe: true})).toMatchObject({
      removed: 2,
      left: 18,
      heldBy: {group: 'first', fromId: '3-0'},
    });
    await redis.xack('held', 'first', '3-0', '4-0', '5-0');
    await redis.xgroup('SETID', 'held', 'first', '20-0');
    expect(await trim('held', {kind: 'minId', minId: '8-0'}, {safe: true})).not.toHaveProperty('heldBy.group');
    await redis.xgroup('SETID', 'held', 'second', '20-0');
    // Both groups have had all there is; that the goal lies behind the end keeps nothing.
    expect(await trim('held', {kind: 'minId', minId: '1000-0'}, {safe: true})).toMatchObject({
      left: 0,
      heldBy: undefined,
    });
  });

  it('takes nothing that is being read meanwhile with safe', async () => {
    const {redis} = server;
    await fill('busy', 600);
    await redis.xgroup('CREATE', 'busy', 'g', '0');
    const read: string[] = [];
    let trimmed = 0;
    const trimming = async (): Promise<void> => {
      while (read.length < 600) trimmed += (await trim('busy', {kind: 'maxLen', maxLen: 0}, {safe: true})).removed;
    };
    const reading = async (): Promise<void> => {
      while (read.length < 600) {
        const reply = await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 7, 'STREAMS', 'busy', '>');
        const [[, entries]] = reply as [[string, [string, string[]][]]];
        // Pending entries are looked up again, as a consumer does that was restarted.
        const again = await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 7, 'STREAMS', 'busy', '0');
        expect(again as typeof reply).toEqual(reply);
        read.push(...entries.map(([id]) => id));
        await redis.xack('busy', 'g', ...entries.map(([id]) => id));
      }
    };
    await Promise.all([trimming(), reading()]);
    expect(read).toEqual(Array.from({length: 600}, (_, index) => `${index + 1}-0`));
    expect(trimmed).toBeGreaterThan(0);
  });

  describe('of much', () => {
    /** The commands that Redis was sent while `work` ran, the last one first. */
    async function commandsOf(work: () => Promise<unknown>): Promise<{words: string[]}[]> {
      const {redis} = server;
      await redis.config('SET', 'slowlog-log-slower-than', '0', 'slowlog-max-len', '5000');
      await redis.slowlog('RESET');
      await work();
      await redis.config('SET', 'slowlog-log-slower-than', '10000');
      const log = (await redis.slowlog('GET', 5_000)) as [number, number, number, string[]][];
      return log.map(([, , , words]) => ({words: words.map((word) => word.toLowerCase())}));
    }

    it.each([
      ['to a length', {kind: 'maxLen', maxLen: 1_003}, false],
      ['to an ID', {kind: 'minId', minId: '28998-0'}, false],
      ['to a length, as far as groups are through', {kind: 'maxLen', maxLen: 1_003}, true],
    ] as const)(
      'takes whole nodes of a limited number of entries at a time, and the last few exactly: %s',
      async (name, goal, safe) => {
        const stream = `steps ${name}`;
        await fill(stream, 30_000);
        await server.redis.xgroup('CREATE', stream, 'g', '29500-0');
        const commands = await commandsOf(async () => {
          expect(await trim(stream, goal, {safe})).toMatchObject({removed: 28_997, left: 1_003});
        });
        const trims = commands.filter(({words: [command]}) => command === 'xtrim').map(({words}) => words);
        expect(trims.length).toBeGreaterThan(5);
        // The last one, which the log has first, is the exact one.
        expect(trims[0]!.includes('limit')).toBe(false);
        expect(trims.slice(1).every((words) => words.includes('limit') && words.includes('~'))).toBe(true);
      },
    );

    it('costs as much with a long pending list as without, and tells all of it', async () => {
      await fill('long list', 30_000);
      const {redis} = server;
      await redis.xgroup('CREATE', 'long list', 'g', '0');
      await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 25_000, 'STREAMS', 'long list', '>');
      const commands = await commandsOf(async () => {
        const result = await trim('long list', {kind: 'maxLen', maxLen: 2_000});
        expect(result).toMatchObject({removed: 28_000, losses: [{group: 'g', unread: 3_000, pending: 25_000}]});
        expect(result.losses[0]).not.toHaveProperty('exact');
      });
      expect(commands.filter(({words: [name]}) => name === 'xpending').length).toBeLessThan(20);
      expect(commands.filter(({words: [name]}) => name === 'xrange').length).toBeLessThan(40);
    });

    it('marks what it could not count, with the most that it can be', async () => {
      await fill('marked', 60_000);
      const {redis} = server;
      await redis.xgroup('CREATE', 'marked', 'g', '0');
      await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 30_000, 'STREAMS', 'marked', '>');
      const foretold = await trim('marked', {kind: 'minId', minId: '25001-0'}, {dryRun: true});
      expect(foretold.exact).toBe(false);
      expect(Math.abs(foretold.removed - 25_000)).toBeLessThan(300);
      const result = await trim('marked', {kind: 'maxLen', maxLen: 25_000});
      const [loss] = result.losses;
      expect(result).toMatchObject({
        removed: 35_000,
        losses: [{group: 'g', unread: 5_000, pending: 30_000, exact: false}],
      });
      expect(loss!.unreadAtMost).toBeGreaterThanOrEqual(5_000);
      expect(loss!.pendingAtMost).toBe(30_000);
    });

    it('estimates how much of a long pending list goes by where its IDs lie', async () => {
      await fill('part of a list', 40_000);
      const {redis} = server;
      await redis.xgroup('CREATE', 'part of a list', 'g', '0');
      await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 40_000, 'STREAMS', 'part of a list', '>');
      const [loss] = (await trim('part of a list', {kind: 'maxLen', maxLen: 10_000})).losses;
      expect(loss).toMatchObject({group: 'g', unread: 0, exact: false, pendingAtMost: 40_000});
      expect(Math.abs(loss!.pending - 30_000)).toBeLessThan(300);
    });

    it('is not held up by many pending entries that are gone, and keeps what may be there', async () => {
      await fill('many ghosts', 3_000);
      const {redis} = server;
      await redis.xgroup('CREATE', 'many ghosts', 'g', '0');
      await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 3_000, 'STREAMS', 'many ghosts', '>');
      const ids = Array.from({length: 2_900}, (_, index) => `${index + 51}-0`);
      await redis.xdel('many ghosts', ...ids);
      await redis.xack('many ghosts', 'g', ...Array.from({length: 50}, (_, index) => `${index + 1}-0`));
      const result = await trim('many ghosts', {kind: 'maxLen', maxLen: 0}, {safe: true});
      expect(result.removed).toBe(50);
      expect((await look('many ghosts')).ids[0]).toBe('2951-0');
    });
  });

  describe('to a size', () => {
    const bytesOf = async (stream: string): Promise<number> =>
      Number(await server.redis.memory('USAGE', stream, 'SAMPLES', 0));

    /** Entries whose size grows or falls by far from the oldest to the newest. */
    async function slope(stream: string, count: number, size: (share: number) => number): Promise<number> {
      const pipeline = server.redis.pipeline();
      for (let index = 0; index < count; index++) pipeline.xadd(stream, '*', 'n', 'x'.repeat(size(index / count)));
      await pipeline.exec();
      return bytesOf(stream);
    }

    it.each([
      ['even', () => 200],
      ['larger in the beginning', (share: number) => (share < 0.5 ? 900 : 20)],
      ['larger in the end', (share: number) => (share < 0.5 ? 20 : 900)],
    ])('reaches it without removing much more than must go: %s', async (name, size) => {
      for (const share of [0.9, 0.4, 0.1]) {
        const stream = `size ${name} ${share}`;
        const full = await slope(stream, 4_000, size);
        const maxBytes = Math.round(full * share);
        const {bytes, left} = await trim(stream, {kind: 'maxBytes', maxBytes});
        expect(bytes).toBe(await bytesOf(stream));
        expect(bytes).toBeLessThanOrEqual(maxBytes);
        expect(bytes).toBeGreaterThan(maxBytes - full * 0.03);
        expect(left).toBe(await server.redis.xlen(stream));
        expect(await trim(stream, {kind: 'maxBytes', maxBytes})).toMatchObject({removed: 0, left});
      }
    });

    it('reaches it by whole nodes too', async () => {
      const full = await slope('size approx', 2_000, () => 100);
      const {bytes} = await trim('size approx', {kind: 'maxBytes', maxBytes: full / 2}, {approximate: true});
      expect(bytes).toBeLessThanOrEqual(full / 2);
      expect(bytes).toBeGreaterThan(full * 0.4);
    });

    it('does not empty the stream for a goal that no trim can reach', async () => {
      await slope('pending', 5_000, () => 5);
      const {redis} = server;
      await redis.xgroup('CREATE', 'pending', 'g', '0');
      await redis.xreadgroup('GROUP', 'g', 'w', 'COUNT', 5_000, 'STREAMS', 'pending', '>');
      const result = await trim('pending', {kind: 'maxBytes', maxBytes: 100_000});
      expect(result.bytes).toBeGreaterThan(100_000);
      expect(result.left).toBeGreaterThan(4_000);
      expect(result.losses).toEqual([{group: 'g', unread: 0, pending: result.removed}]);
    });

    it('ends where groups hold the rest, by whole nodes too', async () => {
      const full = await slope('size held', 2_000, () => 100);
      const {redis} = server;
      await redis.xgroup('CREATE', 'size held', 'g', '0');
      const goal: TrimGoal = {kind: 'maxBytes', maxBytes: Math.round(full / 4)};
      const fromId = '0-1';
      for (const approximate of [true, false]) {
        const result = await trim('size held', goal, {approximate, safe: true});
        expect(result).toMatchObject({removed: 0, left: 2_000, heldBy: {group: 'g', fromId}});
      }
    });

    it('keeps what groups need with safe, and changes nothing in a dry run', async () => {
      const full = await slope('size safe', 1_000, () => 200);
      const ids = (await server.redis.xrange('size safe', '-', '+')).map(([id]) => id);
      await server.redis.xgroup('CREATE', 'size safe', 'g', ids[99]!);
      const foretold = await trim('size safe', {kind: 'maxBytes', maxBytes: full / 2}, {dryRun: true});
      expect(foretold.removed).toBeGreaterThan(400);
      expect(foretold.losses).toEqual([{group: 'g', unread: foretold.removed - 100, pending: 0}]);
      expect(await trim('size safe', {kind: 'maxBytes', maxBytes: full / 2}, {safe: true})).toMatchObject({
        removed: 100,
        left: 900,
        heldBy: {group: 'g', fromId: ids[100]},
      });
    });
  });

  it('never takes what a group needs with safe, tells every loss without it, and foretells both', async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = seededRandom(seed);
      const stream = `random-${seed}`;
      for (let step = 0; step < 12; step++) {
        for (let index = 0; index < 6; index++) await disturb(server, stream, random);
        const goal = await randomGoal(stream, random);
        const safe = random.oneIn(2);
        const approximate = random.oneIn(4);
        const about = JSON.stringify({seed, step, goal, safe, approximate});

        const before = await look(stream);
        const dump = await server.redis.dumpBuffer(stream);
        const foretold = await trim(stream, goal, {safe, dryRun: true});
        expect(await server.redis.dumpBuffer(stream), about).toEqual(dump);

        const result = await trim(stream, goal, {safe, approximate});
        const after = await look(stream);
        const gone = before.ids.slice(0, before.ids.length - after.ids.length);
        expect(after.ids, about).toEqual(before.ids.slice(gone.length));
        expect(result, about).toMatchObject({removed: gone.length, left: after.ids.length});
        if (!approximate) expect(foretold, about).toEqual(result);

        const losses = before.groups
          .map(({name, unread, pending}) => ({
            group: name,
            unread: unread.filter((id) => gone.includes(id)).length,
            pending: pending.filter((id) => gone.includes(id)).length,
          }))
          .filter(({unread, pending}) => unread + pending > 0);
        expect(losses, about).toEqual(safe ? [] : result.losses);
        if (safe && !approximate) expect(gone, about).toEqual(mayGo(before, goal));
      }
    }
  });

  /** Everything that the goal asks for and that is in front of what any group needs. */
  function mayGo({ids, groups}: Seen, goal: TrimGoal): string[] {
    const asked =
      goal.kind === 'minId'
        ? ids.filter((id) => compareStreamIds(id, goal.minId) < 0)
        : ids.slice(0, Math.max(0, ids.length - (goal.kind === 'maxLen' ? goal.maxLen : 0)));
    const needed = groups.flatMap(({unread, pending}) => [...unread, ...pending]);
    return asked.filter((id) => needed.every((need) => compareStreamIds(id, need) < 0));
  }

  async function randomGoal(stream: string, random: SeededRandom): Promise<TrimGoal> {
    const ids = (await look(stream)).ids;
    if (random.oneIn(2)) return {kind: 'maxLen', maxLen: random.below(ids.length + 5)};
    const minId = random.oneIn(5) ? `${random.below(2_000)}-0` : ids.length === 0 ? '7-0' : random.pick(ids);
    return {kind: 'minId', minId};
  }
});

/** What happens to a stream between two trims. */
async function disturb({redis}: RedisServer, stream: string, random: SeededRandom): Promise<void> {
  const ids = (await redis.xrange(stream, '-', '+')).map(([id]) => id);
  const group = random.pick(['a', 'b', 'c']);
  if (ids.length === 0 || random.oneIn(4)) {
    const pipeline = redis.pipeline();
    for (let count = 1 + random.below(20); count > 0; count--)
      pipeline.xadd(stream, '*', 'n', 'x'.repeat(random.below(50)));
    await pipeline.exec();
    return;
  }
  await redis.xgroup('CREATE', stream, group, '$').catch(() => {});
  const read = () => {
    const count = 1 + random.below(25);
    return redis.xreadgroup('GROUP', group, random.pick(['w1', 'w2']), 'COUNT', count, 'STREAMS', stream, '>');
  };
  const acknowledge = async () => {
    const pending = (await redis.xpending(stream, group, '-', '+', 100)) as [string][];
    const some = pending.map(([id]) => id).filter(() => !random.oneIn(6));
    if (some.length > 0) await redis.xack(stream, group, ...some);
  };
  const remove = () => redis.xdel(stream, random.pick(ids), random.pick(ids));
  const move = () => redis.xgroup('SETID', stream, group, random.pick(ids));
  const destroy = () => redis.xgroup('DESTROY', stream, group);
  const rarely = random.oneIn(8) ? [move, destroy] : [];
  await random.pick<() => Promise<unknown>>([read, read, read, acknowledge, acknowledge, remove, ...rarely])();
}
