/**
 * The Lua scripts of streamlog: where one step must look and act without anyone
 * in between, as a pending entry may change hands at any moment. Each works on
 * one entry, or on a number of them that the caller bounds, so that it never
 * holds the server up. They need Redis 6.2 or Valkey. Invariant: a script does
 * nothing to an entry that is not pending with the consumer that it was given,
 * and what can be refused is its first write or asked before it, so that nothing
 * is half done.
 */

import {createHash} from 'node:crypto';
import type {Membership} from './args.js';
import type {CommandLine} from './command-connection.js';
import {GIVEN_BACK_IDLE_MS} from './released-entries.js';

export interface Script {
  readonly lua: string;
  /** What EVALSHA calls it by. */
  readonly sha: string;
}

/** Its name is worked out when it is first called by it: most commands call none. */
export function script(lua: string): Script {
  let sha: string | undefined;
  return {
    lua,
    get sha() {
      sha ??= createHash('sha1').update(lua).digest('hex');
      return sha;
    },
  };
}

/** Above every limit, and still exact in Lua and in JavaScript; Redis marks a fatal entry with 2^63 - 1, or -1. */
export const MOST_DELIVERIES = 1_000_000_000_000_000;

/** Lua passes at most about 8,000 arguments to a command. */
export const MOST_ARGUMENTS = 7_900;

