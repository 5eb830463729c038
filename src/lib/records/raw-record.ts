/**
 * Records that were read and not yet decoded: the bytes of a whole reply, and
 * marks that say where each record's names and values are. Whoever passes them
 * on as bytes never makes a string of one; for everybody else they are records
 * like others. Invariant: the bytes never change, for as long as anyone has a record of them.
 */
import {isUtf8} from 'node:buffer';
import {decodeBytes} from './bytes.js';
import type {Field, StreamRecord} from './entry.js';

/** Where records came from, and whom they were given to. */
export type RawRecordSource = Omit<StreamRecord, 'id' | 'fields'>;

/** Entries that came together. */
export class RawRecordBatch {
  readonly bytes: Buffer;
  /** For each entry: its ID's start and end, how many fields; then four places a field: its name's start and end, its value's. */
  readonly offsets: Int32Array;
  /** How many entries. */
  readonly count: number;
  readonly #lastMark: number;
  #isText: boolean | undefined;

  /** `lastMark`: where the marks of the last entry begin. */
  constructor(bytes: Buffer, offsets: Int32Array, {count, lastMark}: {count: number; lastMark: number}) {
    this.bytes = bytes;
    this.offsets = offsets;
    this.count = count;
    this.#lastMark = lastMark;
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
    return this.count === 0 ? '' : this.id(this.#lastMark);
  }

  records(origin: RawRecordSource): RawRecord[] {
    const records = new Array<RawRecord>(this.count);
    for (let index = 0, lastSequence = 0; index < this.count; index++, lastSequence = this.#next(lastSequence))
      records[index] = new RawRecord(this, lastSequence, origin);
    return records;
  }

  /** The ID of the entry whose marks begin at `mark`. */
  id(lastSequence: number): string {
    return this.bytes.toString('latin1', this.offsets[lastSequence], this.offsets[lastSequence + 1]);
  }

  /** All IDs as strings of the protocol, one behind the other, in memory of their own. */
  idStrings(): Buffer {
    const {bytes, offsets: marks, count} = this;
    let length = 0;
    for (let index = 0, lastSequence = 0; index < count; index++, lastSequence = this.#next(lastSequence))
      length +=
        headBytes(marks[lastSequence + 1]! - marks[lastSequence]!) +
        marks[lastSequence + 1]! -
        marks[lastSequence]! +
        LINE_END;
    const strings = Buffer.allocUnsafeSlow(length);
    let to = 0;
    for (let index = 0, mark = 0; index < count; index++, mark = this.#next(mark)) {
      const start = marks[mark]!;
      const end = marks[mark + 1]!;
      // As they stand in the reply, with the head before them and the line end behind.
      for (let at = start - headBytes(end - start); at < end + LINE_END; at++) strings[to++] = bytes[at]!;
    }
    return strings;
  }

  #next(lastSequence: number): number {
    return lastSequence + ENTRY_OFFSETS + FIELD_OFFSETS * this.offsets[lastSequence + 2]!;
  }
}

const LINE_END = 2;
/** `$3\r\n` or `$15\r\n`: no ID has more than 41 characters. */
const headBytes = (length: number): number => (length < 10 ? 4 : 5);

/** Marks of an entry before those of its fields, and of each field. */
export const ENTRY_OFFSETS = 3;
export const FIELD_OFFSETS = 4;

export class RawRecord implements StreamRecord {
  readonly stream: string;
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly deliveries: number | undefined;
  readonly page: RawRecordBatch;
  /** Where its marks begin. */
  readonly lastSequence: number;
  #id: string | undefined;
  #fields: readonly Field[] | undefined;

  constructor(page: RawRecordBatch, lastSequence: number, {stream, group, consumer, deliveries}: RawRecordSource) {
    this.stream = stream;
    this.group = group;
    this.consumer = consumer;
    this.deliveries = deliveries;
    this.page = page;
    this.lastSequence = lastSequence;
  }

  /** Decoded when first asked for, as all of it. */
  get id(): string {
    this.#id ??= this.page.id(this.lastSequence);
    return this.#id;
  }

  get fieldCount(): number {
    return this.page.offsets[this.lastSequence + 2]!;
  }

  /** About the bytes of its names and values. */
  get length(): number {
    const {offsets: marks} = this.page;
    return (
      marks[this.lastSequence + ENTRY_OFFSETS + FIELD_OFFSETS * this.fieldCount - 1]! - marks[this.lastSequence + 1]!
    );
  }

  get fields(): readonly Field[] {
    this.#fields ??= Array.from({length: this.fieldCount}, (_, index): Field => {
      const lastSequence = this.lastSequence + ENTRY_OFFSETS + FIELD_OFFSETS * index;
      return [this.#part(lastSequence), this.#part(lastSequence + 2)];
    });
    return this.#fields;
  }

  #part(lastSequence: number): ReturnType<typeof decodeBytes> {
    const {bytes, offsets: marks} = this.page;
    return decodeBytes(bytes.subarray(marks[lastSequence], marks[lastSequence + 1]));
  }
}
