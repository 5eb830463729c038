/** The fields of an entry as offsets into bytes, so that they can be passed on without a string or a copy of each. */
import {Buffer} from 'node:buffer';
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

const NOTHING = Buffer.alloc(0);

/** A flyweight: one object for all lines of an input, valid until the next item is read. */
export class FlatRecord {
  line = 0;
  bytes: Buffer = NOTHING;
  /** Four offsets into `bytes` per field: start and end of its name and of its value. */
  readonly offsets: Int32Array;
  fieldCount = 0;
  /** A flat object has fields and no ID. */
  readonly id = undefined;

  constructor(maxFields: number) {
    this.offsets = new Int32Array(4 * maxFields);
  }

  /** Decoded at each call. */
  get fields(): readonly Field[] {
    return Array.from(
      {length: this.fieldCount},
      (_, index): Field => [this.#text(4 * index), this.#text(4 * index + 2)],
    );
  }

  #text(at: number): string {
    return this.bytes.toString('utf8', this.offsets[at], this.offsets[at + 1]);
  }
}
