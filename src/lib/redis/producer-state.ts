/**
 * The fence: adding records so that each is in the stream once, however often
 * they are sent (docs/adr/0007). Records of a producer are numbered from 1. A
 * hash beside the stream, in its slot, keeps how far the stream has come, and
 * one script looks there, adds what is missing and moves the mark. Invariant:
 * the mark is the number of the last record that is in the stream, whatever
 * made the script stop.
 */
import type {StreamlogError} from '../errors.js';
import {encodeName} from '../records/names.js';
import {countOf, type EntryFields} from '../records/raw-fields.js';
import {isEntryId} from '../records/stream-id.js';
import {writeFields} from './add-encoder.js';
import {type AddOptions, addClause} from './args.js';
import {type CommandBatch, commandBatch} from './command-batch.js';
import {GROUP_FACTS} from './group-facts.js';
import {RespWriter} from './resp-writer.js';
import {MOST_ARGUMENTS, type Script, script} from './script.js';
import {type CommandContext, replyFailure} from './server-errors.js';
import {transactionOf, type WideTransaction} from './wide-transaction.js';

/** What the scripts know about the state of a producer: whether what it says was added can be true of this stream. */
const STREAM_CHECK = `${GROUP_FACTS}
local function below(a, b)
  local function ordered(id)
    local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
    return string.rep('0', 20 - #ms) .. ms .. string.rep('0', 20 - #sequence) .. sequence
  end
  return ordered(a) < ordered(b)
end
-- Asked before anything is written: what cannot expire would stay for ever. Before Redis 7.0 there is no way to ask.
local function mayNotExpire(fence, seconds)
  if not redis.acl_check_cmd or redis.acl_check_cmd('EXPIRE', fence, seconds) then return nil end
  return {err = "NOPERM this user has no permissions to run the 'expire' command"}
end
local function streamFacts(stream)
  local facts = pairsOf(ask('XINFO', 'STREAM', stream) or {})
  return {newest = facts['last-generated-id'], ever = facts['entries-added'], deleted = facts['max-deleted-entry-id']}
end
-- Deleted, or deleted and begun anew: its entries cannot be those among which the entry 'last' was.
-- 'seen': at least so many had been added then. What was only trimmed away, or deleted one by one, was added.
-- 'wide': the last entry too wide to be read here, if this producer has added one. Whoever may not ask cannot know:
-- then the stream passes for the one that it was.
local function isGone(stream, fence, last, seen, wide)
  local found, facts
  if wide == last then
    facts = groupFacts(stream, fence, last)
    found = facts and facts.claimed
  else
    found = ask('XRANGE', stream, last, last, 'COUNT', 1)
  end
  if not found or #found > 0 then return false end
  if wide then facts = facts or groupFacts(stream, fence) or {} else facts = streamFacts(stream) end
  if facts.newest and below(facts.newest, last) then return true end
  if not facts.ever or not seen then return false end
  local older = not wide and ask('XRANGE', stream, '-', last, 'COUNT', 1)
  return facts.ever - (ask('XLEN', stream) or 0) < (older and #older == 0 and seen or 1)
end
-- Whether the entry 'last' cannot have been added to this stream, or was taken back by a failover. One that was trimmed or
-- deleted was added: a server that never had it knows of neither. Before Redis 7.0 nothing is known of what was deleted.
-- Nothing says whether it is wide, but this is asked only where the state is missing.
local function lacks(stream, fence, last)
  if ask('EXISTS', stream) == 0 then return true end
  local facts = groupFacts(stream, fence, last)
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
 * KEYS: stream, fence. ARGV: number of the first record, how long the fence is
 * kept in seconds, a digest of the records or '', 'ids' to keep and answer with
 * the IDs, 'atomic' for all records or none, the first number of an earlier call
 * whose IDs need not be kept any more, 'again' to add everything again where the
 * stream is gone, each '' where not wanted; then for each record how many
 * arguments follow and those of its XADD behind the key. Answers three lines:
 * the mark and behind it the ID of the record with that number, where there is
 * one; the IDs of this call's records (ID+n for n of them, each with the
 * sequence number after the one before); why it stopped. What is kept besides
 * the mark: the ID of the last record, and how many entries the stream had had
 * by then at least, where the server counts them too (Redis 7.0); and the last
 * one that a transaction added (`wide`).
 */
export const IDEMPOTENT_ADD: Script = script(`${STREAM_CHECK}
local stream, fence, first = KEYS[1], KEYS[2], tonumber(ARGV[1])
local digest, wantsIds, atomic, idsField = ARGV[3], ARGV[4] == 'ids', ARGV[5] == 'atomic', 'ids:' .. ARGV[1]
local kept = redis.pcall('HMGET', fence, 'mark', 'digest', idsField, 'last', 'seen', 'wide')
if kept.err then return {err = string.find(kept.err, 'WRONGTYPE', 1, true) and 'STATETYPE' or kept.err} end
local mark, ids, last, seen = tonumber(kept[1] or '0'), kept[3] or '', kept[4] or '', tonumber(kept[5] or '0')
local function answer(why)
  return string.format('%.0f', mark) .. (last == '' and '' or ' ' .. last) .. '\\n' .. ids .. '\\n' .. why
