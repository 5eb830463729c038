/** Servers of which each has one thing that `doctor` finds, and nothing else. */
import {connect} from 'node:net';
import type {Redis} from 'ioredis';
import {type RedisServer, serverPrograms, startRedis, until} from './redis-server.js';

export interface ServerScene {
  id: string;
  /** The title of the test: what is there. */
  what: string;
  /** Starts it; what is returned is ended after the test, the first one is looked at. */
  start(): Promise<RedisServer[]>;
  /** How many commands mend it, each by itself: none for what takes another version or another program. */
  mends: number;
}

/** As it is installed: the tests' own servers keep nothing. */
export const SAVED = ['--save', '3600 1 300 100 60 10000'];
/** It counts what Redis 7.0 does not. */
const newer = serverPrograms().find(({name}) => name === 'redis-8')?.program;

const one = async (args: string[], arrange?: (redis: Redis) => Promise<unknown>, program?: string) => {
  const server = await startRedis({tcp: true, args: [...SAVED, ...args], program});
  await arrange?.(server.redis).catch(async (error) => {
    await server.stop();
    throw error;
  });
  return [server];
};

const KB = 1_024;

export const SERVER_SCENES: ServerScene[] = [
  {
    id: 'D20',
    what: 'a limit of memory, and any key may go',
    start: () => one(['--maxmemory', '200mb', '--maxmemory-policy', 'allkeys-lru']),
    mends: 1,
  },
  {
    id: 'D21',
    what: 'no persistence',
    start: async () => [await startRedis({tcp: true})],
    mends: 2,
  },
  {
    id: 'D22',
    what: 'a replica that nothing waits for',
    start: async () => {
      const [master] = await one([]);
      const replica = await startRedis({tcp: true, args: ['--replicaof', '127.0.0.1', String(master!.port)]});
      const isConnected = async (): Promise<boolean> =>
        (await master!.redis.info('replication')).includes('state=online');
      await until(isConnected, 'the replica has connected');
      return [master!, replica];
    },
    mends: 1,
  },
  {
    id: 'D23',
    what: 'memory that is nearly used up',
    start: () =>
      one(['--maxmemory', '40mb'], async (redis) => {
        for (let key = 0; (await usedShare(redis)) < 0.87; key++) await redis.set(`key${key}`, 'x'.repeat(256 * KB));
      }),
    mends: 1,
  },
  {
    id: 'D24',
    what: 'nodes of streams without a limit',
    start: () => one(['--stream-node-max-bytes', '0', '--stream-node-max-entries', '0']),
    mends: 1,
  },
  {
    id: 'D24',
    what: 'nodes of streams of one entry',
    start: () => one(['--stream-node-max-entries', '1']),
    mends: 1,
  },
  {
    id: 'D25',
    what: 'a version whose lag is wrong, and an unread entry that was deleted',
    start: () =>
      one([], async (redis) => {
        const ids = [3, 2, 1].map((ago) => `${Date.now() - ago}-0`);
        for (const id of ids) await redis.xadd('orders', id, 'n', '1');
        await redis.xgroup('CREATE', 'orders', 'billing', ids[0]!);
        await redis.xgroup('CREATECONSUMER', 'orders', 'billing', 'w1');
        await redis.xdel('orders', ids[1]!);
      }),
    mends: 0,
  },
  {
    id: 'D26',
    what: 'connections that stay when a machine dies',
    start: () => one(['--tcp-keepalive', '0']),
    mends: 1,
  },
  {
    id: 'D26',
    what: 'connections that are cut after half a minute',
    start: () => one(['--timeout', '30']),
    mends: 1,
  },
  ...(newer === undefined
    ? []
    : [
        {
          id: 'D27',
          what: 'a reader that was cut since its replies were too long',
          start: () => one(['--client-output-buffer-limit', 'normal 1mb 0 0'], cutReader, newer),
          mends: 1,
        },
      ]),
  {
    id: 'D28',
    what: 'a range of a whole stream',
    start: () =>
      one(['--slowlog-log-slower-than', '5000'], async (redis) => {
        await fill(redis, 90_000);
        await until(async () => {
          await redis.xrange('orders', '-', '+');
          return JSON.stringify(await redis.slowlog('GET', 128)).includes('"xrange"');
        }, 'it took long');
        await redis.del('orders');
      }),
    mends: 0,
  },
];

async function usedShare(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const of = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return of('used_memory') / of('maxmemory');
}

async function fill(redis: Redis, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1_000) {
    const pipeline = redis.pipeline();
    for (let n = 0; n < 1_000; n++) pipeline.xadd('orders', '*', 'n', String(at + n));
    await pipeline.exec();
  }
}

/** Asks for 10 MB, and reads nothing of it. Redis 8.6 counts only what is copied for a reply, as entries are. */
async function cutReader(redis: Redis): Promise<void> {
  await redis.xadd('large', '*', 'v', 'x'.repeat(100 * KB));
  const socket = connect({path: redis.options.path!});
  socket.on('error', () => {}).pause();
  socket.write('XRANGE large - +\r\n'.repeat(100));
  const isCut = async (): Promise<boolean> =>
    /^client_output_buffer_limit_disconnections:[1-9]/m.test(await redis.info('stats'));
  await until(isCut, 'the reader was cut');
  socket.destroy();
  await redis.del('large');
}
