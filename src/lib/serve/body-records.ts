/**
 * From the header and the bytes of a body to its records. Invariant: a body is
 * read to its last byte before any record of it counts, and a refusal says which
 * record is bad. The fast path and the general reader accept the same bodies.
 */
import {isUtf8} from 'node:buffer';
import type {IncomingHttpHeaders} from 'node:http';
import {BadJson, BEHIND_OBJECT} from '../input/bad-json.js';
import {isBadLine} from '../input/input-item.js';
import {NdjsonFastPath} from '../input/ndjson-fast-path.js';
import {readJsonArray, readJsonFields} from '../input/record-fields.js';
import {recordsOf} from '../input/record-reader.js';
import type {Field} from '../records/entry.js';
import {type EntryFields, FlatRecord} from '../records/raw-fields.js';
import {type BodyPosition, Refusal} from './responses.js';

export type MediaType = 'json' | 'ndjson';

const TYPES = new Map<string, MediaType>([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
  ['application/jsonl', 'ndjson'],
]);
/** The suffix of types that are JSON, such as application/cloudevents+json (RFC 6839). */
const JSON_SUFFIX = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\+json$/;
const UTF8_CHARSET = /^(?:utf-?8|"utf-?8")$/;

/** The type of a body. Throws Refusal for one that is not accepted. */
export function readMediaType(headers: IncomingHttpHeaders): MediaType {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') throw new Refusal('unsupported_encoding');
  const known = TYPES.get(headers['content-type'] ?? '');
  if (known !== undefined) return known;
  const [type, ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';');
  for (const parameter of parameters) {
    const charset = /^\s*charset\s*=\s*(.*?)\s*$/.exec(parameter)?.[1];
    if (charset !== undefined && !UTF8_CHARSET.test(charset)) throw new Refusal('unsupported_type');
  }
  const name = type?.trim() ?? '';
  const found = TYPES.get(name) ?? (JSON_SUFFIX.test(name) ? 'json' : undefined);
  if (found === undefined) throw new Refusal('unsupported_type');
  return found;
}

/** Throws Refusal for a Content-Length above `maxBytes`. */
export function checkAnnouncedLength(headers: IncomingHttpHeaders, maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw new Refusal('too_large');
}

export interface BodyRules {
  /** Of a batch. */
  readonly maxRecords: number;
  /** The text to store for null; undefined: null is refused. */
  readonly nullText?: string | undefined;
}

export interface BodyShape {
  /** One JSON object, which is answered with its ID; everything else is a batch. */
  readonly single: boolean;
  readonly records: number;
}

/** Shared, as each body is read in one go. */
const fastPath = new NdjsonFastPath();
const NEWLINE = 0x0a;
/** Shared, too: allocating a buffer for each small body would cost more than reading it. */
const line = Buffer.alloc(8 * 1024);

/** Passes each record to `writer.add`; the record is valid during the call only. Throws Refusal. */
export function readBodyRecords(
  body: Buffer,
  type: MediaType,
  rules: BodyRules,
  writer: {add(fields: EntryFields): void},
): BodyShape {
  let count = 0;
  const takeOne = (fields: EntryFields): void => {
    if (count === rules.maxRecords) throw new Refusal('too_many_records');
    if (isReserved(fields)) throw new Refusal('reserved_field', {position: {index: count}});
    count++;
    writer.add(fields);
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

/** `dlq` would take these fields for facts about a dead letter. */
const RESERVED = '_dlq_';
const RESERVED_BYTES = Buffer.from(RESERVED);

function isReserved(fields: EntryFields): boolean {
  if (!(fields instanceof FlatRecord))
    return (fields as readonly Field[]).some(([name]) => typeof name === 'string' && name.startsWith(RESERVED));
  const {bytes, offsets, fieldCount} = fields;
  for (let at = 0; at < 4 * fieldCount; at += 4) {
    const start = offsets[at]!;
    if (bytes[start] === RESERVED_BYTES[0] && RESERVED_BYTES.equals(bytes.subarray(start, start + RESERVED.length)))
      return true;
  }
  return false;
}

/** The body with the newline that the fast path needs. */
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

/** Without the hint for the command line after the semicolon. */
const badJson = (reason: string, position: {[name in keyof BodyPosition]: number | undefined}): Refusal =>
  new Refusal('bad_json', {reason: reason.split('; ')[0]!, position: position as BodyPosition});
