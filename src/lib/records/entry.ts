/**
 * Entries as Redis holds them, and the record that users see: the public JSON
 * contract of streamlog. Fields are pairs in the order they were added, since
 * Redis allows a name to be repeated and any bytes in it; no JavaScript object
 * is ever keyed by them, so `__proto__` is a name like any other.
 */
import {type Bytes, bytesToJson} from './bytes.js';
import {nameToJson} from './names.js';

export type Field = readonly [name: Bytes, value: Bytes];

/** The JSON of the value of a field; not asked for where fields come as pairs, which are strings. */
export type ValueToJson = (name: Bytes, value: Bytes) => string;

export interface Entry {
  readonly id: string;
  readonly fields: readonly Field[];
}

/** An entry and where it came from. What is not known is absent. */
export interface StreamRecord extends Entry {
  readonly stream: string;
  readonly group?: string;
  readonly consumer?: string;
  /** How often the entry has been delivered to its group, this time included. */
  readonly deliveries?: number;
}

/** The same record, delivered so often. */
export const deliveredAgain = (record: StreamRecord, deliveries: number): StreamRecord => ({
  ...record,
  // What is decoded when it is asked for is not copied with the rest.
  id: record.id,
  fields: record.fields,
  deliveries,
});

/**
 * One line of NDJSON without its newline:
 * `{"stream":"events","id":"1-0","fields":{"type":"login"}}`. Repeated names
 * and names that are not text come as `"pairs":[["f","v"],…]` in place of
 * `fields`, so nothing is dropped. `readRecord` in lib/input is its inverse.
 */
export function recordToJson(record: StreamRecord, valueToJson?: ValueToJson): string {
  let json = `{"stream":${nameToJson(record.stream)},"id":"${record.id}",${fieldsMember(record.fields, valueToJson)}`;
  if (record.group !== undefined) json += `,"group":${nameToJson(record.group)}`;
  if (record.consumer !== undefined) json += `,"consumer":${nameToJson(record.consumer)}`;
  if (record.deliveries !== undefined) json += `,"deliveries":${record.deliveries}`;
  return `${json}}`;
}

/** The fields alone: a JSON object, or an array of pairs where an object would drop something. */
export const fieldsToJson = (fields: readonly Field[], valueToJson?: ValueToJson): string =>
  fitsObject(fields) ? objectJson(fields, valueToJson) : pairsJson(fields);

/** The first value of the field called `name`, or undefined. */
export const fieldValue = (fields: readonly Field[], name: string): Bytes | undefined =>
  fields.find(([fieldName]) => fieldName === name)?.[1];

const fieldsMember = (fields: readonly Field[], valueToJson?: ValueToJson): string =>
  fitsObject(fields) ? `"fields":${objectJson(fields, valueToJson)}` : `"pairs":${pairsJson(fields)}`;

function fitsObject(fields: readonly Field[]): boolean {
  const seen = new Set<string>();
  for (const [name] of fields) {
    if (typeof name !== 'string' || seen.has(name)) return false;
    seen.add(name);
  }
  return true;
}

const asText: ValueToJson = (_, value) => bytesToJson(value);

const objectJson = (fields: readonly Field[], valueToJson = asText): string =>
  `{${fields.map(([name, value]) => `${bytesToJson(name)}:${valueToJson(name, value)}`).join(',')}}`;

const pairsJson = (fields: readonly Field[]): string =>
  `[${fields.map(([name, value]) => `[${bytesToJson(name)},${bytesToJson(value)}]`).join(',')}]`;
