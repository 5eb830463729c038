/** Looking for what others have abandoned: how much of a server a look takes, and what it finds. */
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {ClaimSweep, type SweepOptions} from '../../src/lib/consume/claim-sweep.js';
import {InFlightEntries} from '../../src/lib/consume/in-flight-entries.js';
import {takeOver} from '../../src/lib/consume/pending-entries.js';
import {EntryIds} from '../../src/lib/records/entry-ids.js';
import {type Membership, StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';

const member: Membership = {stream: 'events', group: 'g', consumer: 'w1'};
const HOUR_MS = 3_600_000;

describe.each(serverPrograms())('on $name', ({name, program}) => {
  const hasClaim = name === 'redis-8';
  const server = serverForAll({program});
  let control: StreamClient;
  let inFlight: InFlightEntries;
  let gone: number;

  beforeAll(async () => {
    control = await StreamClient.connect({url: server.url, connectTimeoutMs: 5_000});
  });
  afterAll(async () => {
    control.close();
  });
  beforeEach(async () => {
    inFlight = new InFlightEntries();
    gone = 0;
    await server.redis.xgroup('CREATE', 'events', 'g', '0', 'MKSTREAM');
    await server.redis.config('SET', 'slowlog-max-len', 10_000);
  });
  afterEach(() => server.redis.flushall());

  /** Entries 1-0 … count-0, just delivered to w2. */
  async function deliver(count: number): Promise<void> {
    await server.redis.eval(
      "for i = 1, tonumber(ARGV[1]) do redis.call('XADD', KEYS[1], i .. '-0', 'n', i) end",
      1,
      'events',
      count,
    );
    await server.redis.xreadgroup('GROUP', 'g', 'w2', 'COUNT', count, 'STREAMS', 'events', '>');
  }

  /** Lets an entry look as if its consumer had had it for an hour. */
  const abandon = (consumer: string, ...ids: string[]): Promise<unknown> =>
    server.redis.xclaim('events', 'g', consumer, 0, ...ids, 'IDLE', HOUR_MS, 'RETRYCOUNT', 3, 'JUSTID');

  const sweepFor = (options: Partial<SweepOptions> = {}): ClaimSweep =>
    new ClaimSweep({idleMs: HOUR_MS / 2, counts: true, wholeFirst: false, onProblem: () => {}, ...options});

  const context = () => ({
    member,
    inFlight,
    permitted: <T>(read: (count: number) => Promise<T>): Promise<T> => read(100),
    over: () => false,
    widen: () => {},
    onGone: (ids: readonly string[]) => {
      gone += ids.length;
    },
    onMissing: async () => {},
  });

  interface Found {
    id: string;
    deliveries: number | undefined;
    isNew: boolean;
  }

  async function step(sweep: ClaimSweep): Promise<Found[]> {
    const found: Found[] = [];
    for await (const {records, isNew} of sweep.step(control, context()))
      found.push(...records.map(({id, deliveries}) => ({id, deliveries, isNew})));
    return found;
  }

  const ids = (found: readonly Found[]): string[] => found.map(({id}) => id);

  /** Commands that were run meanwhile, as words. */
  async function commandsDuring(work: () => Promise<unknown>): Promise<string[][]> {
    await server.redis.config('SET', 'slowlog-log-slower-than', 0);
    await server.redis.slowlog('RESET');
    await work();
    await server.redis.config('SET', 'slowlog-log-slower-than', -1);
    return ((await server.redis.slowlog('GET', 10_000)) as unknown[][]).map((line) => line[3] as string[]);
  }

  /** What so many steps find. */
  async function findAll(sweep: ClaimSweep, steps: number): Promise<string[]> {
    const found: string[] = [];
    for (let n = 0; n < steps; n++) found.push(...ids(await step(sweep)));
    return found;
  }

  it('one look asks for at most five pages of a list in which nothing is abandoned, and pauses then', async () => {
    await deliver(20_000);
    const sweep = sweepFor();

    const commands = await commandsDuring(async () => expect(await step(sweep)).toEqual([]));

    const asked = commands.filter(([name]) => name?.toLowerCase() === 'xpending');
    expect(asked.length).toBe(5);
    for (const words of asked) expect(words.slice(3).map((word) => word.toUpperCase())).not.toContain('IDLE');
    for (const words of asked) expect(Number(words[5])).toBeLessThanOrEqual(1_000);
    expect(sweep.dueInMs).toBeGreaterThan(0);
  });

  it('finds what is abandoned wherever it lies in a long list, and takes nothing else', async () => {
    await deliver(12_500);
    await abandon('dead', '1-0', '6500-0', '12400-0');

    // From a place at random to the end, and once around.
    const found = await findAll(sweepFor(), 9);

    expect(found.toSorted()).toEqual(['1-0', '12400-0', '6500-0']);
    const mine = (await server.redis.xpending('events', 'g', '-', '+', 10, 'w1')) as [string][];
    expect(mine.map(([id]) => id)).toEqual(['1-0', '6500-0', '12400-0']);
  });

  if (hasClaim)
    it('with CLAIM, finds it at once', async () => {
      await deliver(12_500);
      await abandon('dead', '12400-0');

      expect(ids(await step(sweepFor()))).toEqual(['12400-0']);
    });

  it('a look that has found something is followed by the next at once', async () => {
    await deliver(10);
    await abandon('dead', '3-0');
    const sweep = sweepFor();

    expect(ids(await step(sweep))).toEqual(['3-0']);
    expect(sweep.dueInMs).toBeLessThanOrEqual(0);
    expect(await step(sweep)).toEqual([]);
    expect(sweep.dueInMs).toBeGreaterThan(0);
    expect(sweep.dueInMs).toBeLessThanOrEqual(HOUR_MS / 4);
  });

  it('a caller who ends when nothing is left sees the whole list first, without a pause', async () => {
    await deliver(12_500);
    await abandon('dead', '12400-0');
    const sweep = sweepFor({wholeFirst: true});
    const found: string[] = [];

    while (!sweep.isDone) {
      expect(sweep.dueInMs).toBeLessThanOrEqual(0);
      found.push(...ids(await step(sweep)));
    }

    expect(found).toEqual(['12400-0']);
  });

  it.each([
    {counts: true, deliveries: 4},
    {counts: false, deliveries: 3},
  ])('counts: $counts, by XCLAIM and by CLAIM', async ({counts, deliveries}) => {
    await deliver(6_000);
    await abandon('dead', '2-0', '5900-0');
    const sweep = sweepFor({counts});

    const found: Found[] = [];
    for (let n = 0; n < 6; n++) found.push(...(await step(sweep)));

    expect(found).toEqual([
      {id: '2-0', deliveries, isNew: false},
      {id: '5900-0', deliveries, isNew: false},
    ]);
    const mine = (await server.redis.xpending('events', 'g', '-', '+', 10, 'w1')) as [string, string, number, number][];
    expect(mine.map(([id, , , count]) => [id, count])).toEqual([
      ['2-0', deliveries],
      ['5900-0', deliveries],
    ]);
  });

  it('leaves what is in hand to whoever works on it, however long that takes', async () => {
    await deliver(6_000);
    await abandon('w1', '1-0', '5999-0');
    inFlight.deliver(EntryIds.of(['1-0', '5999-0']));

    expect(await findAll(sweepFor(), 6)).toEqual([]);
  });

  if (hasClaim)
    it('asks for CLAIM no more once that has counted one more delivery of what is in hand', async () => {
      await deliver(6_000);
      inFlight.deliver(EntryIds.of(['5999-0']));
      const sweep = sweepFor();

      const commands = await commandsDuring(async () => {
        for (let n = 0; n < 3; n++) {
          await abandon('w1', '5999-0');
          expect(await step(sweep)).toEqual([]);
        }
      });

      expect(commands.filter((words) => words.includes('CLAIM')).length).toBe(1);
    });

  it('takes over what was given to this consumer by hand', async () => {
    await deliver(10);
    await abandon('w1', '5-0');

    expect(ids(await step(sweepFor()))).toEqual(['5-0']);
  });

  it.each([true, false])('leaves what another has taken over since it was looked at (counted: %s)', async (counts) => {
    await deliver(3);
    await abandon('dead', '1-0', '2-0', '3-0');
    const abandoned = await control.pendingPage('events', 'g', {count: 10});
    await server.redis.xclaim('events', 'g', 'w3', 0, '2-0', 'JUSTID');
    const found: string[] = [];
    for await (const records of takeOver(control, context(), abandoned, {idleMs: HOUR_MS / 2, counts}))
      found.push(...records.map(({id}) => id));
    expect([found, gone]).toEqual([['1-0', '3-0'], 0]);
    const owners = (await server.redis.xpending('events', 'g', '-', '+', 10)) as [string, string][];
    expect(owners.map(([id, consumer]) => `${id} ${consumer}`)).toEqual(['1-0 w1', '2-0 w3', '3-0 w1']);
  });

  it('acknowledges and counts what has gone from the stream, before CLAIM would pass over it', async () => {
    await deliver(3_000);
    await abandon('dead', ...Array.from({length: 2_500}, (_, index) => `${index + 1}-0`));
    await server.redis.xtrim('events', 'MINID', '2001-0');
    const sweep = sweepFor();

    const found: string[] = [];
    const commands = await commandsDuring(async () => {
      while (found.length < 500) found.push(...ids(await step(sweep)));
    });

    expect(gone).toBe(2_000);
    expect(new Set(found).size).toBe(500);
    expect((await server.redis.xpending('events', 'g', '-', '+', 3_000, 'dead')) as unknown[]).toEqual([]);
    expect(commands.filter((words) => words.includes('CLAIM'))).toEqual([]);
  });

  if (hasClaim)
    it('what is new and comes with CLAIM is new', async () => {
      await deliver(6_000);
      await abandon('dead', '5900-0');
      await server.redis.xadd('events', '9999-0', 'n', 'new');

      expect(await step(sweepFor())).toEqual([
        {id: '5900-0', deliveries: 4, isNew: false},
        {id: '9999-0', deliveries: 1, isNew: true},
      ]);
    });

  if (!hasClaim)
    it('asks for CLAIM once where the server has none', async () => {
      await deliver(10);
      const sweep = sweepFor();

      const commands = await commandsDuring(async () => {
        await step(sweep);
        await step(sweep);
        await step(sweep);
      });

      expect(control.mayKnowClaim).toBe(false);
      expect(commands.filter((words) => words.includes('CLAIM')).length).toBeLessThanOrEqual(1);
    });

  it('many consumers pause for longer, so that together they look no more often', async () => {
    await deliver(6_000);
    const alone = sweepFor({idleMs: 120_000});
    await step(alone);
    for (let n = 0; n < 30; n++) await server.redis.xgroup('CREATECONSUMER', 'events', 'g', `c${n}`);
    const oneOfMany = sweepFor({idleMs: 120_000});
    await step(oneOfMany);

    expect(oneOfMany.dueInMs).toBeGreaterThanOrEqual(alone.dueInMs);
    expect(oneOfMany.dueInMs).toBeLessThanOrEqual(60_000);
  });
});
