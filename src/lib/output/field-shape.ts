/**
 * How the fields of records are printed: all of them or the selected ones, and which values as the JSON that they hold.
 * Invariant: without --select and --parse, records are printed as they are.
 */
import type {FieldSelection} from '../filter/field-selection.js';
import {type Bytes, bytesToJson, sameBytes} from '../records/bytes.js';
import {compactJson} from '../records/compact-json.js';
import {type Field, fieldsToJson} from '../records/entry.js';
import {RawRecord} from '../records/raw-record.js';
import {bytesCell} from './delimited.js';

interface Shaped {
  readonly id: string;
  readonly fields?: readonly Field[] | null;
}

export class FieldShape {
  static readonly ALL = new FieldShape(undefined, []);
  readonly #selection: FieldSelection | undefined;
  readonly #parsed: ReadonlySet<Bytes>;

  /** `parsed` are names of fields. */
  constructor(selection: FieldSelection | undefined, parsed: readonly string[]) {
    this.#selection = selection;
    this.#parsed = new Set(parsed);
  }

  /** Whether records are printed as they are. */
  get isPlain(): boolean {
    return this.#selection === undefined && this.#parsed.size === 0;
  }

  get selects(): boolean {
    return this.#selection !== undefined;
  }

  /** The record with the selected fields. */
  of<T extends Shaped>(record: T): T {
    if (this.#selection === undefined || record.fields === undefined || record.fields === null) return record;
    const fields = this.#selection.fieldsOf(record);
    if (!(record instanceof RawRecord)) return {...record, fields};
    const {stream, id, group, consumer, deliveries} = record;
    return {stream, id, fields, group, consumer, deliveries} as unknown as T;
  }

  /** The columns of CSV and TSV: one for each selected field, or one for all fields as JSON. */
  get columns(): string[] {
    return this.#selection?.names.map(bytesCell) ?? ['fields'];
  }

  /** Of the fields that `of` has left; of a name that repeats, the first value. */
  cells(fields: readonly Field[] | null | undefined): string[] {
    if (this.#selection === undefined) return [fields ? fieldsToJson(fields, this.valueToJson) : ''];
    return this.#selection.names.map((wanted) =>
      bytesCell(fields?.find(([name]) => sameBytes(name, wanted))?.[1] ?? ''),
    );
  }

  /** A value as JSON: the JSON that it holds, where that was asked for and it holds some. */
  readonly valueToJson = (name: Bytes, value: Bytes): string =>
    (this.#parsed.has(name) && typeof value === 'string' ? compactJson(value) : undefined) ?? bytesToJson(value);
}
