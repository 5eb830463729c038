/**
 * Scripts on a pending entry of ours: leases, attempts, the count of deliveries. Invariant: they do nothing to an entry
 * that is not pending with the consumer that they were given.
 */

import type {Membership} from './args.js';
import {yesOf} from './checked-reply.js';
import {readNumber, readText} from './replies.js';
import {MOST_DELIVERIES, type RunScript, type Script, script} from './script.js';

/** Sets `count` to the deliveries of ARGV[3], or returns when it is not pending with consumer ARGV[2]. */
export const ONLY_WHILE_OURS = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)[1]
if not pending or pending[2] ~= ARGV[2] then return false end
local count = pending[4]
if count < 0 or count > ${MOST_DELIVERIES} then count = ${MOST_DELIVERIES} end
`;

/** The reply of a script for an entry that is no longer in the stream. */
const GONE = 'gone';

/**
 * XCLAIM with `options`; replies with GONE where the entry is no longer in the stream. The entry is not read to find that
 * out, which takes Lua 0.2 s for 100,000 fields: from Redis 7.0 on XCLAIM does not claim such an entry, and drops it from
 * the pending list (redis/redis#10227), so the caller has to report what became of it. Before 7.0, which has no
 * acl_check_cmd, XCLAIM claims it, and so the entry is read there.
 */
const claimOrGone = (options: string): string => `
if not redis.acl_check_cmd and #redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3]) == 0 then return '${GONE}' end
if #redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], ${options}'JUSTID') == 0 then return '${GONE}' end
return count`;

/** Starts the idle time anew without counting a delivery. ARGV: group, consumer, ID. */
const RENEW_LEASE = script(`${ONLY_WHILE_OURS}${claimOrGone('')}`);

/** Counts one more delivery and starts the idle time anew. ARGV: group, consumer, ID. */
const BEGIN_ATTEMPT = script(`${ONLY_WHILE_OURS}
if count < ${MOST_DELIVERIES} then count = count + 1 end
${claimOrGone("'RETRYCOUNT', string.format('%.0f', count), ")}`);

/** Takes back the delivery that BEGIN_ATTEMPT has counted; the idle time goes on. ARGV: group, consumer, ID. */
const UNDO_ATTEMPT = script(`${ONLY_WHILE_OURS}
if count > 1 and count < ${MOST_DELIVERIES} then count = count - 1 end
${claimOrGone("'IDLE', math.max(0, pending[3]), 'RETRYCOUNT', string.format('%.0f', count), ")}`);

/** Acknowledges an entry while it is ours: 1, or 0 when it was no longer pending. ARGV: group, consumer, ID. */
const ACKNOWLEDGE_OURS = script(`${ONLY_WHILE_OURS}
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[3])`);

/**
 * Sets the counts of deliveries of entries that are still ours, and starts their idle time anew: it undoes what XREADGROUP
 * with CLAIM has counted. Not in one script with that, since Lua copies each entry that it reads. ARGV: group, consumer,
 * then two for each entry: its ID, its count.
 */
const SET_DELIVERIES = script(`
for i = 3, #ARGV, 2 do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if pending and pending[2] == ARGV[2] then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'RETRYCOUNT', ARGV[i + 1], 'JUSTID')
  end
end
return 1`);

/** Entries in one script: some milliseconds. */
const MOST_ENTRIES = 1_000;

/** The arguments that every script on a pending entry begins with. */
export const entryArguments = ({group, consumer}: Membership, id: string): string[] => [group, consumer, id];

export function pendingEntryScripts(run: RunScript) {
  /** The script's number, or undefined where the entry is not ours. */
  const runOn = async (
    script: Script,
    member: Membership,
    id: string,
    command = 'XCLAIM',
  ): Promise<number | 'gone' | undefined> => {
    const about = {command, stream: member.stream, group: member.group};
    const reply = await run(script, [member.stream], entryArguments(member, id), about);
    if (reply === null) return undefined;
    return Buffer.isBuffer(reply) && readText(reply) === GONE ? 'gone' : readNumber(reply);
  };

  return {
    /**
     * Starts the idle time of our pending entries anew: returns those of `ids` that are no longer ours, and those that are
     * no longer in the stream; these are not pending any more, from Redis 7.0 on.
     */
    async renewLeases(member: Membership, ids: readonly string[]): Promise<{missing: string[]; gone: string[]}> {
      const counts = await Promise.all(ids.map((id) => runOn(RENEW_LEASE, member, id)));
      return {
        missing: ids.filter((_, index) => counts[index] === undefined),
        gone: ids.filter((_, index) => counts[index] === 'gone'),
      };
    },

    /**
     * Counts one more delivery of our pending entry: the new count, undefined when it is no longer ours, `gone` when it is
     * no longer in the stream; then it is not pending any more, from Redis 7.0 on.
     */
    beginAttempt: (member: Membership, id: string): Promise<number | 'gone' | undefined> =>
      runOn(BEGIN_ATTEMPT, member, id),

    /** Takes one delivery back that `beginAttempt` has counted; answers as that does. */
    undoAttempt: (member: Membership, id: string): Promise<number | 'gone' | undefined> =>
      runOn(UNDO_ATTEMPT, member, id),

    /** Acknowledges our pending entry; false when it is no longer ours. */
    async acknowledgeOurs(member: Membership, id: string): Promise<boolean> {
      const result = await runOn(ACKNOWLEDGE_OURS, member, id, 'XACK');
      return result !== undefined && yesOf(result);
    },

    /** Sets the counts of deliveries of those of `entries` that are ours, and starts their idle time anew. */
    async setDeliveries(
      {stream, group, consumer}: Membership,
      entries: readonly {id: string; deliveries: number}[],
    ): Promise<void> {
      const about = {command: 'XCLAIM', stream, group};
      for (let at = 0; at < entries.length; at += MOST_ENTRIES) {
        const counts = entries.slice(at, at + MOST_ENTRIES).flatMap(({id, deliveries}) => {
          const count = deliveries < 0 ? MOST_DELIVERIES : Math.min(deliveries, MOST_DELIVERIES);
          return [id, String(count)];
        });
        await run(SET_DELIVERIES, [stream], [group, consumer, ...counts], about);
      }
    },
  };
}
