/** XINFO STREAM in short, by script: for a list of streams, whose first and last entries may take megabytes. */

import {idOf, numberOf, tupleOf} from './checked-reply.js';
import {type GroupInfo, optional, readGroups} from './replies.js';
import {type RunScript, script} from './script.js';

/** What can be known of a stream and its groups without payloads. */
export interface BriefInfo {
  length: number;
  groups: GroupInfo[];
  /** What an entry takes on average, as far as the first ones tell. */
  entryBytes: number | undefined;
  /** Absent where the stream is empty, and this and all that follows where entries are too large. */
  firstId: string | undefined;
  lastId: string | undefined;
  /** All entries ever added; undefined before Redis 7.0 (https://redis.io/docs/latest/commands/xinfo-stream/), as is the next one. */
  entriesAdded: number | undefined;
  maxDeletedId: string | undefined;
}

/** Redis copies an entry of so many bytes within a millisecond, and those of a list of streams add up. */
const LARGE_ENTRY_BYTES = 256 * 1024;

/**
 * The length, the groups, the size of entries, and what XINFO STREAM says. Where entries take more than LARGE_ENTRY_BYTES on average the
 * latter is left out, since Redis would copy two of them for the script; MEMORY USAGE, with one sample, says so at once,
 * unless there are many consumers to look at, or the user may not ask.
 */
const BRIEF_INFO = script(`
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local consumers = 0
for _, group in ipairs(groups) do
  for i = 1, #group, 2 do if group[i] == 'consumers' then consumers = consumers + group[i + 1] end end
end
local length = redis.call('XLEN', KEYS[1])
local each = false
if consumers < 10000 and length > 0 then
  local bytes = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 1)
  if type(bytes) == 'number' then each = math.ceil(bytes / length) end
  if each and each > ${LARGE_ENTRY_BYTES} then return {length, groups, each} end
end
local facts = {}
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do facts[info[i]] = info[i + 1] end
local function idOf(entry) return entry and entry[1] or false end
return {length, groups, each, idOf(facts['first-entry']), idOf(facts['last-entry']), facts['entries-added'] or false,
  facts['max-deleted-entry-id'] or false}`);

export const briefInfoScript = (run: RunScript) => ({
  /** Throws `notFound` when there is no such stream, `denied` or `configuration` also where only the script is refused. */
  async briefInfo(stream: string): Promise<BriefInfo> {
    const [length, groups, entryBytes, ...facts] = tupleOf(
      await run(BRIEF_INFO, [stream], [], {command: 'XINFO', stream}),
      3,
    );
    const [firstId, lastId, entriesAdded, maxDeletedId] = facts.length === 0 ? [] : tupleOf(facts, 4);
    return {
      length: numberOf(length),
      groups: readGroups(groups!),
      entryBytes: optional(entryBytes, numberOf),
      firstId: optional(firstId, idOf),
      lastId: optional(lastId, idOf),
      entriesAdded: optional(entriesAdded, numberOf),
      maxDeletedId: optional(maxDeletedId, idOf),
    };
  },
});
