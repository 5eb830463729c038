/**
 * Lua scripts: for what must be looked at and changed in one step, since a pending entry may change hands at any moment.
 * They need Redis 6.2 (https://redis.io/docs/latest/commands/xautoclaim/) or Valkey. Invariants: a script works on a bounded number of entries; what can be refused is its
 * first write, or is asked for before it, so that nothing is half done.
 */

import {createHash} from 'node:crypto';
import {StreamlogError} from '../errors.js';
import type {CommandLine, Reply} from './command-connection.js';
import {readText} from './replies.js';
import {type CommandContext, noPermission} from './server-errors.js';

export interface Script {
  readonly lua: string;
  /** What EVALSHA calls it by. */
  readonly sha: string;
}

/** The SHA1 is computed at the first call: most commands run no script. */
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

/** Runs a script; all keys must be of one slot. `about` says what the script does, for the message of a failure. */
export type RunScript = (
  script: Script,
  keys: readonly string[],
  args: readonly string[],
  about: CommandContext,
) => Promise<Reply>;

/** EVALSHA, or EVAL where the server does not know the script: after a restart, a failover or SCRIPT FLUSH. */
export const scriptRunner =
  (send: (line: CommandLine, about: CommandContext) => Promise<Reply>): RunScript =>
  async ({sha, lua}, keys, args, about) => {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await send(['evalsha', sha, ...rest], about);
    } catch (error) {
      if (!(error instanceof StreamlogError) || error.code !== 'NOSCRIPT') throw error;
      return send(['eval', lua, ...rest], about);
    }
  };

/** Above every limit, and still exact in Lua and in JavaScript; Redis marks a fatal entry with 2^63 - 1, or -1. */
export const MOST_DELIVERIES = 1_000_000_000_000_000;

/** Lua passes at most about 8,000 arguments to a command (LUAI_MAXCSTACK, https://www.lua.org/source/5.1/luaconf.h.html). */
export const MOST_ARGUMENTS = 7_900;

/** Fields of a record that a script can add: a field is two arguments, and the rest of XADD needs two more. */
export const MOST_FIELDS_IN_SCRIPT = MOST_ARGUMENTS / 2 - 1;

/** What a script that copies answers, before it writes anything, when its user may not finish. */
const DENIED = 'denied';

/**
 * Ends with DENIED unless the user may run the `command` that comes last. Asked,
 * not tried: Redis refuses for want of memory only the first write of a script,
 * and that has to be the copy. Before Redis 7.0 there is no way to ask.
 */
export const onlyIfAllowed = (command: string): string =>
  `if redis.acl_check_cmd and not redis.acl_check_cmd(${command}) then return '${DENIED}' end\n`;

/** Throws `denied` where the script answered DENIED. */
export function refuseDenied(result: Reply, command: string, stream: string): void {
  if (Buffer.isBuffer(result) && readText(result) === DENIED) throw noPermission(command, stream);
}

/**
 * `groupFacts(stream, name, id)`: `newest` is the last ID that the stream gave; `ever` how many entries it ever had, nil
 * where Redis does not say (before 7.0, or the last entry was deleted); `claimed` has `id` if that entry is there, and is
 * empty if not. Nil where the user may not do this, or there is no stream. `name` is that of no group: one is made and
 * destroyed, since XINFO STREAM and XRANGE give the fields of entries, too, and Lua takes 0.3 s to read 100,000 of them.
 */
export const GROUP_FACTS = `
-- Whoever may not ask cannot know.
local function ask(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then return nil end
  return reply
end
local function pairsOf(flat)
  local facts = {}
  for i = 1, #flat, 2 do facts[flat[i]] = flat[i + 1] end
  return facts
end
local function groupFacts(stream, name, id)
  if not ask('XGROUP', 'DESTROY', stream, name) then return nil end
  if not ask('XGROUP', 'CREATE', stream, name, '$', 'ENTRIESREAD', 0) and not ask('XGROUP', 'CREATE', stream, name, '$') then
    return nil
  end
  local facts = {}
  for _, flat in ipairs(ask('XINFO', 'GROUPS', stream) or {}) do
    local group = pairsOf(flat)
    -- A group that has read nothing lags by all that was ever added. 0 is also said where the last entry was deleted.
    if group.name == name then
      facts.newest = group['last-delivered-id']
      if group['entries-read'] == 0 and (group.lag or 0) > 0 then facts.ever = group.lag end
    end
  end
  if id then facts.claimed = ask('XCLAIM', stream, name, name, 0, id, 'FORCE', 'JUSTID') end
  redis.call('XGROUP', 'DESTROY', stream, name)
  return facts
end`;
