/**
 * The fence: adding records so that each is in the stream once, however often
 * they are sent (docs/adr/0007). Records of a producer are numbered from 1. A
 * hash beside the stream, in its slot, keeps how far the stream has come, and
 * one script looks there, adds what is missing and moves the mark. Invariant:
 * the mark is the number of the last record that is in the stream, whatever
 * made the script stop.
 */
import type {StreamlogError} from '../errors.js';
import {countOf, type EntryFields} from '../marked-fields.js';
import {encodeName} from '../names.js';
import {writeFields} from './add-encoder.js';
import {type AddOptions, addClause} from './args.js';
import {type CommandContext, replyFailure} from './failure.js';
import {ProtocolWriter} from './protocol-writer.js';
import {type Question, question} from './question.js';
import {MOST_ARGUMENTS, type Script, script} from './scripts.js';

/**
 * KEYS: stream, fence. ARGV: number of the first record, how long the fence is
 * kept in seconds, a digest of the records or '', 'ids' to keep and answer with
 * the IDs, 'atomic' for all records or none, the first number of an earlier call
 * whose IDs need not be kept any more, each '' where not wanted; then for each
 * record how many arguments follow and those of its XADD behind the key.
 * Answers three lines: the mark, the IDs of this call's records, why it stopped.
 */
export const FENCED_ADD: Script = script(`
local stream, fence, first = KEYS[1], KEYS[2], tonumber(ARGV[1])
local digest, wantsIds, atomic, idsField = ARGV[3], ARGV[4] == 'ids', ARGV[5] == 'atomic', 'ids:' .. ARGV[1]
local kept = redis.call('HMGET', fence, 'mark', 'digest', idsField)
local mark, ids = tonumber(kept[1] or '0'), kept[3] or ''
local function answer(why) return string.format('%.0f', mark) .. '\\n' .. ids .. '\\n' .. why end
if kept[2] and kept[2] ~= digest then return answer('DIFFERENT') end
if first > mark + 1 then return answer('GAP') end
local function keep()
  redis.call('HSET', fence, 'mark', string.format('%.0f', mark), 'digest', digest)
  if wantsIds then redis.call('HSET', fence, idsField, ids) end
end
-- What can be refused is refused here, while nothing has been added. For want of memory, only the first write is.
keep()
if atomic then redis.call('XDEL', stream, '0-0') end
local isNew = atomic and redis.call('EXISTS', stream) == 0
redis.call('EXPIRE', fence, ARGV[2])
if ARGV[6] ~= '' then redis.call('HDEL', fence, 'ids:' .. ARGV[6]) end
local added, why, before = {}, '', mark
local ran, trouble = pcall(function()
  local redisCall, number, spread, arguments, last = redis.pcall, tonumber, unpack, ARGV, #ARGV
  local at, record, n = 7, first, 0
  while at <= last do
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
if #added > 0 then
  if wantsIds then ids = ids .. (ids == '' and '' or ' ') .. table.concat(added, ' ') end
  keep()
end
return answer(why)`);

/** Whose records they are, and where the fence is. */
export interface Fence {
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
}

/** What a call of the script came to. */
export interface FencedOutcome {
  /** The number of the last record of this producer that is in the stream. */
  readonly mark: number;
  /** Of the records of this call that were added by it or by an earlier try of it. */
  readonly ids: readonly string[];
  /** Why it stopped before the last record; `gap` when records before its first one are not in the stream. */
  readonly stopped?: StreamlogError | 'gap' | 'different' | 'no stream';
}

/** One call of the script, ready to be sent. */
export interface FencedBatch {
  readonly bytes: readonly Buffer[];
  /** The number of its first record. */
  readonly first: number;
  readonly records: number;
  readonly atomic: boolean;
}

const LEAD_BYTES = 512;

