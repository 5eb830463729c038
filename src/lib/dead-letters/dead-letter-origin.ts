/**
 * The dead letter stream of a stream, and the `_dlq_` fields of its entries, which say where they came from. A script reads an
 * entry and writes it there, so in a cluster both streams are in the same slot: `events` and `{events}:dead`.
 */
import {deadLetterKey} from '../colocated-key.js';
import type {Bytes} from '../records/bytes.js';
import {type Field, fieldValue} from '../records/entry.js';
import {decodeName} from '../records/names.js';

/** The names of all default dead letter streams, as a pattern for SCAN. */
export const DEAD_LETTER_PATTERN = '*:dead';

/** The fields that a dead letter has besides its own, as the script in lib/redis writes them too. */
export const ORIGIN = {
  stream: '_dlq_stream',
  group: '_dlq_group',
  id: '_dlq_id',
  consumer: '_dlq_consumer',
  deliveries: '_dlq_deliveries',
  reason: '_dlq_reason',
  at: '_dlq_at',
  deaths: '_dlq_deaths',
} as const;
const ORIGIN_NAMES: ReadonlySet<unknown> = new Set(Object.values(ORIGIN));

/** Where a dead letter came from, and why. Each is undefined when the entry does not say; others may write such streams too. */
export type DeadLetterOrigin = Readonly<Record<keyof typeof ORIGIN, string | undefined>>;

/** The default dead letter stream of `stream`. */
export const deadLetterStream = (stream: string): string => deadLetterKey(stream);

export function deadLetterOrigin(fields: readonly Field[]): DeadLetterOrigin {
  const text = (name: string): string | undefined => {
    const value = fieldValue(fields, name);
    return value === undefined ? undefined : typeof value === 'string' ? value : decodeName(value);
  };
  return Object.fromEntries(Object.entries(ORIGIN).map(([key, name]) => [key, text(name)])) as DeadLetterOrigin;
}

/** Whether a field of this name says where a dead letter came from. */
export const isOrigin = (name: Bytes): boolean => ORIGIN_NAMES.has(name);

/** The fields that the entry had before it died. */
export const ownFields = (fields: readonly Field[]): Field[] => fields.filter(([name]) => !isOrigin(name));

/** How often an entry with these fields has died before. */
export function deaths(fields: readonly Field[]): number {
  if (fieldValue(fields, ORIGIN.id) === undefined) return 0;
  const count = Number(fieldValue(fields, ORIGIN.deaths) ?? 1);
  return Number.isFinite(count) ? count : 1;
}