/** Sets `count` to the deliveries of ARGV[3], or returns when it is not pending with consumer ARGV[2]. */
const ONLY_WHILE_OURS = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not pending or pending[2] ~= ARGV[2] then return false end
local count = pending[4]
if count < 0 or count > ${MOST_DELIVERIES} then count = ${MOST_DELIVERIES} end
`;

/** What a script answers of an entry that is no longer in the stream. */
export const GONE = 'gone';

/**
 * XCLAIM with what `options` says, of what is ours; answers GONE where the entry is no longer in the stream. Nothing reads
 * the entry to find that out: for Lua that takes 0.2 s and more of 100,000 fields. From Redis 7.0 on XCLAIM itself
 * tells (redis/redis#10227): it claims nothing, and takes the pending reference away, so that whoever gets GONE has to
 * say what became of the entry. Before, it claims what is gone, too, and so the entry is read there. 7.0 also brought
 * acl_check_cmd, which is what is asked for.
 */
const claimOrGone = (options: string): string => `
if not redis.acl_check_cmd and #redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3]) == 0 then return '${GONE}' end
if #redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], ${options}'JUSTID') == 0 then return '${GONE}' end
return count`;

/** What a script that copies answers, before it writes anything, when its user may not finish. */
export const DENIED = 'denied';

/**
 * Ends with DENIED unless the user may run the `command` that comes last. Asked,
 * not tried: Redis refuses for want of memory only the first write of a script,
 * and that has to be the copy. Before Redis 7.0 there is no way to ask.
 */
const onlyIfAllowed = (command: string): string =>
  `if redis.acl_check_cmd and not redis.acl_check_cmd(${command}) then return '${DENIED}' end\n`;

/** Starts the idle time anew without counting a delivery. ARGV: group, consumer, ID. */
export const RENEW_LEASE = script(`${ONLY_WHILE_OURS}${claimOrGone('')}`);

/** Counts one more delivery and starts the idle time anew. ARGV: group, consumer, ID. */
export const BEGIN_ATTEMPT = script(`${ONLY_WHILE_OURS}
if count < ${MOST_DELIVERIES} then count = count + 1 end
${claimOrGone("'RETRYCOUNT', string.format('%.0f', count), ")}`);

/**
 * Takes back what BEGIN_ATTEMPT has counted, for an attempt that never was one;
 * the idle time goes on. ARGV: group, consumer, ID.
 */
export const UNDO_ATTEMPT = script(`${ONLY_WHILE_OURS}
if count > 1 and count < ${MOST_DELIVERIES} then count = count - 1 end
${claimOrGone("'IDLE', math.max(0, pending[3]), 'RETRYCOUNT', string.format('%.0f', count), ")}`);

/**
 * Moves an entry to KEYS[2] with where it came from; where it came from before
 * is dropped, and the deaths are counted. XADD is first: when it is refused, as
 * without memory, the script ends there and the entry stays pending. ARGV:
 * group, consumer, ID, reason, time in Unix milliseconds. Answers 1 when it
 * moved, 0 when it had gone from the stream, DENIED to one who may not XACK, and
 * for an entry that Lua cannot pass on its number of fields below 0.
 */
export const DEAD_LETTER = script(`${ONLY_WHILE_OURS}
${onlyIfAllowed("'XACK', KEYS[1], ARGV[1], ARGV[3]")}
local entry = redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3])[1]
if entry then
  local origin = {'_dlq_stream', KEYS[1], '_dlq_group', ARGV[1], '_dlq_id', ARGV[3], '_dlq_consumer', ARGV[2],
    '_dlq_deliveries', string.format('%.0f', count), '_dlq_reason', ARGV[4], '_dlq_at', ARGV[5]}
  local ours = {_dlq_deaths = true}
  for i = 1, #origin, 2 do ours[origin[i]] = true end
  local line = {'XADD', KEYS[2], '*'}
  local fields = entry[2]
  local deaths, diedBefore = 1, false
  for i = 1, #fields, 2 do
    local name, value = fields[i], fields[i + 1]
    if not ours[name] then
      line[#line + 1] = name
      line[#line + 1] = value
    elseif name == '_dlq_id' then
      diedBefore = true
    elseif name == '_dlq_deaths' then
      deaths = tonumber(value) or 1
    end
  end
  if diedBefore then
    origin[#origin + 1] = '_dlq_deaths'
    origin[#origin + 1] = string.format('%.0f', deaths + 1)
  end
  for i = 1, #origin do line[#line + 1] = origin[i] end
  if #line > ${MOST_ARGUMENTS} then return -#fields / 2 end
  redis.call(unpack(line))
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])
return entry and 1 or 0`);

/** Acknowledges an entry while it is ours: 1, or 0 when it was no longer pending. ARGV: group, consumer, ID. */
export const ACKNOWLEDGE_OURS = script(`${ONLY_WHILE_OURS}
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])`);

/**
 * Moves entry ARGV[1] of KEYS[1] to KEYS[2] with all its fields: the new ID, nil
 * when it is not there, DENIED to one who may not XDEL, its number of fields
 * below 0 when Lua cannot pass it on.
 */
export const REDRIVE = script(`
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return false end
${onlyIfAllowed("'XDEL', KEYS[1], ARGV[1]")}
local line = {'XADD', KEYS[2], '*'}
local fields = entry[2]
for i = 1, #fields do line[#line + 1] = fields[i] end
if #line > ${MOST_ARGUMENTS} then return -#fields / 2 end
local id = redis.call(unpack(line))
redis.call('XDEL', KEYS[1], ARGV[1])
return id`);

/**
 * `pendingOf(id)` for up to `most` IDs between `lowest` and `highest`: those that lie close together,
 * as IDs do that another command has listed, are asked for at once, and the others each for itself.
 */
const PENDING_AMONG = `
local page = redis.call('XPENDING', KEYS[1], ARGV[1], lowest, highest, 2 * most)
local near, isWhole = {}, #page < 2 * most
for _, entry in ipairs(page) do near[entry[1]] = entry end
local function pendingOf(id)
  if near[id] or isWhole then return near[id] end
  return redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1]
end
`;

/**
 * What a record says of a pending entry may be long past. Sets `pending`,
 * `owner` and `count` of entry `id`, as `pendingOf` has it, and `refused` to 'missing', to 'other' when
 * another has it than `expected` ('' or '=NAME'), or to 'again' when it was delivered
 * more often than `deliveries` ('' or a number) or has been idle for less than `idle` since.
 */
const STILL_AS_NAMED = `
local pending = pendingOf(id)
local owner, count, refused = '', 0, nil
if not pending then
  refused = 'missing'
