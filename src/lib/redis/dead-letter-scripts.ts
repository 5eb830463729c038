/**
 * Scripts that move an entry to the dead letters and back. Invariant: an entry is copied and taken away in one step, or
 * not at all.
 */

import {StreamlogError} from '../errors.js';
import type {Membership} from './args.js';
import {idOf, yesOf} from './checked-reply.js';
import type {Reply} from './command-connection.js';
import {entryArguments, ONLY_WHILE_OURS} from './pending-entry-scripts.js';
import {MOST_ARGUMENTS, onlyIfAllowed, type RunScript, refuseDenied, script} from './script.js';
import {noGroup} from './server-errors.js';

/**
 * Moves an entry to KEYS[2] with its origin, in place of an earlier one, and counts how often it has failed. XADD is the
 * first write: when it is refused, as without memory, the script ends there and the entry stays pending. ARGV: group,
 * consumer, ID, reason, time in Unix milliseconds. Replies with 1 when it was moved, 0 when it is no longer in the stream,
 * DENIED where the user may not XACK, and minus the number of its fields where they are too many for Lua.
 */
const DEAD_LETTER = script(`${ONLY_WHILE_OURS}
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

/**
 * Moves entry ARGV[1] of KEYS[1] to KEYS[2] with all its fields. Replies with the new ID, nil when the entry is not there,
 * DENIED where the user may not XDEL, and minus the number of its fields where they are too many for Lua.
 */
const REDRIVE = script(`
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

/** Whether a script replied that the fields are too many for it. */
const isTooWide = (result: Reply): boolean => typeof result === 'number' && result < 0;

export const deadLetterScripts = (run: RunScript) => ({
  /**
   * Adds our pending entry to `deadLetter`, with its origin, and acknowledges it: `moved`, `gone` when it is no longer in
   * the stream, `lost` when it is no longer ours, `too wide` when it has thousands of fields: no script can move it, and
   * nothing was done.
   */
  async moveToDeadLetters(
    member: Membership,
    id: string,
    {deadLetter, reason, nowMs}: {deadLetter: string; reason: string; nowMs: number},
  ): Promise<'moved' | 'gone' | 'lost' | 'too wide'> {
    const {stream, group} = member;
    const argv = [...entryArguments(member, id), reason, String(nowMs)];
    try {
      const result = await run(DEAD_LETTER, [stream, deadLetter], argv, {command: 'XADD', stream: deadLetter});
      if (result === null) return 'lost';
      refuseDenied(result, 'XACK', stream);
      if (isTooWide(result)) return 'too wide';
      return yesOf(result) ? 'moved' : 'gone';
    } catch (error) {
      // Of the two streams, only the one that the entry is in has the group.
      throw error instanceof StreamlogError && error.code === 'NOGROUP' ? noGroup(stream, group) : error;
    }
  },

  /**
   * Moves an entry of `deadLetter` to `target` with all its fields: its new ID, `gone` when it is not there any more, `too
   * wide` when it has thousands of fields: no script can move it, and nothing was done.
   */
  async redrive(deadLetter: string, id: string, target: string): Promise<{newId: string} | 'gone' | 'too wide'> {
    const result = await run(REDRIVE, [deadLetter, target], [id], {command: 'XADD', stream: target});
    if (result === null) return 'gone';
    refuseDenied(result, 'XDEL', deadLetter);
    return isTooWide(result) ? 'too wide' : {newId: idOf(result)};
  },
});
