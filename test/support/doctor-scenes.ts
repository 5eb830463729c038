/** Streams of which each has one thing that `doctor` finds, and nothing else. */
import type {Redis} from 'ioredis';
import {setLastSeen} from './aged-consumers.js';

export interface Scene {
  id: string;
  /** The title of the test: what is there. */
  what: string;
  /** The group that it is about; undefined for a stream. */
  group?: string;
  arrange(redis: Redis): Promise<void>;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ago = (ms: number, sequence = 0): string => `${Date.now() - ms}-${sequence}`;

/** Adds entries at these IDs to `orders`. */
async function add(redis: Redis, ...ids: string[]): Promise<void> {
  for (const id of ids) await redis.xadd('orders', id, 'n', '1');
}

/** Adds `count` entries of `bytes` to `orders`, from `id` on. */
async function fill(redis: Redis, count: number, bytes: number, firstMs = Date.now()): Promise<void> {
  const value = 'x'.repeat(bytes);
  for (let at = 0; at < count; at += 1_000) {
    const pipeline = redis.pipeline();
    for (let n = at; n < Math.min(count, at + 1_000); n++) pipeline.xadd('orders', `${firstMs}-${n}`, 'v', value);
    await pipeline.exec();
  }
}

/** A group of `orders` in which `consumer` has had `ids` for `idleMs`, delivered so often. */
async function deliver(redis: Redis, consumer: string, ids: string[], idleMs: number, deliveries = 1): Promise<void> {
  await redis.call(
    'XCLAIM',
    'orders',
    'billing',
    consumer,
    0,
    ...ids,
    'IDLE',
    idleMs,
    'RETRYCOUNT',
    deliveries,
    'FORCE',
    'JUSTID',
  );
}

/** `orders` with entries of now, and the group `billing`, which has read and acknowledged all of them with `w1`. */
async function readWhole(redis: Redis): Promise<[string, string, string]> {
  const ids: [string, string, string] = [ago(3, 1), ago(2, 2), ago(1, 3)];
  await add(redis, ...ids);
  await redis.xgroup('CREATE', 'orders', 'billing', '0');
  await redis.xreadgroup('GROUP', 'billing', 'w1', 'STREAMS', 'orders', '>');
  await redis.xack('orders', 'billing', ...ids);
  return ids;
}

export const SCENES: Scene[] = [
  {
    id: 'D01',
    what: 'entries that are pending for long with a consumer that is at work',
    group: 'billing',
    arrange: async (redis) => {
      const [first, second] = await readWhole(redis);
      await redis.xgroup('CREATECONSUMER', 'orders', 'billing', 'w2');
      await deliver(redis, 'w1', [first, second], 11 * MINUTE);
    },
  },
  {
    id: 'D02',
    what: 'entries that are pending with a consumer that is gone',
    group: 'billing',
    arrange: async (redis) => {
      const [first, second] = await readWhole(redis);
      await deliver(redis, 'gone', [first, second], 2 * HOUR);
      await setLastSeen(redis, 'orders', ['gone'], 2 * HOUR);
    },
  },
  {
    id: 'D03',
    what: 'consumers that were left behind',
    group: 'billing',
    arrange: async (redis) => {
      await readWhole(redis);
      const names = Array.from({length: 101}, (_, n) => `left-${String(n).padStart(3, '0')}`);
      for (const name of names) await redis.xgroup('CREATECONSUMER', 'orders', 'billing', name);
      await setLastSeen(redis, 'orders', names, 2 * DAY);
    },
  },
  {
    id: 'D04',
    what: 'a group that nothing reads any more',
    group: 'billing',
    arrange: async (redis) => {
      await add(redis, ago(3 * MINUTE), ago(2 * MINUTE));
      await redis.xgroup('CREATE', 'orders', 'billing', '0');
      await redis.xgroup('CREATECONSUMER', 'orders', 'billing', 'w1');
      await setLastSeen(redis, 'orders', ['w1'], 2 * MINUTE);
    },
  },
  {
    id: 'D05',
    what: 'an entry that is delivered again and again',
    group: 'billing',
    arrange: async (redis) => {
      const [first] = await readWhole(redis);
      await deliver(redis, 'w1', [first], 5_000, 836);
    },
  },
  {
    id: 'D06',
    what: 'pending entries that are not in the stream any more',
    group: 'billing',
    arrange: async (redis) => {
      const [first, second] = await readWhole(redis);
      await deliver(redis, 'w1', [first, second], 2 * MINUTE);
      await redis.xdel('orders', second);
      await redis.xtrim('orders', 'MAXLEN', 1);
    },
  },
  {
    id: 'D07',
    what: 'a long stream that was never trimmed',
    arrange: (redis) => fill(redis, 100_001, 1, Date.now() - 8 * DAY),
  },
  {
    id: 'D08',
    what: 'a group that alone needs old entries',
    group: 'billing',
    arrange: async (redis) => {
      await add(redis, ago(2 * DAY, 1), ago(2 * DAY, 2), ago(2 * DAY, 3), ago(1));
      await redis.xgroup('CREATE', 'orders', 'audit', '$');
      await redis.xgroup('CREATE', 'orders', 'billing', '0');
      await redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 1, 'NOACK', 'STREAMS', 'orders', '>');
    },
  },
  {
    id: 'D09',
    what: 'large entries',
    arrange: (redis) => fill(redis, 400, 40 * 1_024),
  },
  {
    id: 'D10',
    what: 'a stream that takes most of the memory',
    arrange: (redis) => fill(redis, 7_000, 10 * 1_024),
  },
  {
    id: 'D11',
    what: 'a group ahead of its stream',
    group: 'billing',
    arrange: async (redis) => {
      await add(redis, '5-1');
      await redis.xgroup('CREATE', 'orders', 'billing', '9-0');
    },
  },
  {
    id: 'D12',
    what: 'counters that cannot be',
    group: 'billing',
    arrange: async (redis) => {
      await add(redis, ago(3, 1), ago(2, 2), ago(1, 3));
      await redis.xgroup('CREATE', 'orders', 'billing', '$');
      await redis.call('XGROUP', 'SETID', 'orders', 'billing', '$', 'ENTRIESREAD', '1');
    },
  },
  {
    id: 'D13',
    what: 'entries that were trimmed before a group had read them',
    group: 'billing',
    arrange: async (redis) => {
      const first = ago(5, 1);
      await add(redis, first, ago(4, 2), ago(3, 3), ago(2, 4));
      await redis.xgroup('CREATE', 'orders', 'billing', '0');
      await redis.xreadgroup('GROUP', 'billing', 'w1', 'COUNT', 1, 'STREAMS', 'orders', '>');
      await redis.xack('orders', 'billing', first);
      await redis.xtrim('orders', 'MAXLEN', 2);
    },
  },
  {
    id: 'D14',
    what: 'IDs in the future',
    arrange: (redis) => add(redis, ago(-DAY)),
  },
  {
    id: 'D15',
    what: 'dead letters',
    arrange: async (redis) => {
      await add(redis, ago(1));
      const origin = [
        '_dlq_stream',
        'orders',
        '_dlq_group',
        'billing',
        '_dlq_id',
        ago(2),
        '_dlq_reason',
        'exit code 1',
      ];
      await redis.xadd('{orders}:dead', '*', 'n', '1', ...origin);
    },
  },
  {
    id: 'D16',
    what: 'an import that was not finished',
    arrange: async (redis) => {
      await add(redis, ago(1));
      await redis.xadd('{orders}:streamlog:import:orders:0a1b2c:adding', '1-1', 'n', '1');
    },
  },
  {
    id: 'D16',
    what: 'the state of a producer that stays for ever',
    arrange: async (redis) => {
      await add(redis, ago(1));
      await redis.hset('{orders}:streamlog:producer:orders:p', 'n', '1');
      await redis.hset('{orders}:streamlog:producer:orders:q', 'n', '1');
      await redis.expire('{orders}:streamlog:producer:orders:q', 100);
    },
  },
  {
    id: 'D17',
    what: 'a group that nothing reads',
    group: 'billing',
    arrange: async (redis) => {
      await add(redis, ago(2 * DAY));
      await redis.xgroup('CREATE', 'orders', 'billing', '0');
    },
  },
];
