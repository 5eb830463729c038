/**
 * The scripts on every server: they act only on what is ours, all or nothing,
 * and leave counts alone that are not theirs to raise.
 */
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {deadLetterStream} from '../../src/lib/dead-letters/dead-letter-origin.js';
import {type ClaimOutcome, type Membership, type NamedEntry, StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';
import {type RedisCluster, startCluster} from '../support/topologies.js';

const w1: Membership = {stream: 'events', group: 'g', consumer: 'w1'};
const w2: Membership = {...w1, consumer: 'w2'};
const dead = deadLetterStream('events');
const death = {deadLetter: dead, reason: 'exit code 1', nowMs: 1_700_000_000_000};

const connect = (url: string, user: {username?: string; password?: string} = {}): Promise<StreamClient> =>
  StreamClient.connect({url, connectTimeoutMs: 4_000, ...user});

const wide = (count: number): string[] => Array.from({length: count}, (_, at) => [`f${at}`, String(at)]).flat();

function newIdOf(outcome: {newId: string} | 'gone' | 'too wide'): string {
  if (typeof outcome === 'string') throw new Error(`it is ${outcome}`);
  return outcome.newId;
}

type Pending = [id: string, consumer: string, idleMs: number, deliveries: number];

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;

  beforeEach(async () => {
    client = await connect(server.url);
  });
  afterEach(async () => {
    client.close();
    await server.redis.config('SET', 'maxmemory', 0);
    await server.redis.flushall();
  });

  /** Entries 1-0 … count-0, all pending with `consumer`. */
  async function deliver(count: number, consumer = 'w1'): Promise<void> {
    const pipeline = server.redis.pipeline();
    for (let ms = 1; ms <= count; ms++) pipeline.xadd('events', `${ms}-0`, 'n', ms);
    pipeline.xgroup('CREATE', 'events', 'g', '0', 'MKSTREAM');
    pipeline.xreadgroup('GROUP', 'g', consumer, 'COUNT', count, 'STREAMS', 'events', '>');
    await pipeline.exec();
  }

  const pending = async (): Promise<Pending[]> =>
    (await server.redis.xpending('events', 'g', '-', '+', 10_000)) as Pending[];
  const entries = async (stream: string): Promise<[string, string[]][]> => server.redis.xrange(stream, '-', '+');
  const setIdle = (id: string, idleMs: number, retryCount = 1, consumer = 'w1'): Promise<unknown> =>
    server.redis.call(
      'XCLAIM',
      'events',
      'g',
      consumer,
      0,
      id,
      'IDLE',
      idleMs,
      'RETRYCOUNT',
      String(retryCount),
      'JUSTID',
    );

  describe('renewing a lease', () => {
    it('starts the idle time anew and leaves the count, only of what is ours', async () => {
      await deliver(3);
      for (const id of ['1-0', '3-0']) await setIdle(id, 60_000, 4);
      await setIdle('2-0', 60_000, 4, 'w2');
      await server.redis.xack('events', 'g', '3-0');
      expect(await client.scripts.renewLeases(w1, ['1-0', '2-0', '3-0'])).toEqual({missing: ['2-0', '3-0'], gone: []});
      const [first, second] = await pending();
      expect(first).toEqual(['1-0', 'w1', expect.any(Number), 4]);
      expect(first![2]).toBeLessThan(60_000);
      expect(second).toEqual(['2-0', 'w2', expect.any(Number), 4]);
      expect(second![2]).toBeGreaterThanOrEqual(60_000);
    });

    it('says what was trimmed meanwhile, once: Redis drops it from the pending list', async () => {
      await deliver(2);
      await server.redis.xdel('events', '1-0');
      expect(await client.scripts.renewLeases(w1, ['1-0', '2-0'])).toEqual({missing: [], gone: ['1-0']});
      expect(await client.scripts.renewLeases(w1, ['1-0', '2-0'])).toEqual({missing: ['1-0'], gone: []});
      expect((await pending()).map(([id]) => id)).toEqual(['2-0']);
    });

    it('works without memory left, when others would otherwise take the entries over', async () => {
      await deliver(1);
      await server.redis.config('SET', 'maxmemory', 1);
      expect(await client.scripts.renewLeases(w1, ['1-0'])).toEqual({missing: [], gone: []});
    });
  });

  describe('beginning an attempt', () => {
    it('counts it and starts the idle time anew', async () => {
      await deliver(1);
      await setIdle('1-0', 60_000, 4);
      expect(await client.scripts.beginAttempt(w1, '1-0')).toBe(5);
      const [entry] = await pending();
      expect(entry).toEqual(['1-0', 'w1', expect.any(Number), 5]);
      expect(entry![2]).toBeLessThan(60_000);
    });

    it('does nothing to an entry of another consumer, or of none', async () => {
      await deliver(2);
      await server.redis.xack('events', 'g', '2-0');
      expect(await client.scripts.beginAttempt(w2, '1-0')).toBeUndefined();
      expect(await client.scripts.beginAttempt(w1, '2-0')).toBeUndefined();
      expect((await pending()).map(([id, consumer, , count]) => [id, consumer, count])).toEqual([['1-0', 'w1', 1]]);
    });

    it('is not begun for an entry that was trimmed, which is said', async () => {
      await deliver(1);
      await server.redis.xdel('events', '1-0');
      expect(await client.scripts.beginAttempt(w1, '1-0')).toBe('gone');
    });

    it('reads no entry, nor do a lease and an attempt that was none: a large one takes Lua long', async () => {
      await server.redis.xadd('events', '1-0', ...wide(20_000));
      await server.redis.xgroup('CREATE', 'events', 'g', '0');
      await server.redis.xreadgroup('GROUP', 'g', 'w1', 'STREAMS', 'events', '>');
      await setIdle('1-0', 60_000, 4);
      await server.redis.config('RESETSTAT');
      expect(await client.scripts.renewLeases(w1, ['1-0'])).toEqual({missing: [], gone: []});
      expect(await client.scripts.beginAttempt(w1, '1-0')).toBe(5);
      expect(await client.scripts.undoAttempt(w1, '1-0')).toBe(4);
      const commands = [...(await server.redis.info('commandstats')).matchAll(/^cmdstat_(\S+?):/gm)].map(
        ([, name]) => name,
      );
      expect(commands.filter((name) => /range|xread/.test(name!))).toEqual([]);
    });

    it('a count that is marked as fatal stays above every limit', async () => {
      await deliver(1);
      await server.redis.call('XCLAIM', 'events', 'g', 'w1', 0, '1-0', 'RETRYCOUNT', '9223372036854775807', 'JUSTID');
      expect(await client.scripts.beginAttempt(w1, '1-0')).toBe(1e15);
      await client.scripts.moveToDeadLetters(w1, '1-0', death);
      expect((await entries(dead))[0]![1].join()).toContain('_dlq_deliveries,1000000000000000');
    });
  });

  describe('moving to the dead letters', () => {
    it('adds the entry with where it came from, and acknowledges it', async () => {
      await server.redis.xadd('events', '1-0', 'a', '1', 'a', '2', Buffer.from([0xff, 0]), Buffer.from([0, 0xfe]));
      await server.redis.xgroup('CREATE', 'events', 'g', '0');
      await server.redis.xreadgroup('GROUP', 'g', 'w1', 'STREAMS', 'events', '>');
      expect(await client.scripts.moveToDeadLetters(w1, '1-0', death)).toBe('moved');
      expect(await pending()).toEqual([]);
      const [[, fields]] = (await server.redis.xrangeBuffer(dead, '-', '+')) as unknown as [[Buffer, Buffer[]]];
      expect(fields.slice(0, 6)).toEqual(
        ['a', '1', 'a', '2'].map((text) => Buffer.from(text)).concat(Buffer.from([0xff, 0]), Buffer.from([0, 0xfe])),
      );
      expect(fields.slice(6).map(String)).toEqual([
        '_dlq_stream',
        'events',
        '_dlq_group',
        'g',
        '_dlq_id',
        '1-0',
        '_dlq_consumer',
        'w1',
        '_dlq_deliveries',
        '1',
        '_dlq_reason',
        'exit code 1',
        '_dlq_at',
        '1700000000000',
      ]);
    });

    it('leaves what another has taken over, and acknowledges what has gone', async () => {
      await deliver(2);
      await setIdle('1-0', 0, 2, 'w2');
      await server.redis.xdel('events', '2-0');
      expect(await client.scripts.moveToDeadLetters(w1, '1-0', death)).toBe('lost');
      expect(await client.scripts.moveToDeadLetters(w1, '2-0', death)).toBe('gone');
      expect((await pending()).map(([id, consumer]) => [id, consumer])).toEqual([['1-0', 'w2']]);
      expect(await entries(dead)).toEqual([]);
    });

    it.each([
      ['without memory', 'OOM', () => server.redis.config('SET', 'maxmemory', 1)],
      ['on a replica', 'READONLY', () => server.redis.replicaof('127.0.0.1', 1)],
    ])('%s nothing is done, and it may be tried again', async (_, code, refuse) => {
      await deliver(1);
      // Loaded, so that it is the script's own XADD that is refused.
      expect(await client.scripts.moveToDeadLetters(w2, '1-0', death)).toBe('lost');
      const before = await pending();
      await refuse();
      try {
        await expect(client.scripts.moveToDeadLetters(w1, '1-0', death)).rejects.toMatchObject({
          kind: 'temporary',
          code,
          message: expect.stringContaining(`XADD on stream "${dead}"`),
        });
        expect((await pending()).map(([id, consumer, , count]) => [id, consumer, count])).toEqual(
          before.map(([id, consumer, , count]) => [id, consumer, count]),
        );
        expect(await entries(dead)).toEqual([]);
      } finally {
        await server.redis.replicaof('NO', 'ONE');
        await server.redis.config('SET', 'maxmemory', 0);
      }
      expect(await client.scripts.moveToDeadLetters(w1, '1-0', death)).toBe('moved');
    });

    it('a dead letter stream that is none leaves the entry pending, and says which', async () => {
      await deliver(1);
      await server.redis.set(dead, 'text');
      await expect(client.scripts.moveToDeadLetters(w1, '1-0', death)).rejects.toMatchObject({
        kind: 'data',
        message: expect.stringContaining(dead),
      });
      expect(await pending()).toHaveLength(1);
    });

    /** Redis 7.0 does not say which command of a script it refuses to whom. */
    const refusedRight = (command: string, stream: string): unknown =>
      expect.stringMatching(
        new RegExp(`^the Redis user may not run (a command of the script for )?${command} on stream "${stream}"$`),
      );

    /** What `use` throws for a user who lacks `right`. */
    async function without(right: string, use: (reader: StreamClient) => Promise<unknown>): Promise<unknown> {
      await server.redis.call('ACL', 'SETUSER', 'reader', 'reset', 'on', '>pw', '~*', '+@all', `-${right}`);
      const reader = await connect(server.url, {username: 'reader', password: 'pw'});
      try {
        return await use(reader).catch((error: unknown) => error);
      } finally {
        reader.close();
        await server.redis.call('ACL', 'DELUSER', 'reader');
      }
    }

    it.each([
      ['xadd', 'XADD', dead],
      ['xack', 'XACK', 'events'],
    ])(
      'a user who may not %s is refused as such: no copy is left, and the entry stays pending',
      async (right, command, stream) => {
        await deliver(1);
        expect(await without(right, (reader) => reader.scripts.moveToDeadLetters(w1, '1-0', death))).toMatchObject({
          kind: 'denied',
          message: refusedRight(command, stream),
        });
        expect(await pending()).toHaveLength(1);
        expect(await entries(dead)).toEqual([]);
      },
    );

    it.each([
      ['xadd', 'XADD', 'events'],
      ['xdel', 'XDEL', dead],
    ])('a user who may not %s cannot put an entry back: no copy is left', async (right, command, stream) => {
      await deliver(1);
      await client.scripts.moveToDeadLetters(w1, '1-0', death);
      const [[id]] = (await entries(dead)) as [[string, string[]]];
      expect(await without(right, (reader) => reader.scripts.redrive(dead, id, 'events'))).toMatchObject({
        kind: 'denied',
        message: refusedRight(command, stream),
      });
      expect(await entries('events')).toHaveLength(1);
      expect(await entries(dead)).toHaveLength(1);
    });

    it('a group that is missing is named, with the stream that it should be on', async () => {
      await server.redis.xadd('events', '1-0', 'n', 1);
      await expect(client.scripts.moveToDeadLetters(w1, '1-0', death)).rejects.toMatchObject({
        kind: 'notFound',
        message: 'no group "g" on stream "events"',
      });
    });

    it('an entry that is too wide for a script is left as it is, and said to be', async () => {
      await server.redis.xadd('events', '1-0', ...wide(3_942));
      await server.redis.xgroup('CREATE', 'events', 'g', '0');
      await server.redis.xreadgroup('GROUP', 'g', 'w1', 'STREAMS', 'events', '>');
      expect(await client.scripts.moveToDeadLetters(w1, '1-0', death)).toBe('too wide');
      expect(await pending()).toHaveLength(1);
      expect(await entries(dead)).toEqual([]);
      await server.redis.xadd(dead, '1-0', ...wide(3_950));
      expect(await client.scripts.redrive(dead, '1-0', 'other')).toBe('too wide');
      expect(await entries('other')).toEqual([]);
    });

    it('an entry that dies again tells of its last death, and of how many there were', async () => {
      await deliver(1);
      await client.scripts.moveToDeadLetters(w1, '1-0', death);
      for (const deaths of ['2', '3']) {
        const newId = newIdOf(await client.scripts.redrive(dead, (await entries(dead))[0]![0], 'events'));
        await server.redis.xreadgroup('GROUP', 'g', 'w2', 'STREAMS', 'events', '>');
        expect(await client.scripts.moveToDeadLetters(w2, newId, death)).toBe('moved');
        const [[, fields]] = (await entries(dead)) as [[string, string[]]];
        expect(fields.slice(0, 2)).toEqual(['n', '1']);
        expect(fields.filter((name) => name === '_dlq_id')).toHaveLength(1);
        expect(fields[fields.indexOf('_dlq_id') + 1]).toBe(newId);
        expect(fields.slice(-2)).toEqual(['_dlq_deaths', deaths]);
      }
    });

    it('keeps a field of the user whose name only looks like one of ours', async () => {
      await server.redis.xadd('events', '1-0', '_dlq_note', 'mine');
      await server.redis.xgroup('CREATE', 'events', 'g', '0');
      await server.redis.xreadgroup('GROUP', 'g', 'w1', 'STREAMS', 'events', '>');
      await client.scripts.moveToDeadLetters(w1, '1-0', death);
      expect((await entries(dead))[0]![1].slice(0, 2)).toEqual(['_dlq_note', 'mine']);
    });

    it('goes on when the server forgets all scripts', async () => {
      await deliver(3);
      expect(await client.scripts.moveToDeadLetters(w1, '1-0', death)).toBe('moved');
      await server.redis.script('FLUSH');
      expect(await client.scripts.moveToDeadLetters(w1, '2-0', death)).toBe('moved');
      await server.redis.script('FLUSH');
      expect(await client.scripts.renewLeases(w1, ['3-0', '1-0'])).toEqual({missing: ['1-0'], gone: []});
    });
  });

  describe('redriving', () => {
    it('moves an entry once, with all its fields', async () => {
      await server.redis.xadd(dead, '5-0', 'a', '1', '_dlq_stream', 'events');
      const [first, second] = await Promise.all([
        client.scripts.redrive(dead, '5-0', 'events'),
        client.scripts.redrive(dead, '5-0', 'events'),
      ]);
      expect(await entries('events')).toEqual([[newIdOf(first), ['a', '1', '_dlq_stream', 'events']]]);
      expect(second).toBe('gone');
      expect(await entries(dead)).toEqual([]);
    });

    it('leaves the entry where it is when it cannot be added', async () => {
      await server.redis.xadd(dead, '5-0', 'a', '1');
      await server.redis.set('text', 'no stream');
      await expect(client.scripts.redrive(dead, '5-0', 'text')).rejects.toMatchObject({kind: 'data'});
      await server.redis.config('SET', 'maxmemory', 1);
      await expect(client.scripts.redrive(dead, '5-0', 'events')).rejects.toMatchObject({
        kind: 'temporary',
        code: 'OOM',
      });
      expect(await entries(dead)).toHaveLength(1);
      expect(await entries('events')).toEqual([]);
    });
  });

  describe('giving back', () => {
    const place = {stream: 'events', group: 'g'};

    it('makes an entry claimable at once, its count as it was', async () => {
      await deliver(2);
      await setIdle('1-0', 0, 3);
      expect(await client.scripts.giveBack(place, {id: '1-0'})).toBe('given back');
      expect((await pending()).map(([id, , , count]) => [id, count])).toEqual([
        ['1-0', 3],
        ['2-0', 1],
      ]);
      const aYearMs = 365 * 86_400_000;
      expect((await client.claim(w2, aYearMs, ['1-0', '2-0'])).map(({id}) => id)).toEqual(['1-0']);
    });

    it('is for the consumer that has it, and nobody else', async () => {
      await deliver(2);
      await server.redis.xack('events', 'g', '2-0');
      expect(await client.scripts.giveBack(place, {id: '1-0', consumer: 'w2'})).toBe('with another');
      expect(await client.scripts.giveBack(place, {id: '2-0'})).toBe('not pending');
      expect((await pending())[0]![2]).toBeLessThan(60_000);
      expect(await client.scripts.giveBack(place, {id: '1-0', consumer: 'w1'})).toBe('given back');
    });

    it('is for an entry that was not delivered again since', async () => {
      await deliver(1);
      await setIdle('1-0', 0, 2);
      expect(await client.scripts.giveBack(place, {id: '1-0', consumer: 'w1', deliveries: 1})).toBe('delivered again');
      expect((await pending())[0]![2]).toBeLessThan(60_000);
      expect(await client.scripts.giveBack(place, {id: '1-0', consumer: 'w1', deliveries: 2})).toBe('given back');
    });

    it('is really done where the consumer has the empty name', async () => {
      await deliver(1, '');
      expect(await client.scripts.giveBack(place, {id: '1-0'})).toBe('given back');
      const [[, , idleMs]] = (await pending()) as [Pending];
      expect(idleMs < 0 || idleMs > 86_400_000).toBe(true);
    });

    it('asks the server for XNACK once, not for each entry', async () => {
      await deliver(3);
      await server.redis.config('RESETSTAT');
      for (const id of ['1-0', '2-0', '3-0']) expect(await client.scripts.giveBack(place, {id})).toBe('given back');
      const info = await server.redis.info('errorstats');
      expect(Number(/errorstat_ERR:count=(\d+)/.exec(info)?.[1] ?? 0)).toBeLessThanOrEqual(1);
    });

    it('a group that is missing is named', async () => {
      await server.redis.xadd('events', '1-0', 'n', 1);
      await expect(client.scripts.giveBack(place, {id: '1-0'})).rejects.toMatchObject({
        message: 'no group "g" on stream "events"',
      });
    });
  });

  describe('claiming what was named', () => {
    const claim = (named: NamedEntry[], more: {minIdleMs?: number; dryRun?: boolean} = {}): Promise<ClaimOutcome[]> =>
      client.scripts.claimNamed(w2, named, {minIdleMs: 0, dryRun: false, ...more});
    const owners = async (): Promise<unknown[]> =>
      (await pending()).map(([id, consumer, , count]) => [id, consumer, count]);

    it('takes what is as it was named, and counts a delivery of it', async () => {
      await deliver(3);
      await setIdle('2-0', 5_000, 4);
      const all = [{id: '1-0'}, {id: '2-0', consumer: 'w1', deliveries: 4, idleMs: 5_000}];
      expect(await claim(all, {dryRun: true})).toEqual([
        {state: 'claimed', consumer: 'w1', deliveries: 1},
        {state: 'claimed', consumer: 'w1', deliveries: 4},
      ]);
      expect(await owners()).toEqual([
        ['1-0', 'w1', 1],
        ['2-0', 'w1', 4],
        ['3-0', 'w1', 1],
      ]);
      expect(await claim(all)).toEqual([
        {state: 'claimed', consumer: 'w1', deliveries: 2},
        {state: 'claimed', consumer: 'w1', deliveries: 5},
      ]);
      expect(await owners()).toEqual([
        ['1-0', 'w2', 2],
        ['2-0', 'w2', 5],
        ['3-0', 'w1', 1],
      ]);
      expect((await pending())[0]![2]).toBeLessThan(5_000);
    });

    it('leaves what has changed since, and says how', async () => {
      await deliver(6);
      await server.redis.xack('events', 'g', '1-0');
      await setIdle('2-0', 9_000, 1, 'w3');
      await setIdle('3-0', 9_000, 2);
      await setIdle('4-0', 0, 1);
      await setIdle('5-0', 1_000, 1);
      await server.redis.xdel('events', '6-0');
      const results = await claim(
        [
          {id: '1-0', consumer: 'w1'},
          {id: '2-0', consumer: 'w1'},
          {id: '3-0', consumer: 'w1', deliveries: 1},
          {id: '4-0', consumer: 'w1', idleMs: 60_000},
          {id: '5-0', consumer: 'w1'},
          {id: '6-0', consumer: 'w1'},
        ],
        {minIdleMs: 0},
      );
      expect(results.map(({state, consumer}) => [state, consumer])).toEqual([
        ['not pending', ''],
        ['with another', 'w3'],
        ['delivered again', 'w1'],
        ['delivered again', 'w1'],
        ['claimed', 'w1'],
        [expect.stringMatching(/^(gone|claimed)$/), 'w1'],
      ]);
      expect(await claim([{id: '3-0'}], {minIdleMs: 60_000})).toMatchObject([{state: 'not idle'}]);
      expect((await owners()).slice(0, 4)).toEqual([
        ['2-0', 'w3', 1],
        ['3-0', 'w1', 2],
        ['4-0', 'w1', 1],
        ['5-0', 'w2', 2],
      ]);
    });

    it('a count that is marked as fatal stays above every limit', async () => {
      await deliver(1);
      await server.redis.call('XCLAIM', 'events', 'g', 'w1', 0, '1-0', 'RETRYCOUNT', '9223372036854775807', 'JUSTID');
      expect(await claim([{id: '1-0', deliveries: 2 ** 63}])).toMatchObject([{state: 'claimed', deliveries: 1e15}]);
    });

    it('acknowledges what is still with the consumer that was named', async () => {
      await deliver(3);
      await setIdle('2-0', 0, 1, 'w3');
      const named = ['1-0', '2-0', '9-0'].map((id) => ({id, consumer: 'w1'}));
      expect(await client.scripts.acknowledgeNamed({stream: 'events', group: 'g'}, named)).toEqual([
        'acknowledged',
        'with another',
        'not pending',
      ]);
      expect(await owners()).toEqual([
        ['2-0', 'w3', 1],
        ['3-0', 'w1', 1],
      ]);
    });

    it('a group that is missing is named', async () => {
      await server.redis.xadd('events', '1-0', 'n', 1);
      const message = 'no group "g" on stream "events"';
      await expect(claim([{id: '1-0'}])).rejects.toMatchObject({message});
      const place = {stream: 'events', group: 'g'};
      await expect(client.scripts.acknowledgeNamed(place, [{id: '1-0', consumer: 'w1'}])).rejects.toMatchObject({
        message,
      });
    });
  });

  describe('retiring consumers', () => {
    const place = {stream: 'events', group: 'g'};
    const consumers = async (): Promise<string[]> =>
      (await client.consumers('events', 'g')).map(({name}) => name).sort();

    it('removes only who is idle and has nothing pending', async () => {
      await deliver(1);
      await server.redis.xgroup('CREATECONSUMER', 'events', 'g', 'idle');
      const outcome = await client.scripts.retireConsumers(place, ['w1', 'idle', 'nobody'], {
        minIdleMs: 0,
        maxMoved: 10,
      });
      expect(outcome.map(({state}) => state)).toEqual(['pending', 'removed', 'absent']);
      const none = await client.scripts.retireConsumers(place, ['w1'], {minIdleMs: 60_000, heir: 'w2', maxMoved: 10});
      expect(none).toEqual([{state: 'active', moved: 0, gone: 0}]);
      expect(await consumers()).toEqual(['w1']);
      expect(await pending()).toHaveLength(1);
    });

    it('hands over no more than it may in a step, and removes in the step that sees nothing left', async () => {
      await deliver(5);
      await setIdle('1-0', 70_000, 7);
      const step = () => client.scripts.retireConsumers(place, ['w1'], {minIdleMs: 0, heir: 'w2', maxMoved: 3});
      expect(await step()).toEqual([{state: 'pending', moved: 3, gone: 0}]);
      expect(await consumers()).toEqual(['w1', 'w2']);
      expect(await step()).toEqual([{state: 'removed', moved: 2, gone: 0}]);
      expect(await consumers()).toEqual(['w2']);
      const [first, ...rest] = await pending();
      expect(first).toEqual(['1-0', 'w2', expect.any(Number), 7]);
      // To keep it, Redis 8 would look for a place among all that is pending.
      expect(first![2]).toBeLessThan(70_000);
      expect(rest.map(([id, consumer, , count]) => [id, consumer, count])).toEqual(
        ['2-0', '3-0', '4-0', '5-0'].map((id) => [id, 'w2', 1]),
      );
    });

    it('hands over nothing of a consumer that was given something meanwhile', async () => {
      await deliver(3);
      await setIdle('1-0', 70_000, 1);
      await setIdle('2-0', 70_000, 1);
      const step = () => client.scripts.retireConsumers(place, ['w1'], {minIdleMs: 60_000, heir: 'w2', maxMoved: 10});
      expect(await step()).toEqual([{state: 'active', moved: 0, gone: 0}]);
      expect((await pending()).map(([, consumer]) => consumer)).toEqual(['w1', 'w1', 'w1']);
    });

    it('counts what is no longer in the stream by itself, and leaves nothing of it pending', async () => {
      await deliver(3);
      await server.redis.xdel('events', '2-0');
      const step = () => client.scripts.retireConsumers(place, ['w1'], {minIdleMs: 0, heir: 'w2', maxMoved: 10});
      expect(await step()).toEqual([{state: 'removed', moved: 2, gone: 1}]);
      expect((await pending()).map(([id, consumer]) => [id, consumer])).toEqual([
        ['1-0', 'w2'],
        ['3-0', 'w2'],
      ]);
    });

    it('asks for no list of all consumers, however many there are', async () => {
      await deliver(3);
      await server.redis.config('RESETSTAT');
      await client.scripts.retireConsumers(place, ['w1'], {minIdleMs: 0, heir: 'w2', maxMoved: 10});
      expect(await server.redis.info('commandstats')).not.toContain('xinfo');
    });

    it('one step is shared between the consumers', async () => {
      await deliver(3);
      await setIdle('3-0', 0, 1, 'w3');
      const step = () => client.scripts.retireConsumers(place, ['w1', 'w3'], {minIdleMs: 0, heir: 'w2', maxMoved: 2});
      expect(await step()).toEqual([
        {state: 'removed', moved: 2, gone: 0},
        {state: 'pending', moved: 0, gone: 0},
      ]);
      expect(await step()).toEqual([
        {state: 'absent', moved: 0, gone: 0},
        {state: 'removed', moved: 1, gone: 0},
      ]);
      expect((await pending()).map(([, consumer]) => consumer)).toEqual(['w2', 'w2', 'w2']);
    });

    it('a consumer removes itself only while nothing is pending with it', async () => {
      await deliver(1);
      expect(await client.scripts.removeIdleConsumer(w1)).toBe(false);
      await server.redis.xack('events', 'g', '1-0');
      expect(await client.scripts.removeIdleConsumer(w1)).toBe(true);
      expect(await consumers()).toEqual([]);
    });
  });
});

