/**
 * A body → the fields of the entries that it asks for. Invariant: either every
 * record of the body is returned, in its order, or none is and the refusal says
 * which one is bad; so a batch with a bad record adds nothing.
 */
import {isUtf8} from 'node:buffer';
import type {Field} from '../entry.js';
import {readJsonArray, readJsonFields} from '../input/fields.js';
import {BadJson} from '../input/json-members.js';
import {isBadLine, readRecords} from '../input/records.js';
import {type Place, Refusal} from './answers.js';
import type {MediaType} from './body.js';

/** `single` is a JSON object, which is answered with its ID; all else is a batch. */
export interface Records {
  readonly single: boolean;
  readonly records: readonly (readonly Field[])[];
}

/** Throws Refusal. */
export async function parseBody(body: Buffer, type: MediaType, maxRecords: number): Promise<Records> {
  const batch = new Batch(maxRecords);
  if (type === 'ndjson') {
    await readNdjson(body, batch);
  } else {
    if (!isUtf8(body)) throw new Refusal('bad_json', {reason: 'the body is not valid UTF-8'});
    const text = body.toString('utf8').replace(/^\ufeff/, '');
    if (!/^[ \t\r\n]*\[/.test(text)) return {single: true, records: [readObject(text)]};
    readArray(text, batch);
  }
  if (batch.records.length === 0) throw new Refusal('no_records');
  return {single: false, records: batch.records};
}

class Batch {
  readonly records: (readonly Field[])[] = [];
  readonly #maxRecords: number;

  constructor(maxRecords: number) {
    this.#maxRecords = maxRecords;
  }

  add(fields: readonly Field[]): void {
    if (this.records.length === this.#maxRecords) throw new Refusal('too_many_records');
    this.records.push(fields);
  }
}

function readObject(text: string): Field[] {
  try {
    return readJsonFields(text);
  } catch (error) {
    throw refusalOf(error, text);
  }
}

function readArray(text: string, batch: Batch): void {
  try {
    readJsonArray(text, (fields) => batch.add(fields));
  } catch (error) {
    throw refusalOf(error, text, batch.records.length);
  }
}

async function readNdjson(body: Buffer, batch: Batch): Promise<void> {
  const options = {kind: 'ndjson', field: '', maxRecordBytes: body.length} as const;
  for await (const page of readRecords(once(body), options)) {
    for (let item = page.next(); item !== undefined; item = page.next()) {
      if (!isBadLine(item)) batch.add(item.fields);
      else throw badJson(item.reason, {index: batch.records.length, line: item.line, column: item.column});
    }
  }
}

function refusalOf(error: unknown, text: string, index?: number): unknown {
  if (!(error instanceof BadJson)) return error;
  const before = text.slice(0, error.column - 1);
  const line = before.split('\n').length;
  return badJson(error.message, {index, line, column: error.column - 1 - before.lastIndexOf('\n')});
}

/** What stands behind a semicolon is advice for the command line. */
const badJson = (reason: string, place: {[name in keyof Place]: number | undefined}): Refusal =>
  new Refusal('bad_json', {reason: reason.split('; ')[0]!, place: place as Place});

async function* once(body: Buffer): AsyncGenerator<Buffer, void, void> {
  yield body;
}
