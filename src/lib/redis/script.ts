/**
 * Lua scripts: for what must be looked at and changed in one step, since a pending entry may change hands at any moment.
 * They need Redis 6.2 or Valkey. Invariants: a script works on a bounded number of entries; what can be refused is its
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
