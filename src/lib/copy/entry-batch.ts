/** Entries as XADDs, as many as go into one transaction. */
import type {StreamRecord} from '../records/entry.js';
import {rawFieldsOf} from '../records/raw-record.js';
import {type AddBatch, type AddOptions, type AddRequest, StreamClient} from '../stream-client.js';

/** What one transaction holds, about: the server copies it in less than a millisecond. */
const BATCH_BYTES = 512 * 1024;

export interface EntryBatch {
  readonly records: readonly StreamRecord[];
  readonly adds: AddBatch;
}

/** The first of `records`, from `at` on, under their own IDs, or with `newIds` under those of the server. */
export function batchOf(
  stream: string,
  records: readonly StreamRecord[],
  at: number,
  {options, newIds}: {options: AddOptions; newIds: boolean},
): EntryBatch {
  const encoder = StreamClient.addEncoder(stream);
  const request: AddRequest = {fields: [], id: '*', options};
  let end = at;
  do {
    const record = records[end++]!;
    if (!newIds) request.id = record.id;
    request.fields = rawFieldsOf(record);
    encoder.add(request);
  } while (end < records.length && encoder.byteLength < BATCH_BYTES);
  return {records: records.slice(at, end), adds: encoder.take()};
}
