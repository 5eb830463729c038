/**
 * Scripts on pending entries that a person or a record names: claim, acknowledge, give back. Invariant: an entry that is
 * no longer as it was named is left as it is, and the answer says so.
 */

import {GIVEN_BACK_IDLE_MS} from '../records/pending-entry.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {Membership} from './args.js';
import {exactly, notRedis, wordOf} from './checked-reply.js';
import {readText, readTexts} from './replies.js';
import {MOST_DELIVERIES, type RunScript, script} from './script.js';

/** A pending entry, as far as is known; where that has changed since, another consumer may be at work on it. */
export interface NamedEntry {
  readonly id: string;
  /** Who had it. */
  readonly consumer?: string;
  readonly deliveries?: number;
  readonly idleMs?: number;
}

/** What became of an entry that was to be claimed, who had it before, and how often it has been delivered. */
export interface ClaimOutcome {
  state: 'claimed' | 'not pending' | 'with another' | 'delivered again' | 'not idle' | 'gone';
  consumer: string;
  deliveries: number;
}

export type AcknowledgeOutcome = 'acknowledged' | 'not pending' | 'with another';
export type GiveBackOutcome = 'given back' | 'not pending' | 'with another' | 'delivered again' | 'gone';

const CLAIM_STATES: Record<string, ClaimOutcome['state']> = {
  claimed: 'claimed',
  missing: 'not pending',
  other: 'with another',
  again: 'delivered again',
  busy: 'not idle',
  gone: 'gone',
};

const ACKNOWLEDGE_OUTCOMES: Record<string, AcknowledgeOutcome> = {
  acknowledged: 'acknowledged',
  missing: 'not pending',
  other: 'with another',
};

const GIVE_BACK_OUTCOMES: Record<string, GiveBackOutcome> = {
  xnack: 'given back',
  xclaim: 'given back',
  missing: 'not pending',
  other: 'with another',
  again: 'delivered again',
  gone: 'gone',
};

/**
 * `pendingOf(id)` for up to `most` IDs between `lowest` and `highest`: IDs that lie close together, as those that another
 * command has listed, are asked for at once, and the others one by one.
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
 * Sets `pending`, `owner` and `count` of entry `id`, as `pendingOf` has it, and `refused` to 'missing', to 'other' when its
 * consumer is not `expected` ('' or '=NAME'), or to 'again' when it was delivered more often than `deliveries` ('' or a
 * number) or has been idle for less than `idle`: the record that names it may be old.
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
 * Claims entries that are still as they were named, and counts a delivery of each. ARGV: group, the consumer that gets
 * them, idle time in milliseconds, '1' for a dry run, the lowest and the highest ID, then four for each: its ID, its
 * consumer, its deliveries, its idle time, as above. Replies with three items for each: 'claimed', 'busy', 'gone', or as
 * above; its consumer before; its deliveries now.
 */
