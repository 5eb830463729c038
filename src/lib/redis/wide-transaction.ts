/**
 * The transaction that adds what a script cannot: an entry with more fields than
 * Lua passes to a command (docs/adr/0007). The state of the producer is WATCHed
 * and read; then MULTI notes the length of the stream, adds each record by a
 * plain XADD, and moves the sequence if the stream grew by all of them
 * (redis.io/docs/latest/develop/using-commands/transactions). Invariant: whatever
 * an XADD within EXEC is refused for, the sequence is the number of the last
 * record in the stream; and no script reads a wide entry.
 */
import {encodeName} from '../records/names.js';
import {type AddOptions, xtrim} from './args.js';
import {commandBatch} from './command-batch.js';
import type {ProducerState} from './producer-state.js';
import {RespWriter} from './resp-writer.js';
import {GROUP_FACTS, MOST_ARGUMENTS} from './script.js';

/** Who may not make groups has the entry read: it is there, for it was added just now. */
const LAST_ID = `${GROUP_FACTS}
local function lastId(stream, state)
  local facts = groupFacts(stream, state)
  return facts and facts.newest or redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1][1]
end`;

/** KEYS: stream, state. Notes the ID of a wide entry among others, which was added just now. */
const NOTE_WIDE = `${LAST_ID}
local before = redis.call('HMGET', KEYS[2], 'apart')[1]
return redis.call('HSET', KEYS[2], 'apart', before .. ' ' .. lastId(KEYS[1], KEYS[2]))`;

/** KEYS: stream, state. Notes how long the stream is. */
const NOTE_LENGTH = `
local length = redis.pcall('XLEN', KEYS[1])
redis.call('HSET', KEYS[2], 'apart', '', 'length', type(length) == 'number' and length or 0,
  'new', redis.pcall('EXISTS', KEYS[1]) == 0 and '1' or '')`;

/**
 * KEYS: stream, state. ARGV: number of the first record, how many records, 'ids'
 * to keep and answer with the IDs. Answers like the script that adds once. Where
 * an XADD was refused, the entries of the others go again: no client has seen
 * them.
 */
const MOVE_SEQUENCE = `${LAST_ID}
local stream, state, first, records = KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', state, 'length', 'new', 'seen', 'mark', 'apart')
-- Entries that are not known to be ours are not touched.
if not tonumber(kept[1] or '') then return {err = 'NOPERM this user may not note the length of the stream'} end
redis.call('HSET', state, 'length', '')
local length = redis.pcall('XLEN', stream)
local grown = type(length) == 'number' and length - tonumber(kept[1]) or 0
local function collect(ids, highest, lowest, count)
  for _, entry in ipairs(redis.call('XREVRANGE', stream, highest, lowest, 'COUNT', count)) do ids[#ids + 1] = entry[1] end
end
if grown ~= records then
  if grown > 0 then
    local ids = {}
    collect(ids, '+', '-', grown)
    for _, id in ipairs(ids) do redis.call('XDEL', stream, id) end
    if kept[2] == '1' then redis.pcall('DEL', stream) end
  end
  return string.format('%.0f', first - 1) .. '\\n\\nREFUSED'
end
local sequence = string.format('%.0f', first + records - 1)
redis.call('HSET', state, 'mark', sequence)
-- From the last to the first, and none of the wide ones is read.
local last = lastId(stream, state)
local ids = {}
if ARGV[3] == 'ids' and records > 1 then
  local wide, highest = {}, '+'
  for id in string.gmatch(kept[5], '%S+') do table.insert(wide, 1, id) end
  for _, id in ipairs(wide) do
    if #ids < records then collect(ids, highest, '(' .. id, records - #ids) end
    ids[#ids + 1], highest = id, '(' .. id
  end
  if #ids < records then collect(ids, highest, '-', records - #ids) end
else
  ids[1] = last
end
redis.call('HSET', state, 'last', last, 'wide', last)
if redis.REDIS_VERSION_NUM then
  local seen = tonumber(kept[4] or '0') > 0 and tonumber(kept[3] or '0') or 0
  redis.call('HSET', state, 'seen', string.format('%.0f', math.max(seen + records, length)))
end
if ARGV[3] ~= 'ids' then return sequence .. ' ' .. last .. '\\n\\n' end
local ascending = {}
for i = #ids, 1, -1 do ascending[#ascending + 1] = ids[i] end
local text = table.concat(ascending, ' ')
redis.call('HSET', state, 'ids:' .. ARGV[1], text)
return sequence .. ' ' .. last .. '\\n' .. text .. '\\n'`;