end
if kept[2] and kept[2] ~= digest then return answer('DIFFERENT') end
if mark > 0 then
  local gone = ask('EXISTS', stream) == 0
  -- What is not sent again has to be there, and so has what was added before.
  if not gone and last ~= '' then gone = isGone(stream, fence, last, kept[5] and seen, kept[6]) end
  if gone and ARGV[7] ~= 'again' then return answer('VANISHED') end
  if gone then mark, ids, last, seen = 0, '', '', 0 end
end
if first > mark + 1 then return answer('GAP') end
local function keep()
  redis.call('HSET', fence, 'mark', string.format('%.0f', mark), 'digest', digest)
  if last ~= '' then redis.call('HSET', fence, 'last', last) end
  if redis.REDIS_VERSION_NUM and seen > 0 then redis.call('HSET', fence, 'seen', string.format('%.0f', seen)) end
  if wantsIds then redis.call('HSET', fence, idsField, ids) end
end
local refusal = mayNotExpire(fence, ARGV[2])
if refusal then return refusal end
-- What can be refused is refused here, while nothing has been added. For want of memory, only the first write is.
keep()
local expiring = redis.pcall('EXPIRE', fence, ARGV[2])
if type(expiring) == 'table' and expiring.err then
  if not kept[1] then redis.pcall('DEL', fence) end
  return expiring
end
if atomic then redis.call('XDEL', stream, '0-0') end
local isNew = atomic and redis.call('EXISTS', stream) == 0
if ARGV[6] ~= '' then redis.pcall('HDEL', fence, 'ids:' .. ARGV[6]) end
local added, why, before = {}, '', mark
local ran, trouble = pcall(function()
  local redisCall, number, spread, arguments, count = redis.pcall, tonumber, unpack, ARGV, #ARGV
  local at, record, n = 8, first, 0
  while at <= count do
    local rest = at + number(arguments[at])
    if record > mark then
      local id = redisCall('XADD', stream, spread(arguments, at + 1, rest))
      if not id then why = 'MISSING' return end
      if id.err then why = id.err return end
      n = n + 1
      added[n], mark = id, record
    end
    at, record = rest + 1, record + 1
  end
end)
if not ran then why = 'ERR ' .. tostring(trouble) end
if why ~= '' and atomic then
  for _, id in ipairs(added) do redis.call('XDEL', stream, id) end
  if isNew then redis.pcall('DEL', stream) end
  added, mark = {}, before
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

/** Whose records they are, and where the fence is. */
export interface ProducerState {
  /** The hash, in the slot of the stream. */
  readonly key: string;
  /** How long the fence stays without being used, in seconds. */
  readonly keepSeconds: number;
  /** Tells these records from others that come under the same key; '' where nobody mixes them up. */
  readonly digest: string;
  /** Whether outcomes have IDs. */
  readonly wantsIds: boolean;
  /** All records of a call, or none. */
  readonly atomic: boolean;
  /** Whether records that were in a stream which is gone are added again; else the call stops. */
  readonly againWhenGone?: boolean;
}

/** What a call of the script came to. */
export interface IdempotentResult {
  /** The number of the last record of this producer that is in the stream. */
  readonly lastSequence: number;
  /** Of the records of this call that were added by it or by an earlier try of it. */
  readonly ids: readonly string[];
  /**
   * Why it stopped before the last record; `gap` when records before its first one are not in the stream,
   * `gone` when the stream was deleted, or deleted and begun anew, since records of this producer were added.
   */
  readonly stopped?: StreamlogError | 'gap' | 'gone' | 'different' | 'no stream';
}

