/**
 * From what a line, an argument or an HTTP body says to the fields of an entry.
 * Invariant: every field that leaves here can be stored and read back exactly.
 */
import {z} from 'zod/mini';
import {type Bytes, decodeBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {parseStreamId} from '../records/stream-id.js';
import {BadJson, HALF_PAIR, type Member, readMembers, readMembersOf, readObjects} from './json-members.js';

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

/** With other members beside it, `$b64` is JSON like any other. */
const base64 = once(() => z.strictObject({$b64: z.base64()}));
type Encoded = z.infer<ReturnType<typeof base64>>;
const pairsOfText = once(() => {
  const text = z.union([z.string(), base64()]);
  return z.array(z.tuple([text, text]));
});

/** A record as `recordToJson` writes it: with `fields` or `pairs`, and perhaps an ID. Throws BadJson. */
export function readRecord(json: string, rules: FieldRules = {}): InputRecord {
  const members = new Map(readMembers(json).map((member) => [member.key, member]));
  const pairs = members.get('pairs');
  const object = members.get('fields');
  if (pairs !== undefined && pairs.kind === 'nested') return {fields: readPairs(pairs), id: readId(members.get('id'))};
  if (object === undefined || !object.text.startsWith('{') || object.kind !== 'nested') {
    throw new BadJson('a record has "fields":{…} or "pairs":[…]; is this --input ndjson?', object?.column ?? 1);
  }
  const fields = readMembersOf(object, json).map(
    (member): Field => [member.key, bytesOf(member) ?? storedText(member, rules)],
  );
  return {fields: nonEmpty(fields, object.column), id: readId(members.get('id'))};
}

function readPairs({text, column}: Member): readonly Field[] {
  const pairs = pairsOfText().safeParse(JSON.parse(text));
  if (!pairs.success) throw new BadJson('"pairs" is a list of ["field","value"]', column);
  const bytes = (value: string | Encoded): Bytes => {
    if (typeof value !== 'string') return decodeBase64(value);
    if (!value.isWellFormed()) throw new BadJson(HALF_PAIR, column);
    return value;
  };
  return nonEmpty(
    pairs.data.map(([name, value]): Field => [bytes(name), bytes(value)]),
    column,
  );
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
  const parsed = base64().safeParse(JSON.parse(text));
  return parsed.success ? decodeBase64(parsed.data) : undefined;
}

const decodeBase64 = ({$b64}: Encoded): Bytes => decodeBytes(Buffer.from($b64, 'base64'));

/** What `make` returns, made when it is first asked for: most runs read none of it. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function nonEmpty<T extends readonly Field[]>(fields: T, column = 1): T {
  if (fields.length === 0) throw new BadJson('an entry needs at least one field', column);
  return fields;
}