/** Gathers records for the next call of the script on one stream. */
export class FencedEncoder {
  readonly #stream: string;
  readonly #fence: Fence;
  readonly #writer: ProtocolWriter;
  #records = 0;
  #arguments = 0;
  #options: AddOptions | undefined;
  #clause: readonly string[] = [];

  /** `capacity`: how many bytes there is room for from the start. */
  constructor(stream: string, fence: Fence, capacity?: number) {
    this.#stream = stream;
    this.#writer = new ProtocolWriter(capacity);
    this.#fence = fence;
  }

  get records(): number {
    return this.#records;
  }

  get byteLength(): number {
    return this.#writer.length;
  }

  /** Whether Lua can pass a record with so many fields on to XADD. */
  static takes(fields: EntryFields): boolean {
    return 2 * countOf(fields) < MOST_ARGUMENTS;
  }

  add(fields: EntryFields, options: AddOptions, id: string): void {
    if (options !== this.#options) {
      this.#options = options;
      this.#clause = addClause(options);
    }
    const count = this.#clause.length + 1 + 2 * countOf(fields);
    this.#writer.number(count);
    for (const part of this.#clause) this.#writer.string(part);
    this.#writer.string(id);
    writeFields(this.#writer, fields);
    this.#arguments += count + 1;
    this.#records++;
  }

  /**
   * What has gathered since the last one. `first` is the number of its first
   * record, `forget` that of an earlier call whose outcome is known.
   */
  take(first: number, forget: number | undefined): FencedBatch {
    const {key, keepSeconds, digest, wantsIds, atomic} = this.#fence;
    const records = this.#records;
    const head = new ProtocolWriter(LEAD_BYTES);
    const parts = [first, keepSeconds, digest, wantsIds ? 'ids' : '', atomic ? 'atomic' : '', forget ?? ''];
    head.array(5 + parts.length + this.#arguments);
    for (const part of ['EVALSHA', FENCED_ADD.sha, '2', this.#stream, key]) head.string(encodeName(part));
    for (const part of parts) head.string(String(part));
    const bytes = [head.take(), this.#writer.take()];
    this.#records = 0;
    this.#arguments = 0;
    return {bytes, first, records, atomic};
  }
}

/**
 * KEYS: fence. ARGV: how long it is kept from now on, in seconds. Drops the IDs
 * that earlier calls were to be answered with, for those who ask no more: a run
 * that was killed never says so. Answers with the mark, or nil without one.
 */
const RESUME = `
redis.call('EXPIRE', KEYS[1], ARGV[1])
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 4) == 'ids:' then redis.call('HDEL', KEYS[1], field) end
end
return redis.call('HGET', KEYS[1], 'mark')`;

const LOAD = ['SCRIPT', 'LOAD', FENCED_ADD.lua];

/** For a new connection: has the server know the script; the last reply is the mark. */
export const greetFence = (key: string): Question => question(LOAD, ['HGET', key, 'mark']);

/** For a new run: the same, and nobody waits for the IDs of earlier calls any more. */
export const resumeFence = ({key, keepSeconds}: Fence): Question =>
  question(LOAD, ['EVAL', RESUME, '1', key, String(keepSeconds)]);

/** For a run that adds nothing for long. */
export const touchFence = ({key, keepSeconds}: Fence): Question => question(['EXPIRE', key, String(keepSeconds)]);

export const removeFence = (key: string): Question => question(['DEL', key]);

/** Reads the script's answer. */
export function readFencedOutcome(text: string, context: CommandContext): FencedOutcome {
  const [mark = '0', ids = '', why = ''] = text.split('\n', 3);
  const outcome = {mark: Number(mark), ids: ids === '' ? [] : ids.split(' ')};
  if (why === '') return outcome;
  if (why === 'GAP') return {...outcome, stopped: 'gap'};
  if (why === 'DIFFERENT') return {...outcome, stopped: 'different'};
  if (why === 'MISSING') return {...outcome, stopped: 'no stream'};
  return {...outcome, stopped: replyFailure(why, context)};
}