/** One call of the script, ready to be sent. */
export interface IdempotentCall {
  readonly bytes: readonly Buffer[];
  /** The number of its first record. */
  readonly first: number;
  readonly records: number;
  readonly atomic: boolean;
  /** Where the script cannot add the records: the call of it has none, and this adds them. */
  readonly transaction?: WideTransaction;
}

/** Of the memory that a call takes. */
export const bytesOf = ({bytes, transaction}: IdempotentCall): number =>
  bytes.reduce((sum, part) => sum + part.length, 0) + (transaction?.bytes.length ?? 0);

const LEAD_BYTES = 512;

/** Gathers records for the next call of the script on one stream. */
export class IdempotentEncoder {
  readonly #stream: string;
  readonly #state: ProducerState;
  readonly #writer: RespWriter;
  #records = 0;
  #isWide = false;
  #arguments = 0;
  #options: AddOptions | undefined;
  #clause: readonly string[] = [];

  /** `capacity`: how many bytes there is room for from the start. */
  constructor(stream: string, state: ProducerState, capacity?: number) {
    this.#stream = stream;
    this.#writer = new RespWriter(capacity);
    this.#state = state;
  }

  get records(): number {
    return this.#records;
  }

  get byteLength(): number {
    return this.#writer.length;
  }

  /** How many fields of a record Lua can pass on to XADD. A call with a record of more is a transaction: all of it is added, or nothing. */
  static readonly mostFields = MOST_ARGUMENTS / 2 - 1;

