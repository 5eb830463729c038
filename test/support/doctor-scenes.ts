/** Streams of which each has one thing that `doctor` finds, and nothing else. */
import type {Redis} from 'ioredis';

export interface Scene {
  id: string;
  /** The title of the test: what is there. */
  what: string;
  /** The group that it is about; undefined for a stream. */
  group?: string;
  arrange(redis: Redis): Promise<void>;
  /** How often its commands are run until all is mended. */
  rounds?: number;
}

const DAY = 86_400_000;
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

export const SCENES: Scene[] = [
  {
    id: 'D07',
    what: 'a long stream that was never trimmed',
    arrange: (redis) => fill(redis, 100_001, 1, Date.now() - 8 * DAY),
  },
  {
    id: 'D09',
    what: 'large entries',
    arrange: (redis) => fill(redis, 1_700, 40 * 1_024),
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
      await redis.call('XGROUP', 'SETID', 'orders', 'billing', '$', 'ENTRIESREAD', '1000');
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
    id: 'D17',
    what: 'a group that nothing reads',
    group: 'billing',
    arrange: async (redis) => {
      await add(redis, ago(2 * DAY));
      await redis.xgroup('CREATE', 'orders', 'billing', '0');
    },
  },
];
