/**
 * The Lua scripts that add each record once (docs/adr/0007). A hash beside the
 * stream, in its slot, keeps the number of the last record of a producer that is
 * in the stream, as its field `mark`: its sequence. Invariant: the sequence is
 * right whatever made a script stop.
 */
import {GROUP_FACTS, type Script, script} from './script.js';

/** Shared by the scripts: whether what the state of a producer says was added can be true of this stream. */
const STREAM_CHECK = `${GROUP_FACTS}
local function below(a, b)
  local function ordered(id)
    local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
    return string.rep('0', 20 - #ms) .. ms .. string.rep('0', 20 - #sequence) .. sequence
  end
  return ordered(a) < ordered(b)
end
-- Asked before anything is written: what cannot expire would stay for ever. Before Redis 7.0 there is no way to ask.
local function mayNotExpire(state, seconds)
  if not redis.acl_check_cmd or redis.acl_check_cmd('EXPIRE', state, seconds) then return nil end
  return {err = "NOPERM this user has no permissions to run the 'expire' command"}
end
local function streamFacts(stream)
  local facts = pairsOf(ask('XINFO', 'STREAM', stream) or {})
  return {newest = facts['last-generated-id'], ever = facts['entries-added'], deleted = facts['max-deleted-entry-id']}
end
-- Deleted, or deleted and begun anew: its entries cannot be those among which the entry 'last' was.
-- 'seen': at least so many had been added then. What was only trimmed away, or deleted one by one, was added.
-- 'wide': the last entry too wide to be read here, if this producer has added one. A user who may not ask cannot know:
-- then the stream passes for the one that it was.
local function isGone(stream, state, last, seen, wide)
  local found, facts
  if wide == last then
    facts = groupFacts(stream, state, last)
    found = facts and facts.claimed
  else
    found = ask('XRANGE', stream, last, last, 'COUNT', 1)
  end
  if not found or #found > 0 then return false end
  if wide then facts = facts or groupFacts(stream, state) or {} else facts = streamFacts(stream) end
  if facts.newest and below(facts.newest, last) then return true end
  if not facts.ever or not seen then return false end
  local older = not wide and ask('XRANGE', stream, '-', last, 'COUNT', 1)
  return facts.ever - (ask('XLEN', stream) or 0) < (older and #older == 0 and seen or 1)
end
-- Whether the entry 'last' cannot have been added to this stream, or was taken back by a failover. One that was trimmed or
-- deleted was added: a server that never had it knows of neither. Before Redis 7.0 nothing is known of what was deleted.
-- Nothing says whether it is wide, but this is asked only where the state is missing.
local function lacks(stream, state, last)
  if ask('EXISTS', stream) == 0 then return true end
  local facts = groupFacts(stream, state, last)
  local found = facts and facts.claimed or ask('XRANGE', stream, last, last, 'COUNT', 1)
  if not found or #found > 0 then return false end
  if facts and facts.newest and below(facts.newest, last) then return true end
  facts = streamFacts(stream)
  if facts.newest and below(facts.newest, last) then return true end
  if not facts.deleted or not below(facts.deleted, last) then return false end
  local older = ask('XRANGE', stream, '-', last, 'COUNT', 1)
  return older ~= nil and #older > 0
end`;

/**
 * KEYS: stream, state. ARGV: number of the first record, how long the state is
 * kept in seconds, a digest of the records or '', 'ids' to keep and answer with
 * the IDs, 'atomic' for all records or none, the first number of an earlier call
 * whose IDs need not be kept any more, 'again' to add everything again where the
 * stream is gone, each '' where not wanted; then for each record how many
 * arguments follow and those of its XADD behind the key. Answers three lines:
 * the sequence and behind it the ID of the record with that number, where there is
 * one; the IDs of this call's records (ID+n for n of them, each with the
 * sequence number after the one before); why it stopped. What is kept besides
 * the sequence: the ID of the last record, and how many entries the stream had had
 * by then at least, where the server counts them too (Redis 7.0, entries-added of
 * https://redis.io/docs/latest/commands/xinfo-stream/); and the last
 * one that a transaction added (`wide`).
 */
