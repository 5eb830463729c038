/**
 * The fields of an entry as places in bytes that somebody read, so that they
 * can be passed on without a string or a copy being made of each. Knows neither
 * where the bytes come from nor where they go.
 */
import type {Field} from './entry.js';

/** Valid as long as whoever made it says; usually until the next record is read. */
export interface RawFields {
  readonly bytes: Buffer;
  /** Four places in `bytes` a field: its name's start and end, its value's start and end. */
  readonly offsets: Int32Array;
  readonly fieldCount: number;
}

/** What an entry is made of: fields, or where they are. */
export type EntryFields = readonly Field[] | RawFields;

export const isRaw = (fields: EntryFields): fields is RawFields => 'offsets' in fields;

/** How many fields. */
export const countOf = (fields: EntryFields): number => (isRaw(fields) ? fields.fieldCount : fields.length);
