/**
 * The fields of a record as bytes: as they came, or as bytes again where they were decoded, so that there is one way to look
 * at them. Invariant: what it returns is valid until the next call, in memory that is used again and never larger than
 * twice the largest entry.
 */

import {byteLength} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {ENTRY_OFFSETS, FIELD_OFFSETS, RawRecord} from '../records/raw-record.js';
import type {FieldOffsets} from './field-reference.js';

const FIRST_BYTES = 4_096;
const FIRST_OFFSETS = 256;

export class FieldBytes implements FieldOffsets {
  bytes = Buffer.alloc(0);
  offsets = new Int32Array(FIRST_OFFSETS);
  readonly first = 0;
  fieldCount = 0;
  #length = 0;

  of(record: {readonly fields?: readonly Field[] | null}): FieldOffsets {
    if (!(record instanceof RawRecord)) return this.#encode(record.fields ?? []);
    const {page, at, fieldCount} = record;
    return {bytes: page.bytes, offsets: page.offsets, first: at + ENTRY_OFFSETS, fieldCount, page};
  }

  #encode(fields: readonly Field[]): this {
    this.#length = 0;
    this.fieldCount = fields.length;
    const needed = FIELD_OFFSETS * fields.length;
    if (this.offsets.length < needed) this.offsets = new Int32Array(2 * needed);
    let at = 0;
    for (const field of fields) {
      for (const part of field) {
        this.offsets[at++] = this.#length;
        this.#append(part);
        this.offsets[at++] = this.#length;
      }
    }
    return this;
  }

  #append(part: string | Buffer): void {
    const needed = this.#length + byteLength(part);
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, needed, 2 * this.#length));
      grown.set(this.bytes.subarray(0, this.#length));
      this.bytes = grown;
    }
    if (typeof part === 'string') this.bytes.write(part, this.#length);
    else this.bytes.set(part, this.#length);
    this.#length = needed;
  }
}