else
  owner, count = pending[2], pending[4]
  if count < 0 or count > ${MOST_DELIVERIES} then count = ${MOST_DELIVERIES} end
  if expected ~= '' and '=' .. owner ~= expected then refused = 'other'
  elseif deliveries ~= '' and count > math.min(tonumber(deliveries), ${MOST_DELIVERIES}) then refused = 'again'
  elseif idle ~= '' and pending[3] >= 0 and pending[3] < tonumber(idle) then refused = 'again' end
end
`;

/**
 * Claims entries that are still as they were named, and counts a delivery of
 * each. ARGV: group, who gets them, how long idle in milliseconds, '1' to only
 * look, the lowest and the highest ID, then four for each: its ID, its consumer, its deliveries, its idle time, as above.
 * Answers three for each: 'claimed', 'busy', 'gone', or as above; who had it; its deliveries now.
 */
export const CLAIM_NAMED = script(`
local answer = {}
local lowest, highest, most = ARGV[5], ARGV[6], (#ARGV - 6) / 4
${PENDING_AMONG}
for i = 7, #ARGV, 4 do
  local id, expected, deliveries, idle = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  ${STILL_AS_NAMED}
  local state = refused
  if not state then
    if pending[3] >= 0 and pending[3] < tonumber(ARGV[3]) then
      state = 'busy'
    elseif ARGV[4] == '1' then
      state = 'claimed'
    else
      if count < ${MOST_DELIVERIES} then count = count + 1 end
      local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id,
        'RETRYCOUNT', string.format('%.0f', count), 'JUSTID')
      state = #claimed == 0 and 'gone' or 'claimed'
    end
  end
  answer[#answer + 1] = state
  answer[#answer + 1] = owner
  answer[#answer + 1] = string.format('%.0f', count)
end
return answer`);

/**
 * Acknowledges entries that are still with the consumer that was named. ARGV:
 * group, the lowest and the highest ID, then two for each: its ID, its consumer as above. Answers one for each:
 * 'acknowledged', 'missing' or 'other'.
 */
export const ACKNOWLEDGE_NAMED = script(`
local answer, ours = {}, {}
local deliveries, idle = '', ''
local lowest, highest, most = ARGV[2], ARGV[3], (#ARGV - 3) / 2
${PENDING_AMONG}
for i = 4, #ARGV, 2 do
  local id, expected = ARGV[i], ARGV[i + 1]
  ${STILL_AS_NAMED}
  answer[#answer + 1] = refused or 'acknowledged'
  if not refused then ours[#ours + 1] = id end
end
if #ours > 0 then redis.call('XACK', KEYS[1], ARGV[1], unpack(ours)) end
return answer`);

/**
 * Gives an entry back, so that whoever claims takes it next, without touching
 * its count of deliveries. ARGV: group, its consumer as above, ID, what its delivery
 * time and now add up to where the server has no XNACK, '1' to try XNACK, its deliveries
 * as above, and what time it is for who may not run TIME. Answers 'xnack', 'xclaim', 'gone', or as above.
 */
export const NACK = script(`
local id, expected, deliveries, idle = ARGV[3], ARGV[2], ARGV[6], ''
local function pendingOf(id) return redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1] end
${STILL_AS_NAMED}
if refused then return refused end
-- With nobody: it was given back before. A consumer may have the empty name, too.
if owner == '' and pending[3] < 0 then return 'xnack' end
if ARGV[5] == '1' then
  local answer = redis.pcall('XNACK', KEYS[1], ARGV[1], 'FAIL', 'IDS', 1, id)
  if type(answer) == 'number' then return 'xnack' end
end
local time, now = redis.pcall('TIME'), tonumber(ARGV[7])
if not time.err then now = time[1] * 1000 + math.floor(time[2] / 1000) end
-- A clock that stands before the years that the sum is made for.
local delivered = string.format('%.0f', math.min(ARGV[4] - now, now - ${GIVEN_BACK_IDLE_MS}))
local claimed = redis.call('XCLAIM', KEYS[1], ARGV[1], owner, 0, id, 'TIME', delivered, 'JUSTID')
return #claimed == 0 and 'gone' or 'xclaim'`);

/**
 * Sets counts of deliveries, and starts the idle time anew, of what is still ours: what XREADGROUP with CLAIM has counted
 * goes back to what it was. Not in one script with it: Lua would copy each entry that it reads. ARGV: group, consumer,
 * then two for each: its ID, its count.
 */
export const SET_DELIVERIES = script(`
for i = 3, #ARGV, 2 do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if pending and pending[2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'RETRYCOUNT', ARGV[i + 1], 'JUSTID')
  end
end
return 1`);

/**
 * What XINFO STREAM says, without the first and last entry, which may take megabytes: the length, how many groups there
 * are, and the ID of the last entry. Where entries take more than ARGV[1] bytes on average the ID is left out, since Redis
 * would copy them for the script; MEMORY USAGE, with one sample, says so at once, unless there are many consumers to look
 * at, or the user may not ask.
 */
export const BRIEF_INFO = script(`
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local consumers = 0
for _, group in ipairs(groups) do
  for i = 1, #group, 2 do if group[i] == 'consumers' then consumers = consumers + group[i + 1] end end
end
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return {0, #groups, false} end
if consumers < 10000 then
  local bytes = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 1)
  if type(bytes) == 'number' and bytes / length > tonumber(ARGV[1]) then return {length, #groups, false} end
end
return {length, #groups, redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1]}`);

/**
 * Acknowledges the lowest ARGV[2] pending entries of group ARGV[1], whoever has them, and removes the consumers that have
 * nothing left: how many. 500 take 1 ms.
 */
export const ACKNOWLEDGE_LOWEST = script(`
local page = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', ARGV[2])
if #page == 0 then return 0 end
local line = {'XACK', KEYS[1], ARGV[1]}
local holders = {}
for i = 1, #page do
  line[#line + 1] = page[i][1]
  holders[page[i][2]] = true
end
local count = redis.call(unpack(line))
for name in pairs(holders) do
  if name ~= '' and #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, name) == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name)
  end
end
return count`);

/** Removes consumer ARGV[2] of group ARGV[1] only while nothing is pending with it: 1 when it went, else 0. */
export const REMOVE_IDLE_CONSUMER = script(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1`);

/**
 * Removes those consumers that have nothing pending, after giving to another one
 * as much of what they have as fits into this step, unless one of the entries
 * was delivered lately. Entries keep their count; their idle time starts anew, as with any claim, since XCLAIM with an
 * IDLE in the past looks for its place among all that is pending from Redis 8.4 on (16 ms an entry where 300,000 are). How idle a
 * consumer is, is not asked: only XINFO CONSUMERS knows, and it tells of all of
 * them each time (10 ms for 20,000). One that reads again after it was removed
 * is there again. ARGV: group, how long idle in milliseconds, who gets the
 * entries or '', how many of them at most, then the consumers. Answers three
 * items for each: 'absent', 'active', 'pending' or 'removed', how many entries
 * were handed over, and how many were acknowledged since they are no longer in the stream.
 */
export const RETIRE_CONSUMERS = script(`
local group, minIdle, heir, budget = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local function pendingOf(name, most) return redis.call('XPENDING', KEYS[1], group, '-', '+', most, name) end
local answer = {}
for i = 5, #ARGV do
  local name, state, moved, gone = ARGV[i], 'pending', 0, 0
  if heir ~= '' and budget > 0 then
    local entries = pendingOf(name, budget)
    for _, entry in ipairs(entries) do
      if entry[3] >= 0 and entry[3] < minIdle then state = 'active' end
    end
    if state ~= 'active' then
      for _, entry in ipairs(entries) do
        local claimed = redis.call('XCLAIM', KEYS[1], group, heir, 0, entry[1], 'JUSTID')
        if #claimed > 0 then
          moved = moved + 1
        else
          redis.call('XACK', KEYS[1], group, entry[1])
          gone = gone + 1
        end
      end
      budget = budget - #entries
    end
  end
  if state ~= 'active' and #pendingOf(name, 1) == 0 then
    local absent = redis.call('XGROUP', 'CREATECONSUMER', KEYS[1], group, name) == 1
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], group, name)
    state = absent and 'absent' or 'removed'
  end
  answer[#answer + 1] = state
  answer[#answer + 1] = moved
  answer[#answer + 1] = gone
end
return answer`);

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
