/**
 * `--select`: the fields that are printed, by name or by a path into JSON, in the order in which they were asked for. Invariant:
 * what it gives is in memory of its own; a name that repeats gives each value, and what an entry has not is absent.
 */
import {type Bytes, decodeBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {ExpressionReader} from './expression-reader.js';
import {FieldBytes} from './field-bytes.js';
import {type FieldReference, fieldReference} from './field-reference.js';
import type {Filterable} from './record-filter.js';

/** Reads `f1,f2`. Throws a usage error. */
export function parseSelection(text: string): FieldReference[] {
  const reader = new ExpressionReader(text);
  const fields: FieldReference[] = [];
  do {
    const word = reader.word((char) => char === ',');
    if (word.characters[0]?.plain === '%')
      throw reader.failure('--select takes fields', word.at, 'what is known beside them is printed anyway');
    fields.push(fieldReference(reader, word));
  } while (reader.takes(','));
  return fields;
}

export class FieldSelection {
  /** What the selected fields are called. */
  readonly names: readonly Bytes[];
  readonly #references: readonly FieldReference[];
  readonly #fields = new FieldBytes();

  constructor(references: readonly FieldReference[]) {
    this.#references = references;
    this.names = references.map(({name}) => decodeBytes(name));
  }

  fieldsOf(record: Filterable): Field[] {
    const found: Field[] = [];
    const fields = this.#fields.of(record);
    for (const [index, reference] of this.#references.entries()) {
      const name = this.names[index]!;
      reference.some(fields, (bytes, start, end) => {
        found.push([name, decodeBytes(Buffer.from(bytes.subarray(start, end)))]);
        return false;
      });
    }
    return found;
  }
}
