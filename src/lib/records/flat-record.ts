/**
 * A flat JSON object that is not decoded yet: its bytes, and the offsets of its
 * names and values. A caller that passes it on as bytes never makes a string of
 * it. Invariant: names and values are valid UTF-8, and are stored as they are.
 */
import {Buffer} from 'node:buffer';
import type {Field} from './entry.js';

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
