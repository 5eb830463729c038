/**
 * `%id`, `%time`, `%deliveries` and `%consumer`: what is known of an entry beside its fields. Invariant: IDs are compared as
 * pairs of 64-bit numbers, and times with the digits of an ID, exactly.
 */
import {encodeName} from '../records/names.js';
import {parseTime} from '../records/position.js';
import {compareStreamIds, parseStreamId, timePartOf} from '../records/stream-id.js';
import type {RangeTest} from './byte-range.js';
import {bytesOf, type ExpressionReader} from './expression-reader.js';
import {alternatives, type Comparison, inOrder, type Ordering, singleValue, valueTest} from './value-test.js';

export const ENVELOPE_NAMES = ['id', 'time', 'deliveries', 'consumer'] as const;
export type EnvelopeName = (typeof ENVELOPE_NAMES)[number];

/** What is not known of an entry is absent. */
export interface Envelope {
  readonly id: string;
  readonly consumer?: string | undefined;
  readonly deliveries?: number | undefined;
  /** Where a number cannot hold them. */
  readonly exactDeliveries?: bigint | undefined;
}

export type EnvelopeTest = (envelope: Envelope) => boolean;

const LAST_SEQUENCE = '18446744073709551615';
const isOrdering = (comparison: Comparison): comparison is Ordering => /^[<>]/.test(comparison);

/** Whether it is known of an entry at all. */
export const isKnown =
  (name: EnvelopeName): EnvelopeTest =>
  (envelope) =>
    name === 'id' || name === 'time' || envelope[name] !== undefined;

/** Reads the rest of an expression about `name`. Throws a usage error. */
export function envelopeTest(reader: ExpressionReader, name: EnvelopeName, comparison: Comparison): EnvelopeTest {
  switch (name) {
    case 'id':
      return idTest(reader, comparison);
    case 'time':
      return timeTest(reader, comparison);
    case 'deliveries': {
      const {test} = valueTest(reader, comparison);
      return ({deliveries, exactDeliveries = deliveries}) =>
        exactDeliveries !== undefined && onText(test, String(exactDeliveries));
    }
    case 'consumer': {
      const {test} = valueTest(reader, comparison);
      return ({consumer}) => consumer !== undefined && onText(test, encodeName(consumer));
    }
  }
}

function onText(test: RangeTest, text: string | Buffer): boolean {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return test(bytes, 0, bytes.length);
}

/** Texts are compared as such; an order is that of IDs. Without a sequence, an ID means all of its millisecond. */
function idTest(reader: ExpressionReader, comparison: Comparison): EnvelopeTest {
  if (comparison === '=') {
    const ids = new Set(
      alternatives(reader).map(({at, characters}) => idAt(reader, at, bytesOf(characters).toString())),
    );
    return ({id}) => ids.has(id);
  }
  if (!isOrdering(comparison)) {
    const {test} = valueTest(reader, comparison);
    return ({id}) => onText(test, id);
  }
  const {at, text} = singleValue(reader);
  const right = idAt(reader, at, text, comparison === '>' || comparison === '<=' ? LAST_SEQUENCE : '0');
  const holds = inOrder(comparison);
  return ({id}) => holds(compareStreamIds(id, right));
}

function idAt(reader: ExpressionReader, at: number, text: string, missingSequence?: string): string {
  const id = missingSequence === undefined && !text.includes('-') ? undefined : parseStreamId(text, missingSequence);
  if (id === undefined)
    throw reader.failure('%id takes an entry ID', at, 'give one such as 1526919030474-55; ~ takes wildcards');
  return id;
}

/** The milliseconds of the ID, beside a time as after @. */
function timeTest(reader: ExpressionReader, comparison: Comparison): EnvelopeTest {
  const {at, text} = singleValue(reader);
  if (!isOrdering(comparison))
    throw reader.failure('%time is compared by > >= < <=', at, 'for one millisecond: %id~1526919030474-*');
  const holds = inOrder(comparison);
  const right = `${timeAt(reader, at, text)}-0`;
  return ({id}) => holds(compareStreamIds(`${timePartOf(id)}-0`, right));
}

function timeAt(reader: ExpressionReader, at: number, text: string): number {
  try {
    return parseTime(text.replace(/^@/, ''), Date.now());
  } catch {
    throw reader.failure('%time takes a time', at, 'give -1h, 2026-01-31T12:00:00Z or Unix seconds');
  }
}
