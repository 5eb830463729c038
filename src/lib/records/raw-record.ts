/**
 * Records that are not decoded yet: the bytes of a whole reply, and offsets into
 * them. A caller that passes them on as bytes never makes a string of one; for
 * other callers they are records like any other. Invariant: the bytes never
 * change while a record of them is in use.
 */
import {isUtf8} from 'node:buffer';
import {decodeBytes} from './bytes.js';
import type {Field, StreamRecord} from './entry.js';
import type {EntryFields} from './raw-fields.js';

/** Where records came from, and to which consumer they were delivered. */
export type RawRecordSource = Omit<StreamRecord, 'id' | 'fields'>;

/** Entries that came together. */
export class RawRecordBatch {
  readonly bytes: Buffer;
  /** For each entry: start and end of its ID, number of fields; then for each field start and end of its name and of its value. */
  readonly offsets: Int32Array;
  /** How many entries. */
  readonly count: number;
  readonly #lastAt: number;
  #isText: boolean | undefined;

  /** `lastAt`: where in `offsets` the last entry begins. */
  constructor(bytes: Buffer, offsets: Int32Array, {count, lastAt}: {count: number; lastAt: number}) {
    this.bytes = bytes;
    this.offsets = offsets;
    this.count = count;
    this.#lastAt = lastAt;
  }

  /** Whether all of it is UTF-8, and so each of its names and values. */
  get isText(): boolean {
    this.#isText ??= isUtf8(this.bytes);
    return this.#isText;
  }

  /** The IDs of the first entry and the last one; '' where there are none. */
  get first(): string {
    return this.count === 0 ? '' : this.id(0);
  }

  get last(): string {
    return this.count === 0 ? '' : this.id(this.#lastAt);
  }

  records(origin: RawRecordSource): RawRecord[] {
    const records = new Array<RawRecord>(this.count);
    for (let index = 0, at = 0; index < this.count; index++, at = this.#next(at))
      records[index] = new RawRecord(this, at, origin);
    return records;
  }

  /** The ID of the entry that begins at `at` in `offsets`. */
  id(at: number): string {
    return this.bytes.toString('latin1', this.offsets[at], this.offsets[at + 1]);
  }

  /** All IDs as RESP bulk strings, one after the other, in memory of their own. */
  idStrings(): Buffer {
    const {bytes, offsets, count} = this;
    let length = 0;
    for (let index = 0, at = 0; index < count; index++, at = this.#next(at))
      length += headBytes(offsets[at + 1]! - offsets[at]!) + offsets[at + 1]! - offsets[at]! + LINE_END;
    const strings = Buffer.allocUnsafeSlow(length);
    let to = 0;
    for (let index = 0, at = 0; index < count; index++, at = this.#next(at)) {
      const start = offsets[at]!;
      const end = offsets[at + 1]!;
      // As in the reply, with the length before it and the line end after it.
      for (let from = start - headBytes(end - start); from < end + LINE_END; from++) strings[to++] = bytes[from]!;
    }
    return strings;
  }

  #next(at: number): number {
    return at + ENTRY_OFFSETS + FIELD_OFFSETS * this.offsets[at + 2]!;
  }
}

const LINE_END = 2;
/** `$3\r\n` or `$15\r\n`: no ID has more than 41 characters. */
const headBytes = (length: number): number => (length < 10 ? 4 : 5);

/** Offsets of an entry before those of its fields, and of each field. */
export const ENTRY_OFFSETS = 3;
export const FIELD_OFFSETS = 4;

export class RawRecord implements StreamRecord {
  readonly stream: string;
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly deliveries: number | undefined;
  readonly page: RawRecordBatch;
  /** Where in `page.offsets` it begins. */
  readonly at: number;
  #id: string | undefined;
  #fields: readonly Field[] | undefined;

  constructor(page: RawRecordBatch, at: number, {stream, group, consumer, deliveries}: RawRecordSource) {
    this.stream = stream;
    this.group = group;
    this.consumer = consumer;
    this.deliveries = deliveries;
    this.page = page;
    this.at = at;
  }

  /** Decoded when first asked for, as all of it. */
  get id(): string {
    this.#id ??= this.page.id(this.at);
    return this.#id;
  }

  get fieldCount(): number {
    return this.page.offsets[this.at + 2]!;
  }

  /** About the bytes of its names and values. */
  get length(): number {
    const {offsets} = this.page;
    return offsets[this.at + ENTRY_OFFSETS + FIELD_OFFSETS * this.fieldCount - 1]! - offsets[this.at + 1]!;
  }

  get fields(): readonly Field[] {
    this.#fields ??= Array.from({length: this.fieldCount}, (_, index): Field => {
      const at = this.at + ENTRY_OFFSETS + FIELD_OFFSETS * index;
      return [this.#part(at), this.#part(at + 2)];
    });
    return this.#fields;
  }

  #part(at: number): ReturnType<typeof decodeBytes> {
    const {bytes, offsets} = this.page;
    return decodeBytes(bytes.subarray(offsets[at], offsets[at + 1]));
  }
}

/** The fields of `record` as they came, for what passes them on. */
export const rawFieldsOf = (record: StreamRecord): EntryFields =>
  record instanceof RawRecord
    ? {
        bytes: record.page.bytes,
        offsets: record.page.offsets.subarray(record.at + ENTRY_OFFSETS),
        fieldCount: record.fieldCount,
      }
    : record.fields;
