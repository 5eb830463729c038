/**
 * Scripts that remove consumers, and what is pending with them. Invariant: a consumer is removed only in a step that sees
 * nothing pending with it.
 */

import type {Membership} from './args.js';
import {listOf, notRedis, wordOf, yesOf} from './checked-reply.js';
import {readNumber, readText} from './replies.js';
import {type RunScript, script} from './script.js';

/** What one step of removing a consumer came to; `pending` when it still has entries. */
export interface Retirement {
  state: 'removed' | 'pending' | 'active' | 'absent';
  /** Entries that were handed over in this step. */
  moved: number;
  /** Entries that were acknowledged in this step, since they are no longer in the stream. */
  gone: number;
}

const RETIREMENT_STATES: Record<string, Retirement['state']> = {
  absent: 'absent',
  active: 'active',
  pending: 'pending',
  removed: 'removed',
};

/**
 * Acknowledges the lowest ARGV[2] pending entries of group ARGV[1], of any consumers, and removes the consumers that have
 * nothing left: how many. 500 take 1 ms.
 */
const ACKNOWLEDGE_LOWEST = script(`
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
const REMOVE_IDLE_CONSUMER = script(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1`);

/**
 * Removes those consumers that have nothing pending, after handing over as many of their entries as fit into this step,
 * unless one of these was delivered within the idle time. Entries keep their count of deliveries. Their idle time starts
 * anew, as with any claim: from Redis 8.4 on, pending entries are kept in order of delivery, and XCLAIM with an IDLE in the
 * past takes 16 ms for each where 300,000 are pending (redis/redis#14402). How idle a consumer is, only XINFO CONSUMERS
 * says, which lists all of them (10 ms for 20,000), so it is not asked here; a consumer that reads again is created again.
 * ARGV: group, idle time in milliseconds, the consumer that gets the entries or '', how many of them at most, then the
 * consumers. Replies with three items for each: 'absent', 'active', 'pending' or 'removed', how many entries were handed
 * over, and how many were acknowledged since they are no longer in the stream.
 */
const RETIRE_CONSUMERS = script(`
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

/** Entries that ACKNOWLEDGE_LOWEST takes at once. */
const MOST_ENTRIES = 1_000;

export const consumerScripts = (run: RunScript) => ({
  /** Acknowledges the lowest `count` pending entries of a group, at most 1,000, of all consumers: how many. */
  async acknowledgeLowest(stream: string, group: string, count: number): Promise<number> {
    const argv = [group, String(Math.min(count, MOST_ENTRIES))];
    return readNumber(await run(ACKNOWLEDGE_LOWEST, [stream], argv, {command: 'XACK', stream, group}));
  },

  /** Removes a consumer that has nothing pending; false when it has. */
  async removeIdleConsumer({stream, group, consumer}: Membership): Promise<boolean> {
    const about = {command: 'XGROUP DELCONSUMER', stream, group};
    return yesOf(await run(REMOVE_IDLE_CONSUMER, [stream], [group, consumer], about));
  },

  /**
   * One step of removing `consumers`: hands at most `maxMoved` of their pending entries over to `heir`, from each one only
   * while none of them was delivered within `minIdleMs`, and removes those that then have nothing pending. What became of
   * each, in their order.
   */
  async retireConsumers(
    {stream, group}: {stream: string; group: string},
    consumers: readonly string[],
    {minIdleMs, heir = '', maxMoved}: {minIdleMs: number; heir?: string; maxMoved: number},
  ): Promise<Retirement[]> {
    const argv = [group, String(minIdleMs), heir, String(maxMoved), ...consumers];
    const about = {command: 'XGROUP DELCONSUMER', stream, group};
    const items = listOf(await run(RETIRE_CONSUMERS, [stream], argv, about));
    if (items.length !== 3 * consumers.length) throw notRedis();
    return consumers.map((_, at) => ({
      state: wordOf(RETIREMENT_STATES, readText(items[3 * at]!)),
      moved: readNumber(items[3 * at + 1]!),
      gone: readNumber(items[3 * at + 2]!),
    }));
  },
});