const CR = 0x0d;
const LINE_END = 2;
const LEAD_BYTES = 1_024;
/** To what `look` of a transaction asks, and to the call of the script before it. */
export const LOOK_REPLIES = 5;

/** The commands that add what a script cannot, ready to be sent. */
export interface WideTransaction {
  /** MULTI, DISCARD, WATCH, and HMGET of the sequence. */
  readonly look: Buffer;
  /** From MULTI to EXEC. */
  readonly bytes: Buffer;
  /** How many commands are between. */
  readonly commands: number;
  /** Which of them, counted from 0, is the first XADD, */
  readonly addsAt: number;
  /** and which answers as the script does. */
  readonly answerAt: number;
}

/**
 * The transaction that adds `records` records, which `encoded` holds as the
 * script takes them: for each the number of its arguments, and these. XADD is
 * sent without its trim clause, so that the length shows whether it was executed;
 * XTRIM comes at the end.
 */
export function transactionOf(
  stream: string,
  {key, wantsIds}: ProducerState,
  {encoded, first, records, trim}: {encoded: Buffer; first: number; records: number; trim: AddOptions['trim']},
): WideTransaction {
  const name = encodeName(stream);
  const writer = new RespWriter(encoded.length + LEAD_BYTES);
  writer.command(['MULTI']);
  // What the scripts need is sent as a command too: one that is forbidden ends the transaction before it begins.
  const before = [
    ['XLEN', stream],
    ['XREVRANGE', stream, '+', '-', 'COUNT', '0'],
    ...(records > 1 ? [['XDEL', stream, '0-0']] : []),
    ['EVAL', NOTE_LENGTH, '2', stream, key],
  ];
  for (const command of before) writer.command(command);
  const note = wantsIds && records > 1 ? ['EVAL', NOTE_WIDE, '2', stream, key] : undefined;
  const answerAt = before.length + records + writeXadds(writer, encoded, name, note);
  writer.command(['EVAL', MOVE_SEQUENCE, '2', stream, key, String(first), String(records), wantsIds ? 'ids' : '']);
  if (trim !== undefined) {
    const [, ...rest] = xtrim(stream, trim);
    writer.command(['XTRIM', ...rest.map(String)]);
  }
  writer.command(['EXEC']);
  return {
    // Without MULTI, what follows it would be executed one by one: whether it is allowed is tried. DISCARD unwatches, too.
    look: commandBatch(['MULTI'], ['DISCARD'], ['WATCH', key], ['HMGET', key, 'mark']).bytes,
    bytes: writer.take(),
    addsAt: before.length,
    answerAt,
    commands: answerAt + 1 + (trim === undefined ? 0 : 1),
  };
}

/** Writes `note` behind each one that is wide, and says how often. */
function writeXadds(
  writer: RespWriter,
  encoded: Buffer,
  stream: ReturnType<typeof encodeName>,
  note: readonly string[] | undefined,
): number {
  let notes = 0;
  for (let at = 0; at < encoded.length; ) {
    const counted = stringAt(encoded, at);
    let count = Number(encoded.toString('latin1', counted.start, counted.end));
    at = counted.end + LINE_END;
    const clause: Buffer[] = [];
    // An ID never looks like one of these.
    for (;;) {
      const {start, end} = stringAt(encoded, at);
      const word = encoded.toString('latin1', start, end);
      const length = CLAUSE_PARTS[word];
      if (length === undefined) break;
      const from = at;
      for (let part = 0; part < length; part++) at = stringAt(encoded, at).end + LINE_END;
      if (word === 'NOMKSTREAM') clause.push(encoded.subarray(from, at));
      else count -= length;
    }
    const from = at;
    for (let part = clause.length; part < count; part++) at = stringAt(encoded, at).end + LINE_END;
    writer.array(count + 2);
    writer.string('XADD');
    writer.string(stream);
    for (const part of clause) writer.raw(part);
    writer.raw(encoded.subarray(from, at));
    if (note === undefined || count <= MOST_ARGUMENTS) continue;
    writer.command(note);
    notes++;
  }
  return notes;
}

/** How many arguments of XADD belong together. */
const CLAUSE_PARTS: Record<string, number | undefined> = {NOMKSTREAM: 1, MAXLEN: 3, MINID: 3, LIMIT: 2};

/** Where the string is that `$n` at `at` begins. */
function stringAt(bytes: Buffer, at: number): {start: number; end: number} {
  let length = 0;
  let next = at + 1;
  for (; bytes[next] !== CR; next++) length = 10 * length + bytes[next]! - 0x30;
  const start = next + LINE_END;
  return {start, end: start + length};
}