const CLAIM_NAMED = script(`
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
 * Acknowledges entries that are still with the consumer that was named. ARGV: group, the lowest and the highest ID, then two
 * for each: its ID, its consumer as above. Replies with one item for each: 'acknowledged', 'missing' or 'other'.
 */
const ACKNOWLEDGE_NAMED = script(`
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
 * Gives an entry back, so that the next claim takes it; its count of deliveries stays. ARGV: group, its consumer as above,
 * ID, the sum of its delivery time and the time of now (see sumOfGivenBack) where the server has no XNACK, '1' to try
 * XNACK, its deliveries as above, and the time for a user who may not run TIME. Replies with 'xnack', 'xclaim', 'gone', or
 * as above.
 */
const NACK = script(`
local id, expected, deliveries, idle = ARGV[3], ARGV[2], ARGV[6], ''
local function pendingOf(id) return redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1)[1] end
${STILL_AS_NAMED}
if refused then return refused end
-- With no consumer: it was given back before. A consumer may have the empty name, too.
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

/** The lowest and the highest ID. */
function idBounds(named: readonly NamedEntry[]): [string, string] {
  const ids = named.map(({id}) => id).sort(compareStreamIds);
  return [ids[0]!, ids.at(-1)!];
}

const ownerArgument = ({consumer}: NamedEntry): string => (consumer === undefined ? '' : `=${consumer}`);
const optionalNumber = (value: number | undefined): string => (value === undefined ? '' : String(value));

export function namedEntryScripts(run: RunScript) {
  /** Until the server has shown that it does not. */
  let mayKnowXnack = true;

  return {
    /**
     * Claims those of `named` for `member` that are still as they are named and have been idle for `minIdleMs`, and counts
     * a delivery of each; with `dryRun` only looks. What became of each, in their order, at most 500 at a time.
     */
    async claimNamed(
      {stream, group, consumer}: Membership,
      named: readonly NamedEntry[],
      {minIdleMs, dryRun}: {minIdleMs: number; dryRun: boolean},
    ): Promise<ClaimOutcome[]> {
      if (named.length === 0) return [];
      const argv = [group, consumer, String(minIdleMs), dryRun ? '1' : '0', ...idBounds(named)];
      for (const one of named) {
        argv.push(one.id, ownerArgument(one), ...[one.deliveries, one.idleMs].map(optionalNumber));
      }
      const texts = readTexts(await run(CLAIM_NAMED, [stream], argv, {command: 'XCLAIM', stream, group}));
      if (texts.length !== 3 * named.length) throw notRedis();
      return named.map((_, at) => ({
        state: wordOf(CLAIM_STATES, texts[3 * at]!),
        consumer: texts[3 * at + 1]!,
        deliveries: Number(texts[3 * at + 2]),
      }));
    },

    /** Acknowledges those of `named` that are still with their consumers: what became of each, at most 500 at a time. */
    async acknowledgeNamed(
      {stream, group}: {stream: string; group: string},
      named: readonly NamedEntry[],
    ): Promise<AcknowledgeOutcome[]> {
      if (named.length === 0) return [];
      const argv = [group, ...idBounds(named), ...named.flatMap((one) => [one.id, ownerArgument(one)])];
      const states = readTexts(await run(ACKNOWLEDGE_NAMED, [stream], argv, {command: 'XACK', stream, group}));
      return exactly(named.length, states).map((state) => wordOf(ACKNOWLEDGE_OUTCOMES, state));
    },

    /**
     * Gives a pending entry back, so that the next claim of any consumer takes it; its count of deliveries stays. Only
     * while it is as it is named. With XNACK where the server has it.
     */
    async giveBack({stream, group}: {stream: string; group: string}, named: NamedEntry): Promise<GiveBackOutcome> {
      const given = [String(sumOfGivenBack()), mayKnowXnack ? '1' : '0'];
      const deliveries = optionalNumber(named.deliveries);
      const argv = [group, ownerArgument(named), named.id, ...given, deliveries, String(Date.now())];
      const result = readText(await run(NACK, [stream], argv, {command: 'XCLAIM', stream, group}));
      if (result === 'xclaim') mayKnowXnack = false;
      return wordOf(GIVE_BACK_OUTCOMES, result);
    },
  };
}

/** 2026. Redis takes no delivery time before 1970, which is reached some 46 years later. */
const SINCE_MS = Date.UTC(2026, 0, 1);

let given = 0;

/**
 * The delivery time of an entry that is given back, and the time of the server when that is done, both in Unix
 * milliseconds, add up to this. What is given back later thus looks older than what was given back before: from Redis 8.4
 * on (redis/redis#14402) pending entries are kept in the order of their delivery times, and XCLAIM with a time in the past finds its place
 * from the newest on (16 ms where 300,000 are pending), except for what is older than all the rest. By the server's clock
 * when the script runs, as by ours an entry that waited behind a slow command would not be old enough any more.
 */
export function sumOfGivenBack(): number {
  return 2 * SINCE_MS - GIVEN_BACK_IDLE_MS - ++given;
}
