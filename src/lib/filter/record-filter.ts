/**
 * Which records are wanted: all conditions of --where and --grep hold, and none of --not-where. Invariant: a record that
 * came as bytes is looked at as bytes, and one that is not wanted is never decoded.
 */
import {usageError} from '../errors.js';
import type {Field} from '../records/entry.js';
import type {Envelope, EnvelopeName} from './envelope-test.js';
import type {Condition} from './expression.js';
import {FieldBytes} from './field-bytes.js';

export interface Conditions {
  where?: readonly Condition[] | undefined;
  'not-where'?: readonly Condition[] | undefined;
  grep?: readonly Condition[] | undefined;
}

/** What can be filtered; without fields where they are not known. */
export interface Filterable extends Envelope {
  readonly fields?: readonly Field[] | null;
}

export class RecordFilter {
  readonly #wanted: readonly Condition[];
  readonly #unwanted: readonly Condition[];
  readonly #fields = new FieldBytes();

  private constructor(wanted: readonly Condition[], unwanted: readonly Condition[]) {
    this.#wanted = wanted;
    this.#unwanted = unwanted;
  }

  /**
   * Undefined where nothing is filtered. `known` is what the caller knows of entries beside their fields, and `elsewhere`
   * says who knows the rest. Throws a usage error for a condition about that.
   */
  static of(conditions: Conditions, known: readonly EnvelopeName[], elsewhere: string): RecordFilter | undefined {
    const {where = [], 'not-where': notWhere = [], grep = []} = conditions;
    const wanted = [...where, ...grep];
    for (const {envelope, text} of [...wanted, ...notWhere]) {
      if (envelope !== undefined && !known.includes(envelope))
        throw usageError(`%${envelope} is not known here, in "${text}"`, elsewhere);
    }
    return wanted.length + notWhere.length === 0 ? undefined : new RecordFilter(wanted, notWhere);
  }

  matches(record: Filterable): boolean {
    const fields = this.#fields.of(record);
    for (const condition of this.#wanted) if (!condition.holds(fields, record)) return false;
    for (const condition of this.#unwanted) if (condition.holds(fields, record)) return false;
    return true;
  }
}
