/** The fields of an entry as offsets into bytes, so that they can be passed on without a string or a copy of each. */
import type {Field} from './entry.js';

/** Valid as long as its owner says, usually until the next record is read. */
export interface RawFields {
  readonly bytes: Buffer;
  /** Four offsets into `bytes` per field: start and end of its name and of its value. */
  readonly offsets: Int32Array;
  readonly fieldCount: number;
}

/** The fields of an entry, or their offsets. */
export type EntryFields = readonly Field[] | RawFields;

export const isRaw = (fields: EntryFields): fields is RawFields => 'offsets' in fields;

/** How many fields. */
export const countOf = (fields: EntryFields): number => (isRaw(fields) ? fields.fieldCount : fields.length);
