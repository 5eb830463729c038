/**
 * Hides the values of some fields: `masked:` and 16 hexadecimal digits of HMAC-SHA-256. The key is random and thrown away, so
 * that values that were equal stay equal within one export, and nothing tells what they were.
 */
import {createHmac, randomBytes} from 'node:crypto';
import type {Field, StreamRecord} from '../records/entry.js';

const KEY_BYTES = 32;
const SHOWN_DIGITS = 16;

export class Masking {
  readonly #fields: ReadonlySet<string>;
  readonly #key = randomBytes(KEY_BYTES);

  /** `fields` are the exact names of fields. */
  constructor(fields: readonly string[]) {
    this.#fields = new Set(fields);
  }

  get fields(): string[] {
    return [...this.#fields];
  }

  /** The record itself where it has none of these fields. */
  of(record: StreamRecord): StreamRecord {
    const {stream, id, fields} = record;
    if (!fields.some(([name]) => this.#isMasked(name))) return record;
    return {stream, id, fields: fields.map((field) => this.#masked(field))};
  }

  #isMasked(name: Field[0]): boolean {
    return typeof name === 'string' && this.#fields.has(name);
  }

  #masked(field: Field): Field {
    const [name, value] = field;
    if (!this.#isMasked(name)) return field;
    return [name, `masked:${createHmac('sha256', this.#key).update(value).digest('hex').slice(0, SHOWN_DIGITS)}`];
  }
}
