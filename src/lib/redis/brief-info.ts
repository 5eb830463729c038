/** XINFO STREAM in short, by script: for a list of streams, whose first and last entries may take megabytes. */

import {idOf, numberOf, tupleOf} from './checked-reply.js';
import type {StreamInfo} from './replies.js';
import {type RunScript, script} from './script.js';

/** What can be known of a stream without its payloads; `lastEntry` has no fields, and is absent where entries are too large. */
export type BriefInfo = Pick<StreamInfo, 'length' | 'groups' | 'lastEntry'>;

/** Redis copies an entry of so many bytes within a millisecond, and those of a list of streams add up. */
const LARGE_ENTRY_BYTES = 256 * 1024;

/**
 * The length, how many groups there are, and the ID of the last entry. Where entries take more than LARGE_ENTRY_BYTES on average the ID is left out, since Redis
 * would copy them for the script; MEMORY USAGE, with one sample, says so at once, unless there are many consumers to look
 * at, or the user may not ask.
 */
const BRIEF_INFO = script(`
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local consumers = 0
for _, group in ipairs(groups) do
  for i = 1, #group, 2 do if group[i] == 'consumers' then consumers = consumers + group[i + 1] end end
end
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return {0, #groups, false} end
if consumers < 10000 then
  local bytes = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 1)
  if type(bytes) == 'number' and bytes / length > ${LARGE_ENTRY_BYTES} then return {length, #groups, false} end
end
return {length, #groups, redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1]}`);

export const briefInfoScript = (run: RunScript) => ({
  /** Throws `notFound` when there is no such stream, `denied` or `configuration` also where only the script is refused. */
  async briefInfo(stream: string): Promise<BriefInfo> {
    const [length, groups, lastId] = tupleOf(await run(BRIEF_INFO, [stream], [], {command: 'XINFO', stream}), 3);
    const lastEntry = lastId === null ? undefined : {id: idOf(lastId), fields: []};
    return {length: numberOf(length), groups: numberOf(groups), lastEntry};
  },
});
