/**
 * A body → the records in it. Invariant: when a record is bad, the refusal says
 * which one; whoever takes records must not have acted on those before it. A
 * body is read to its last byte: what the fast reader takes, the general one
 * takes with the same records, and whatever is behind them is refused by both.
 */
import {isUtf8} from 'node:buffer';
import {BadJson, BEHIND_OBJECT} from '../input/json-members.js';
import {NdjsonFastPath} from '../input/ndjson-fast-path.js';
import {readJsonArray, readJsonFields} from '../input/record-fields.js';
import {FlatRecord, isBadLine, recordsOf} from '../input/record-reader.js';
import type {Field} from '../records/entry.js';
import type {EntryFields} from '../records/raw-fields.js';
import type {MediaType} from './body.js';
import {type BodyPosition, Refusal} from './responses.js';

/** `single` is a JSON object, which is answered with its ID; all else is a batch. */
export interface BodyShape {
  readonly single: boolean;
  readonly records: number;
}

/** Whoever takes records. */
export interface RecordTaker {
  add(fields: EntryFields): void;
}

/** One is enough, as a body is read in one go. */
const fastPath = new NdjsonFastPath();
const NEWLINE = 0x0a;
/** Where the usual body becomes a line: a buffer for each would cost more than reading it. */
const line = Buffer.alloc(8 * 1024);

export interface BodyRules {
  /** In one batch. */
  readonly maxRecords: number;
  /** The text to store for null; without it null is refused. */
  readonly nullText?: string | undefined;
}

/** Gives each record to `taker`; its argument is valid during the call only. Throws Refusal, and whatever `taker` throws. */
export function readBodyRecords(body: Buffer, type: MediaType, rules: BodyRules, callback: RecordTaker): BodyShape {
  let count = 0;
  const takeOne = (fields: EntryFields): void => {
    if (count === rules.maxRecords) throw new Refusal('too_many_records');
    if (isReserved(fields)) throw new Refusal('reserved_field', {place: {index: count}});
    count++;
    callback.add(fields);
  };
  if (type === 'ndjson') readNdjson(body, rules, takeOne);
  else if (readJson(body, rules, takeOne)) return {single: true, records: 1};
  if (count === 0) throw new Refusal('no_records');
  return {single: false, records: count};
}

/** True for one object, false for an array. */
function readJson(body: Buffer, rules: BodyRules, take: (fields: EntryFields) => void): boolean {
  if (!isUtf8(body)) throw new Refusal('bad_json', {reason: 'the body is not valid UTF-8'});
  if (fastPath.scanDocument(asLine(body), body.length)) {
    take(fastPath.record);
    return true;
  }
  const text = body.toString('utf8').replace(/^\ufeff/, '');
  const {nullText} = rules;
  let index: number | undefined;
  try {
    if (!/^[ \t\r\n]*\[/.test(text)) {
      take(readJsonFields(text, {nullText}));
      return true;
    }
    index = 0;
    const takeNext = (fields: EntryFields): void => {
      take(fields);
      index!++;
    };
    readJsonArray(text, takeNext, {nullText});
    return false;
  } catch (error) {
    throw refusalOf(error, text, index);
  }
}

/** What a dead letter says of itself would be believed of these. */
const RESERVED = Buffer.from('_dlq_');

function isReserved(fields: EntryFields): boolean {
  if (!(fields instanceof FlatRecord))
    return (fields as readonly Field[]).some(([name]) => typeof name === 'string' && name.startsWith('_dlq_'));
  const {bytes, offsets: marks, fieldCount} = fields;
  for (let lastSequence = 0; lastSequence < 4 * fieldCount; lastSequence += 4) {
    const start = marks[lastSequence]!;
    if (bytes[start] === RESERVED[0] && RESERVED.equals(bytes.subarray(start, start + RESERVED.length))) return true;
  }
  return false;
}

/** With the newline that the scanner needs. */
function asLine(body: Buffer): Buffer {
  if (body.length >= line.length) return Buffer.concat([body, Buffer.of(NEWLINE)]);
  line.set(body);
  line[body.length] = NEWLINE;
  return line;
}

function readNdjson(body: Buffer, {nullText}: BodyRules, take: (fields: EntryFields) => void): void {
  const page = recordsOf(body, {kind: 'ndjson', field: '', nullText, maxRecordBytes: body.length}, fastPath);
  let index = 0;
  for (let item = page.next(); item !== undefined; item = page.next()) {
    if (isBadLine(item)) throw badJson(item.reason, {index, line: item.line, column: item.column});
    take(item instanceof FlatRecord ? item : item.fields);
    index++;
  }
}

function refusalOf(error: unknown, text: string, index?: number): unknown {
  if (!(error instanceof BadJson)) return error;
  const before = text.slice(0, error.column - 1);
  const line = before.split('\n').length;
  const reason = error.message.startsWith(BEHIND_OBJECT) ? NOT_NDJSON : error.message;
  return badJson(reason, {index, line, column: error.column - 1 - before.lastIndexOf('\n')});
}

const NOT_NDJSON = 'a JSON body is one object or one array, and records on lines of their own are application/x-ndjson';

/** What stands behind a semicolon is advice for the command line. */
const badJson = (reason: string, place: {[name in keyof BodyPosition]: number | undefined}): Refusal =>
  new Refusal('bad_json', {reason: reason.split('; ')[0]!, place: place as BodyPosition});
