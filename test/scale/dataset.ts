/**
 * Data at which a command that costs Redis too much shows it: made on the
 * server by a few scripts, in about two seconds.
 */
import type {RedisServer} from '../support/redis-server.js';

export const SIZES = {entries: 200_000, consumers: 20_000, groups: 300, streams: 5_000, wide: 400, wideBytes: 50_000};

/** Entries are a second apart and end now, so that ages mean something. */
export const FIRST_MS = Date.now() - SIZES.entries * 1_000;

/** The ID of the entry with that number, from 1 on, in `big` and `wide`. */
export const idOf = (number: number): string => `${FIRST_MS + number * 1_000}-0`;

/**
 * `big`: many entries, all pending in the group `streamlog`, ten with each of its consumers, and in the group `one`, all with `c1`;
 * `g3` and on are behind.
 * `wide`: entries of 50 KB, pending with one consumer of `streamlog`, unread in `fresh`. `dead`: dead letters of `big`,
 * some of them wide. `crowd`: as many consumers, most of which have nothing pending. `s:0` and on: streams with one entry.
 */
export async function fill(server: RedisServer): Promise<void> {
  await fillPending(server);
  await fillOthers(server);
}

/** `big` and `crowd` alone. */
export async function fillPending({redis}: RedisServer): Promise<void> {
  const {entries, consumers, groups} = SIZES;
  await redis.eval(
    `for i = 1, tonumber(ARGV[2]) do redis.call('XADD', KEYS[1], ARGV[1] + i * 1000 .. '-0', 'n', i) end
     redis.call('XGROUP', 'CREATE', KEYS[1], 'streamlog', '0')
     local each = ARGV[2] / ARGV[3]
     for i = 1, tonumber(ARGV[3]) do
       redis.call('XREADGROUP', 'GROUP', 'streamlog', 'c' .. i, 'COUNT', each, 'STREAMS', KEYS[1], '>')
     end
     redis.call('XGROUP', 'CREATE', KEYS[1], 'one', '0')
     redis.call('XREADGROUP', 'GROUP', 'one', 'c1', 'COUNT', ARGV[2], 'STREAMS', KEYS[1], '>')
     for i = 3, tonumber(ARGV[4]) do
       redis.call('XGROUP', 'CREATE', KEYS[1], 'g' .. i, ARGV[1] + i * 100000 .. '-0')
     end`,
    1,
    'big',
    FIRST_MS,
    entries,
    consumers,
    groups,
  );
  await redis.eval(
    `redis.call('XGROUP', 'CREATE', KEYS[1], 'streamlog', '0', 'MKSTREAM')
     for i = 1, tonumber(ARGV[1]) do redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], 'streamlog', 'c' .. i) end
     for i = 1, 400 do
       redis.call('XADD', KEYS[1], '*', 'n', i)
       redis.call('XREADGROUP', 'GROUP', 'streamlog', 'c' .. i * 7, 'COUNT', 1, 'STREAMS', KEYS[1], '>')
     end`,
    1,
    'crowd',
    consumers,
  );
}

async function fillOthers({redis}: RedisServer): Promise<void> {
  const {streams, wide, wideBytes} = SIZES;
  await redis.eval(
    `local value = string.rep('x', tonumber(ARGV[3]))
     for i = 1, tonumber(ARGV[2]) do redis.call('XADD', KEYS[1], ARGV[1] + i * 1000 .. '-0', 'n', i, 'value', value) end
     redis.call('XGROUP', 'CREATE', KEYS[1], 'streamlog', '0')
     redis.call('XGROUP', 'CREATE', KEYS[1], 'fresh', '0')
     for i = 1, ARGV[2] / 20 do
       redis.call('XREADGROUP', 'GROUP', 'streamlog', 'c1', 'COUNT', 20, 'STREAMS', KEYS[1], '>')
     end`,
    1,
    'wide',
    FIRST_MS,
    wide,
    wideBytes,
  );
  await redis.eval(
    `local value = string.rep('x', tonumber(ARGV[2]))
     for i = 1, 3000 do
       redis.call('XADD', KEYS[1], '*', 'n', i, 'value', i % 10 == 0 and value or 'x', '_dlq_stream', 'big', '_dlq_group',
         'streamlog', '_dlq_id', ARGV[1] + i * 1000 .. '-0', '_dlq_consumer', 'c1', '_dlq_deliveries', '5',
         '_dlq_reason', 'exit code 1', '_dlq_at', ARGV[1])
     end`,
    1,
    'dead',
    FIRST_MS,
    wideBytes,
  );
  await redis.eval(`for i = 0, ARGV[1] - 1 do redis.call('XADD', 's:' .. i, '*', 'n', i) end`, 0, streams);
}
