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
export type Origin = Omit<StreamRecord, 'id' | 'fields'>;

/** Entries that came together. */
export class MarkedPage {
  readonly bytes: Buffer;
  /** For each entry: its ID's start and end, how many fields; then four places a field: its name's start and end, its value's. */
  readonly marks: Int32Array;
  /** How many entries. */
  readonly count: number;
  readonly #lastMark: number;
  #isText: boolean | undefined;

  /** `lastMark`: where the marks of the last entry begin. */
  constructor(bytes: Buffer, marks: Int32Array, {count, lastMark}: {count: number; lastMark: number}) {
    this.bytes = bytes;
    this.marks = marks;
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

  records(origin: Origin): MarkedRecord[] {
    const records = new Array<MarkedRecord>(this.count);
    for (let index = 0, mark = 0; index < this.count; index++, mark = this.#next(mark))
      records[index] = new MarkedRecord(this, mark, origin);
    return records;
  }

  /** The ID of the entry whose marks begin at `mark`. */
  id(mark: number): string {
    return this.bytes.toString('latin1', this.marks[mark], this.marks[mark + 1]);
  }

  /** All IDs as strings of the protocol, one behind the other, in memory of their own. */
  idStrings(): Buffer {
    const {bytes, marks, count} = this;
    let length = 0;
    for (let index = 0, mark = 0; index < count; index++, mark = this.#next(mark))
      length += headBytes(marks[mark + 1]! - marks[mark]!) + marks[mark + 1]! - marks[mark]! + LINE_END;
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

  #next(mark: number): number {
    return mark + ENTRY_MARKS + FIELD_MARKS * this.marks[mark + 2]!;
  }
}

const LINE_END = 2;
/** `$3\r\n` or `$15\r\n`: no ID has more than 41 characters. */
const headBytes = (length: number): number => (length < 10 ? 4 : 5);

/** Marks of an entry before those of its fields, and of each field. */
export const ENTRY_MARKS = 3;
export const FIELD_MARKS = 4;

export class MarkedRecord implements StreamRecord {
  readonly stream: string;
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly deliveries: number | undefined;
  readonly page: MarkedPage;
  /** Where its marks begin. */
  readonly mark: number;
  #id: string | undefined;
  #fields: readonly Field[] | undefined;

  constructor(page: MarkedPage, mark: number, {stream, group, consumer, deliveries}: Origin) {
    this.stream = stream;
    this.group = group;
    this.consumer = consumer;
    this.deliveries = deliveries;
    this.page = page;
    this.mark = mark;
  }

  /** Decoded when first asked for, as all of it. */
  get id(): string {
    this.#id ??= this.page.id(this.mark);
    return this.#id;
  }

  get fieldCount(): number {
    return this.page.marks[this.mark + 2]!;
  }

  /** About the bytes of its names and values. */
  get length(): number {
    const {marks} = this.page;
    return marks[this.mark + ENTRY_MARKS + FIELD_MARKS * this.fieldCount - 1]! - marks[this.mark + 1]!;
  }

  get fields(): readonly Field[] {
    this.#fields ??= Array.from({length: this.fieldCount}, (_, index): Field => {
      const mark = this.mark + ENTRY_MARKS + FIELD_MARKS * index;
      return [this.#part(mark), this.#part(mark + 2)];
    });
    return this.#fields;
  }

  #part(mark: number): ReturnType<typeof decodeBytes> {
    const {bytes, marks} = this.page;
    return decodeBytes(bytes.subarray(marks[mark], marks[mark + 1]));
  }
}
