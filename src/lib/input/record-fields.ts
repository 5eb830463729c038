/**
 * From what a line, an argument or an HTTP body says to the fields of an entry.
 * Invariant: every field that leaves here can be stored and read back exactly.
 */
import {type Bytes, decodeBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {parseStreamId} from '../records/stream-id.js';
import {BadJson, HALF_PAIR} from './bad-json.js';
import {type Member, readMembers, readMembersOf, readObjects} from './json-members.js';

/** What an input record says; `stream`, `group` and `id` only when it is one that streamlog printed. */
export interface InputRecord {
  readonly fields: readonly Field[];
  readonly id?: string;
}

export interface FieldRules {
  /** The text to store for null; without it null is refused, since Redis has none. */
  nullText?: string;
}

/** A JSON object, `{"type":"login","user":7}` → fields in its order. Throws BadJson. */
export function readJsonFields(json: string, rules: FieldRules = {}): Field[] {
  return nonEmpty(readMembers(json).map((member): Field => [member.key, storedText(member, rules)]));
}

/**
 * A JSON array of objects → the fields of each, given to `take` in their order.
 * Throws BadJson, and whatever `take` throws.
 */
export function readJsonArray(json: string, take: (fields: Field[]) => void, rules: FieldRules = {}): void {
  readObjects(json, (members, column) => {
    take(
      nonEmpty(
        members.map((member): Field => [member.key, storedText(member, rules)]),
        column,
      ),
    );
  });
}

/** A record as `recordToJson` writes it: with `fields` or `pairs`, and perhaps an ID. Throws BadJson. */
export function readRecord(json: string, rules: FieldRules = {}): InputRecord {
  return recordOf(membersByKey(json), json, rules);
}

/** The same of a line of an export, undefined for a line of it that is no entry. Throws BadJson. */
export function readExportedRecord(json: string, rules: FieldRules = {}): InputRecord | undefined {
  const members = membersByKey(json);
  return isNoEntry((key) => members.get(key)) ? undefined : recordOf(members, json, rules);
}

/** Whether a line of an export is none of an entry that is in the stream: a header, a trailer, a hash, or what is pending and gone. */
export function isNoEntry(memberOf: (key: string) => Member | undefined): boolean {
  const kind = memberOf('streamlog');
  if (kind?.kind === 'string' && /^(export|hash|end)$/.test(kind.text)) return true;
  return memberOf('gone')?.kind === 'true' && memberOf('fields') === undefined && memberOf('pairs') === undefined;
}

const membersByKey = (json: string): Map<string, Member> =>
  new Map(readMembers(json).map((member) => [member.key, member]));

const recordOf = (members: ReadonlyMap<string, Member>, json: string, rules: FieldRules): InputRecord => ({
  fields: fieldsOf(members, json, rules),
  id: readId(members.get('id')),
});

/** The fields of such a record, whose `members` are those of `json`. Throws BadJson. */
export function fieldsOf(members: ReadonlyMap<string, Member>, json: string, rules: FieldRules = {}): readonly Field[] {
  const pairs = members.get('pairs');
  const object = members.get('fields');
  if (pairs !== undefined && pairs.kind === 'nested') return readPairs(pairs);
  if (object === undefined || !object.text.startsWith('{') || object.kind !== 'nested') {
    throw new BadJson('a record has "fields":{…} or "pairs":[…]; is this --input ndjson?', object?.column ?? 1);
  }
  const fields = readMembersOf(object, json).map(
    (member): Field => [member.key, bytesOf(member) ?? storedText(member, rules)],
  );
  return nonEmpty(fields, object.column);
}

function readPairs({text, column}: Member): readonly Field[] {
  const pairs: unknown = JSON.parse(text);
  const badPairs = (): BadJson => new BadJson('"pairs" is a list of ["field","value"]', column);
  if (!Array.isArray(pairs)) throw badPairs();
  const bytes = (value: unknown): Bytes => {
    if (typeof value !== 'string') {
      const decoded = decodeBase64(value);
      if (decoded === undefined) throw badPairs();
      return decoded;
    }
    if (!value.isWellFormed()) throw new BadJson(HALF_PAIR, column);
    return value;
  };
  const fields = pairs.map((pair: unknown): Field => {
    if (!Array.isArray(pair) || pair.length !== 2) throw badPairs();
    return [bytes(pair[0]), bytes(pair[1])];
  });
  return nonEmpty(fields, column);
}

function readId(member: Member | undefined): string | undefined {
  if (member === undefined) return undefined;
  const id = member.kind === 'string' ? parseStreamId(member.text) : undefined;
  if (id === undefined) throw new BadJson('"id" is not a valid entry ID', member.column);
  return id;
}

function storedText({kind, text, column}: Member, {nullText}: FieldRules): Bytes {
  if (kind !== 'null') return text;
  if (nullText === undefined) throw new BadJson('null cannot be stored; say with --null what to store for it', column);
  return nullText;
}

/** The bytes of `{"$b64":"…"}`, or undefined for any other value. */
function bytesOf({kind, text}: Member): Bytes | undefined {
  if (kind !== 'nested' || !text.startsWith('{"$b64":')) return undefined;
  // Of two members called so JSON.parse would keep the last, without a word.
  readMembers(text);
  return decodeBase64(JSON.parse(text));
}

/** The bytes of `{"$b64":"…"}`; undefined for any other value, and where other members stand beside it. */
function decodeBase64(value: unknown): Bytes | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return undefined;
  const {$b64: text} = value as {$b64?: unknown};
  if (typeof text !== 'string' || text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  return decodeBytes(Buffer.from(text, 'base64'));
}

const BASE64 = /^[A-Za-z\d+/]*={0,2}$/;

function nonEmpty<T extends readonly Field[]>(fields: T, column = 1): T {
  if (fields.length === 0) throw new BadJson('an entry needs at least one field', column);
  return fields;
}
