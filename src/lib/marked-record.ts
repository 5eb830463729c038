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
  #isText: boolean | undefined;

  constructor(bytes: Buffer, marks: Int32Array) {
    this.bytes = bytes;
    this.marks = marks;
  }

  /** Whether all of it is UTF-8, and so each of its names and values. */
  get isText(): boolean {
    this.#isText ??= isUtf8(this.bytes);
    return this.#isText;
  }

  records(origin: Origin): MarkedRecord[] {
    const records: MarkedRecord[] = [];
    for (let mark = 0; mark < this.marks.length; mark += ENTRY_MARKS + FIELD_MARKS * this.marks[mark + 2]!) {
      records.push(new MarkedRecord(this, mark, origin));
    }
    return records;
  }
}

/** Marks of an entry before those of its fields, and of each field. */
export const ENTRY_MARKS = 3;
export const FIELD_MARKS = 4;

export class MarkedRecord implements StreamRecord {
  readonly id: string;
  readonly stream: string;
  readonly group: string | undefined;
  readonly consumer: string | undefined;
  readonly deliveries: number | undefined;
  readonly page: MarkedPage;
  /** Where its marks begin. */
  readonly mark: number;
  #fields: readonly Field[] | undefined;

  constructor(page: MarkedPage, mark: number, {stream, group, consumer, deliveries}: Origin) {
    this.id = page.bytes.toString('latin1', page.marks[mark], page.marks[mark + 1]);
    this.stream = stream;
    this.group = group;
    this.consumer = consumer;
    this.deliveries = deliveries;
    this.page = page;
    this.mark = mark;
  }

  get fieldCount(): number {
    return this.page.marks[this.mark + 2]!;
  }

  /** About the bytes of its names and values. */
  get length(): number {
    const {marks} = this.page;
    return marks[this.mark + ENTRY_MARKS + FIELD_MARKS * this.fieldCount - 1]! - marks[this.mark + 1]!;
  }

  /** Decoded when first asked for. */
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
