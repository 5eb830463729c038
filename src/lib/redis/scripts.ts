/**
 * The Lua scripts of streamlog: where one step must look and act without anyone
 * in between, as a pending entry may change hands at any moment. Each works on
 * one entry, so that it never holds the server up. They need Redis 6.2 or
 * Valkey. Invariant: a script does nothing to an entry that is not pending with
 * the consumer that it was given.
 */
import {createHash} from 'node:crypto';
import type {Membership} from './args.js';
import type {CommandLine} from './connection.js';

export interface Script {
  readonly lua: string;
  /** What EVALSHA calls it by. */
  readonly sha: string;
}

const script = (lua: string): Script => ({lua, sha: createHash('sha1').update(lua).digest('hex')});

/** Sets `count` to the deliveries of ARGV[3], or returns when it is not pending with consumer ARGV[2]. */
const ONLY_WHILE_OURS = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not pending or pending[2] ~= ARGV[2] then return false end
local count = pending[4]
`;

/** Starts the idle time anew without counting a delivery. ARGV: group, consumer, ID. */
export const RENEW_LEASE = script(`${ONLY_WHILE_OURS}
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'JUSTID')
return count`);

/** Counts one more delivery and starts the idle time anew. ARGV: group, consumer, ID. */
export const BEGIN_ATTEMPT = script(`${ONLY_WHILE_OURS}
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'RETRYCOUNT', count + 1, 'JUSTID')
return count + 1`);

/**
 * Moves an entry to KEYS[2] with where it came from. XADD is first: when it is
 * refused, as without memory, the script ends there and the entry stays pending.
 * ARGV: group, consumer, ID, reason, time in Unix milliseconds.
 */
export const DEAD_LETTER = script(`${ONLY_WHILE_OURS}
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
if entry then
  local line = {'XADD', KEYS[2], '*'}
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 5) ~= '_dlq_' then
      line[#line + 1] = fields[i]
      line[#line + 1] = fields[i + 1]
    end
  end
  local origin = {'_dlq_stream', KEYS[1], '_dlq_group', ARGV[1], '_dlq_id', ARGV[3], '_dlq_consumer', ARGV[2],
    '_dlq_deliveries', count, '_dlq_reason', ARGV[4], '_dlq_at', ARGV[5]}
  for i = 1, #origin do line[#line + 1] = origin[i] end
  redis.call(unpack(line))
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return entry and 1 or 0`);

/** Removes consumer ARGV[2] of group ARGV[1] only while nothing is pending with it: 1 when it went, else 0. */
export const REMOVE_IDLE_CONSUMER = script(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1`);

/** EVALSHA sha numkeys key … arg …; all keys must be of one slot. */
export const evalsha = ({sha}: Script, keys: readonly string[], args: readonly string[]): CommandLine => [
  'evalsha',
  sha,
  String(keys.length),
  ...keys,
  ...args,
];

/** EVAL, for a server that does not know the script yet: after a restart, a failover or SCRIPT FLUSH. */
export const evaluate = ({lua}: Script, keys: readonly string[], args: readonly string[]): CommandLine => [
  'eval',
  lua,
  String(keys.length),
  ...keys,
  ...args,
];

/** The arguments that every script on a pending entry begins with. */
export const entryArguments = ({group, consumer}: Membership, id: string): string[] => [group, consumer, id];