  add(fields: EntryFields, options: AddOptions, id: string): void {
    if (options !== this.#options) {
      this.#options = options;
      this.#clause = addClause(options);
    }
    const fieldCount = countOf(fields);
    const count = this.#clause.length + 1 + 2 * fieldCount;
    this.#writer.number(count);
    for (const part of this.#clause) this.#writer.string(part);
    this.#writer.string(id);
    writeFields(this.#writer, fields);
    this.#arguments += count + 1;
    this.#records++;
    if (fieldCount > IdempotentEncoder.mostFields) this.#isWide = true;
  }

  /**
   * What has gathered since the last one. `first` is the number of its first
   * record, `forget` that of an earlier call whose outcome is known.
   */
  take(first: number, forget: number | undefined): IdempotentCall {
    const {key, keepSeconds, digest, wantsIds, atomic, againWhenGone = false} = this.#state;
    const records = this.#records;
    const head = new RespWriter(LEAD_BYTES);
    const flags = [wantsIds ? 'ids' : '', atomic ? 'atomic' : ''];
    const parts = [first, keepSeconds, digest, ...flags, forget ?? '', againWhenGone ? 'again' : ''];
    head.array(5 + parts.length + (this.#isWide ? 0 : this.#arguments));
    for (const part of ['EVALSHA', IDEMPOTENT_ADD.sha, '2', this.#stream, key]) head.string(encodeName(part));
    for (const part of parts) head.string(String(part));
    const encoded = this.#writer.take();
    const isWide = this.#isWide;
    this.#records = 0;
    this.#arguments = 0;
    this.#isWide = false;
    if (!isWide) return {bytes: [head.take(), encoded], first, records, atomic};
    const trim = this.#options?.trim;
    const transaction = transactionOf(this.#stream, this.#state, {encoded, first, records, trim});
    return {bytes: [head.take()], first, records, atomic, transaction};
  }
}

/** What is answered in place of the mark when the stream is gone, */
export const GONE = -1;
/** and when nothing is known of the producer, though the stream has the last record that it added: its state was evicted, or has expired. */
export const FORGOTTEN = -2;

/**
 * KEYS: stream, fence. ARGV: how long the fence is kept from now on, in seconds; the
 * ID of the last record that the producer knows to be added, '' where it knows none.
 * Drops the IDs that earlier calls were to be answered with, for those who ask
 * no more: a run that was killed never says so. Answers with the mark, nil
 * without one, GONE or FORGOTTEN. It learns how many entries the stream had
 * besides ours, so that one that begins anew is told from one that was trimmed.
 */
const RESUME = `${STREAM_CHECK}
local stream, fence = KEYS[1], KEYS[2]
local kept = redis.call('HMGET', fence, 'mark', 'last', 'seen', 'wide')
local seen = tonumber(kept[3] or '0')
if tonumber(kept[1] or '0') > 0 then
  if ask('EXISTS', stream) == 0 or kept[2] and isGone(stream, fence, kept[2], kept[3] and seen, kept[4]) then return ${GONE} end
end
if not kept[1] and ARGV[2] ~= '' and not lacks(stream, fence, ARGV[2]) then return ${FORGOTTEN} end
local refusal = mayNotExpire(fence, ARGV[1])
if refusal then return refusal end
redis.call('EXPIRE', fence, ARGV[1])
for _, field in ipairs(redis.call('HKEYS', fence)) do
  if string.sub(field, 1, 4) == 'ids:' then redis.pcall('HDEL', fence, field) end
end
if kept[3] then
  local facts = groupFacts(stream, fence) or {}
  local ever = facts.ever or not kept[4] and streamFacts(stream).ever or 0
  if ever > seen then redis.call('HSET', fence, 'seen', string.format('%.0f', ever)) end
end
return kept[1]`;

/** KEYS and the second of ARGV as for RESUME. Answers with the mark, nil without one, or FORGOTTEN. */
const GREET = `${STREAM_CHECK}
local mark = redis.call('HMGET', KEYS[2], 'mark')[1]
if not mark and not lacks(KEYS[1], KEYS[2], ARGV[1]) then return ${FORGOTTEN} end
return mark`;

const LOAD = ['SCRIPT', 'LOAD', IDEMPOTENT_ADD.lua];

/** For a new connection, with the last ID that is known: has the server know the script; the last reply is the mark, or FORGOTTEN. */
export const loadScript = (stream: string, key: string, lastId: string | undefined): CommandBatch =>
  commandBatch(LOAD, lastId === undefined ? ['HMGET', key, 'mark'] : ['EVAL', GREET, '2', stream, key, lastId]);

/** For a new run: the same, or GONE, and nobody waits for the IDs of earlier calls any more. */
export const readSequence = (stream: string, {key, keepSeconds}: ProducerState, lastId = ''): CommandBatch =>
  commandBatch(LOAD, ['EVAL', RESUME, '2', stream, key, String(keepSeconds), lastId]);

/** For a run that adds nothing for long. */
export const refreshTtl = ({key, keepSeconds}: ProducerState): CommandBatch =>
  commandBatch(['EXPIRE', key, String(keepSeconds)]);

export const removeState = (key: string): CommandBatch => commandBatch(['DEL', key]);

/** Reads the script's answer. Throws where it is none, as a server that is no Redis may send. */
export function readIdempotentResult(text: string, context: CommandContext): IdempotentResult {
  const [, lastSequence = '', ids = '', why = ''] = ANSWER.exec(text) ?? protocolError();
  const outcome = {lastSequence: Number(lastSequence), ids: ids === '' ? [] : ids.split(' ').flatMap(expandRun)};
  if (why === '') return outcome;
  const stopped = STOPPED[why] ?? replyFailure(why, context);
  return {...outcome, stopped};
}

/** The ID of the last record that is in the stream, as such an answer has it; undefined where there is none. */
export function readLastId(text: string): string | undefined {
  const [, id] = /^\d{1,16} ([^\n]*)\n/.exec(text) ?? [];
  if (id !== undefined && !isEntryId(id)) protocolError();
  return id;
}

const ANSWER = /^(\d{1,16})(?: [^\n]*)?\n([^\n]*)\n(.*)$/s;
const STOPPED: Record<string, Exclude<IdempotentResult['stopped'], StreamlogError>> = {
  GAP: 'gap',
  DIFFERENT: 'different',
  MISSING: 'no stream',
  VANISHED: 'gone',
};
/** More than one call ever adds: above it, a number is not one of ours. */
const MOST_IN_RUN = 10_000_000;

/** `5-7+2` → `5-7`, `5-8`. */
function expandRun(run: string): string[] {
  const [id = '', count] = run.split('+', 2);
  if (!isEntryId(id)) protocolError();
  if (count === undefined) return [id];
  const dash = id.indexOf('-');
  const first = Number(id.slice(dash + 1));
  const length = Number(count);
  if (!/^\d+$/.test(count) || length > MOST_IN_RUN || !Number.isSafeInteger(first + length)) protocolError();
  return Array.from({length}, (_, at) => `${id.slice(0, dash)}-${first + at}`);
}

function protocolError(): never {
  throw new Error('Protocol error: no answer of the script that adds once');
}