export const IDEMPOTENT_ADD: Script = script(`${STREAM_CHECK}
local stream, state, first = KEYS[1], KEYS[2], tonumber(ARGV[1])
local digest, wantsIds, atomic, idsField = ARGV[3], ARGV[4] == 'ids', ARGV[5] == 'atomic', 'ids:' .. ARGV[1]
local kept = redis.pcall('HMGET', state, 'mark', 'digest', idsField, 'last', 'seen', 'wide')
if kept.err then return {err = string.find(kept.err, 'WRONGTYPE', 1, true) and 'STATETYPE' or kept.err} end
local sequence, ids, last, seen = tonumber(kept[1] or '0'), kept[3] or '', kept[4] or '', tonumber(kept[5] or '0')
local function answer(why)
  return string.format('%.0f', sequence) .. (last == '' and '' or ' ' .. last) .. '\\n' .. ids .. '\\n' .. why
end
if kept[2] and kept[2] ~= digest then return answer('DIFFERENT') end
if sequence > 0 then
  local gone = ask('EXISTS', stream) == 0
  -- What is not sent again has to be there, and so has what was added before.
  if not gone and last ~= '' then gone = isGone(stream, state, last, kept[5] and seen, kept[6]) end
  if gone and ARGV[7] ~= 'again' then return answer('VANISHED') end
  if gone then sequence, ids, last, seen = 0, '', '', 0 end
end
if first > sequence + 1 then return answer('GAP') end
local function keep()
  redis.call('HSET', state, 'mark', string.format('%.0f', sequence), 'digest', digest)
  if last ~= '' then redis.call('HSET', state, 'last', last) end
  if redis.REDIS_VERSION_NUM and seen > 0 then redis.call('HSET', state, 'seen', string.format('%.0f', seen)) end
  if wantsIds then redis.call('HSET', state, idsField, ids) end
end
local refusal = mayNotExpire(state, ARGV[2])
if refusal then return refusal end
-- What can be refused is refused here, while nothing has been added. For want of memory, only the first write is.
keep()
local expiring = redis.pcall('EXPIRE', state, ARGV[2])
if type(expiring) == 'table' and expiring.err then
  if not kept[1] then redis.pcall('DEL', state) end
  return expiring
end
if atomic then redis.call('XDEL', stream, '0-0') end
local isNew = atomic and redis.call('EXISTS', stream) == 0
if ARGV[6] ~= '' then redis.pcall('HDEL', state, 'ids:' .. ARGV[6]) end
local added, why, before = {}, '', sequence
local ran, problem = pcall(function()
  local redisCall, number, spread, arguments, count = redis.pcall, tonumber, unpack, ARGV, #ARGV
  local at, record, n = 8, first, 0
  while at <= count do
    local rest = at + number(arguments[at])
    if record > sequence then
      local id = redisCall('XADD', stream, spread(arguments, at + 1, rest))
      if not id then why = 'MISSING' return end
      if id.err then why = id.err return end
      n = n + 1
      added[n], sequence = id, record
    end
    at, record = rest + 1, record + 1
  end
end)
if not ran then why = 'ERR ' .. tostring(problem) end
if why ~= '' and atomic then
  for _, id in ipairs(added) do redis.call('XDEL', stream, id) end
  if isNew then redis.pcall('DEL', stream) end
  added, sequence = {}, before
end
-- IDs ascend: the first and the last tell whether those between are consecutive.
local function inRuns(from, to)
  local one, other = added[from], added[to]
  if from == to then return one end
  local ms, sequence = string.match(one, '^(%d+)-(%d+)$')
  local otherMs, otherSequence = string.match(other, '^(%d+)-(%d+)$')
  if ms == otherMs and #otherSequence < 16 and otherSequence - sequence == to - from then
    return one .. '+' .. (to - from + 1)
  end
  local middle = math.floor((from + to) / 2)
  return inRuns(from, middle) .. ' ' .. inRuns(middle + 1, to)
end
if #added > 0 then
  if wantsIds then ids = ids .. (ids == '' and '' or ' ') .. inRuns(1, #added) end
  last, seen = added[#added], math.max(seen + #added, ask('XLEN', stream) or 0)
  keep()
end
return answer(why)`);

/** The reply in place of the sequence when the stream is gone. */
export const GONE = -1;
/** The reply when nothing is known of the producer, though the stream has the last record that it added: its state was evicted, or has expired. */
export const FORGOTTEN = -2;

/**
 * KEYS: stream, state. ARGV: how long the state is kept from now on, in seconds; the
 * ID of the last record that the producer knows to be added, '' where it knows none.
 * Drops the IDs kept for calls of earlier runs, which are not made again:
 * a run that was killed never says so. Answers with the sequence, nil
 * without one, GONE or FORGOTTEN. It learns how many entries the stream had
 * besides ours, so that one that begins anew is distinguished from one that was trimmed.
 */
export const RESUME_STATE = `${STREAM_CHECK}
local stream, state = KEYS[1], KEYS[2]
local kept = redis.call('HMGET', state, 'mark', 'last', 'seen', 'wide')
local seen = tonumber(kept[3] or '0')
if tonumber(kept[1] or '0') > 0 then
  if ask('EXISTS', stream) == 0 or kept[2] and isGone(stream, state, kept[2], kept[3] and seen, kept[4]) then return ${GONE} end
end
if not kept[1] and ARGV[2] ~= '' and not lacks(stream, state, ARGV[2]) then return ${FORGOTTEN} end
local refusal = mayNotExpire(state, ARGV[1])
if refusal then return refusal end
redis.call('EXPIRE', state, ARGV[1])
for _, field in ipairs(redis.call('HKEYS', state)) do
  if string.sub(field, 1, 4) == 'ids:' then redis.pcall('HDEL', state, field) end
end
if kept[3] then
  local facts = groupFacts(stream, state) or {}
  local ever = facts.ever or not kept[4] and streamFacts(stream).ever or 0
  if ever > seen then redis.call('HSET', state, 'seen', string.format('%.0f', ever)) end
end
return kept[1]`;

/** KEYS and the second of ARGV as for RESUME_STATE. Answers with the sequence, nil without one, or FORGOTTEN. */
export const CHECK_STATE = `${STREAM_CHECK}
local sequence = redis.call('HMGET', KEYS[2], 'mark')[1]
if not sequence and not lacks(KEYS[1], KEYS[2], ARGV[1]) then return ${FORGOTTEN} end
return sequence`;