describe('in a cluster', () => {
  let cluster: RedisCluster;
  let client: StreamClient;

  beforeAll(async () => {
    cluster = await startCluster();
    client = await connect(cluster.url);
  });
  afterAll(async () => {
    client.close();
    await cluster.stop();
  });

  it.each(['a', 'events', 'or{d}ers', 'x:y'])('stream %s and its dead letters are in one slot', async (stream) => {
    const {redis} = await cluster.nodeOf(stream);
    await redis.xadd(stream, '1-0', 'n', 1);
    await redis.xgroup('CREATE', stream, 'g', '0');
    await redis.xreadgroup('GROUP', 'g', 'w1', 'STREAMS', stream, '>');
    const deadLetter = deadLetterStream(stream);
    expect(await client.scripts.moveToDeadLetters({...w1, stream}, '1-0', {...death, deadLetter})).toBe('moved');
    const [[id]] = (await redis.xrange(deadLetter, '-', '+')) as [[string, string[]]];
    expect(await client.scripts.redrive(deadLetter, id, stream)).toEqual({newId: expect.any(String)});
  });

  it('a target in another slot is refused before anything is done', async () => {
    const {redis} = await cluster.nodeOf('{q}:dead');
    await redis.xadd('{q}:dead', '1-0', 'n', 1);
    await expect(client.scripts.redrive('{q}:dead', '1-0', 'b')).rejects.toMatchObject({kind: 'usage'});
    expect(await redis.xlen('{q}:dead')).toBe(1);
  });
});
