/**
 * Entries of any width go to the dead letters and back whole; an entry that no
 * script can move is in one of the streams at least, whatever others do meanwhile.
 */
import {Command} from 'ioredis';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {moveToDeadLetters, putBack} from '../../src/lib/dead-letters/moving.js';
import type {Entry} from '../../src/lib/records/entry.js';
import {type Membership, StreamClient} from '../../src/lib/stream-client.js';
import {serverForAll, serverPrograms} from '../support/redis-server.js';

const w1: Membership = {stream: 'events', group: 'g', consumer: 'w1'};
const dead = '{events}:dead';
const death = {deadLetter: dead, reason: 'exit code 1', nowMs: 1_700_000_000_000};

describe.each(serverPrograms())('on $name', ({program}) => {
  const server = serverForAll({program});
  let client: StreamClient;

  beforeEach(async () => {
    client = await StreamClient.connect({url: server.url, connectTimeoutMs: 4_000});
  });
  afterEach(async () => {
    client.close();
    await server.redis.config('SET', 'maxmemory', 0);
    await server.redis.flushall();
  });

  const entries = async (stream: string): Promise<[string, string[]][]> => server.redis.xrange(stream, '-', '+');
  const owner = async (): Promise<unknown> =>
    ((await server.redis.xpending('events', 'g', '-', '+', 10)) as unknown[][]).map(([id, consumer]) => [id, consumer]);

  /** Entry 1-0 of that many fields, pending with w1. */
  async function deliver(count: number, more: string[] = []): Promise<Entry> {
    const flat = [...Array.from({length: count}, (_, at) => [`f${at}`, String(at)]).flat(), ...more];
    // As arguments of a function, so many would not fit on the stack.
    await server.redis.sendCommand(new Command('xadd', ['events', '1-0', ...flat]));
    await server.redis.xgroup('CREATE', 'events', 'g', '0');
    await server.redis.xreadgroup('GROUP', 'g', 'w1', 'STREAMS', 'events', '>');
    return entryOf(['1-0', flat]);
  }

  const entryOf = ([id, flat]: [string, string[]]): Entry => ({
    id,
    fields: flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]!] as const] : [])),
  });

  const origin = (deaths: string[] = []): string[] => [
    ...['_dlq_stream', 'events', '_dlq_group', 'g', '_dlq_id', '1-0', '_dlq_consumer', 'w1', '_dlq_deliveries', '1'],
    ...['_dlq_reason', 'exit code 1', '_dlq_at', '1700000000000', ...deaths],
  ];

  it.each([1_000, 1_001, 3_900, 4_000, 10_000, 100_000])('an entry of %i fields goes there and back', async (count) => {
    const entry = await deliver(count);
    const own = entry.fields.flat();
    expect(await moveToDeadLetters(client, w1, entry, death)).toBe('moved');
    expect(await owner()).toEqual([]);
    const [letter] = (await entries(dead)) as [[string, string[]]];
    expect(letter[1]).toEqual([...own, ...origin()]);
    const newId = await putBack(client, dead, entryOf(letter), 'events');
    expect((await entries('events')).at(-1)).toEqual([newId, [...own, ...origin()]]);
    expect(await entries(dead)).toEqual([]);
  });

  it.each([3, 2_000])(
    'of %i fields it says how often it died, once, and keeps what only looks like ours',
    async (count) => {
      const before = ['_dlq_note', 'mine', '_dlq_id', '9-0', '_dlq_reason', 'old', '_dlq_deaths', '4'];
      const entry = await deliver(count, before);
      expect(await moveToDeadLetters(client, w1, entry, death)).toBe('moved');
      const [[, flat]] = (await entries(dead)) as [[string, string[]]];
      expect(flat).toEqual([
        ...entry.fields.slice(0, count).flat(),
        ...['_dlq_note', 'mine', ...origin(['_dlq_deaths', '5'])],
      ]);
    },
  );

  it('a field of two megabytes is moved whole', async () => {
    const entry = await deliver(1, ['blob', 'x'.repeat(2_000_000)]);
    expect(await moveToDeadLetters(client, w1, entry, death)).toBe('moved');
    expect((await entries(dead))[0]![1][3]).toHaveLength(2_000_000);
    expect(await owner()).toEqual([]);
  });

  describe('one that no script can move', () => {
    it('stays with another consumer that has it, and no copy is made', async () => {
      const entry = await deliver(5_000);
      await server.redis.xclaim('events', 'g', 'w2', 0, '1-0', 'JUSTID');
      expect(await moveToDeadLetters(client, w1, entry, death)).toBe('lost');
      expect(await owner()).toEqual([['1-0', 'w2']]);
      expect(await server.redis.exists(dead)).toBe(0);
    });

    it('stays with another consumer that takes it while it is copied', async () => {
      const entry = await deliver(5_000);
      const {add} = client;
      client.add = async (...args) => {
        const id = await add.apply(client, args);
        await server.redis.xclaim('events', 'g', 'w2', 0, '1-0', 'JUSTID');
        return id;
      };
      expect(await moveToDeadLetters(client, w1, entry, death)).toBe('lost');
      expect(await owner()).toEqual([['1-0', 'w2']]);
      expect(await entries(dead)).toEqual([]);
    });

    it('is acknowledged when it has gone from the stream', async () => {
      const entry = await deliver(5_000);
      await server.redis.xdel('events', '1-0');
      expect(await moveToDeadLetters(client, w1, entry, death)).toBe('gone');
      expect(await owner()).toEqual([]);
    });

    it('stays pending when the copy is refused', async () => {
      const entry = await deliver(5_000);
      await server.redis.config('SET', 'maxmemory', 1);
      await expect(moveToDeadLetters(client, w1, entry, death)).rejects.toMatchObject({kind: 'temporary', code: 'OOM'});
      await server.redis.config('SET', 'maxmemory', 0);
      expect(await owner()).toEqual([['1-0', 'w1']]);
      expect(await moveToDeadLetters(client, w1, entry, death)).toBe('moved');
      expect(await entries(dead)).toHaveLength(1);
    });

    it('is not copied for a user who may not acknowledge', async () => {
      const entry = await deliver(5_000);
      await server.redis.call('ACL', 'SETUSER', 'reader', 'reset', 'on', '>pw', '~*', '+@all', '-xack');
      const reader = await StreamClient.connect({
        url: server.url,
        username: 'reader',
        password: 'pw',
        connectTimeoutMs: 4_000,
      });
      await expect(moveToDeadLetters(reader, w1, entry, death)).rejects.toMatchObject({kind: 'denied'});
      reader.close();
      expect(await entries(dead)).toEqual([]);
      expect(await owner()).toEqual([['1-0', 'w1']]);
    });

    it('is put back once by two who do so at the same time', async () => {
      const entry = await deliver(5_000);
      await moveToDeadLetters(client, w1, entry, death);
      const [letter] = (await entries(dead)) as [[string, string[]]];
      const both = [1, 2].map(() => putBack(client, dead, entryOf(letter), 'other'));
      const newIds = (await Promise.all(both)).filter((id) => id !== undefined);
      expect((await entries('other')).map(([id]) => id)).toEqual(newIds);
      expect(newIds).toHaveLength(1);
      expect(await entries(dead)).toEqual([]);
    });
  });
});
