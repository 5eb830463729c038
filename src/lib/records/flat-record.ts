/**
 * A record that was recognised and not yet read: the bytes that it arrived in,
 * and marks that say where its names and values are. Whoever passes it on as
 * bytes never makes a string of it. Invariant: what the marks enclose is valid
 * UTF-8 and is stored as it stands.
 */
import {Buffer} from 'node:buffer';
import type {Field} from './entry.js';

const NOTHING = Buffer.alloc(0);

/** A flyweight: there is one for all lines of an input, and what it holds is valid until the next item is asked for. */
export class FlatRecord {
  line = 0;
  bytes: Buffer = NOTHING;
  /** Four offsets into `bytes` a field: where its name begins and ends, where its value begins and ends. */
  readonly offsets: Int32Array;
  fieldCount = 0;
  /** An object of fields alone says nothing of an ID. */
  readonly id = undefined;

  constructor(maxFields: number) {
    this.offsets = new Int32Array(4 * maxFields);
  }

  /** The same as text, made anew each time. */
  get fields(): readonly Field[] {
    return Array.from(
      {length: this.fieldCount},
      (_, index): Field => [this.#text(4 * index), this.#text(4 * index + 2)],
    );
  }

  #text(lastSequence: number): string {
    return this.bytes.toString('utf8', this.offsets[lastSequence], this.offsets[lastSequence + 1]);
  }
}
