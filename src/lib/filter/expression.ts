/**
 * A filter expression: `FIELD OP VALUE`, `FIELD` or `!FIELD`, with no language around it (docs/filters.md). Invariant: an
 * expression is compiled once; what is wrong with it is a usage error with a caret below the mistake, before anything is read.
 */
import {ENVELOPE_NAMES, type Envelope, type EnvelopeName, envelopeTest, isKnown} from './envelope-test.js';
import {bytesOf, ExpressionReader, type Word} from './expression-reader.js';
import {type FieldOffsets, type FieldReference, fieldReference} from './field-reference.js';
import {type Comparison, valueTest} from './value-test.js';

/** A compiled expression. */
export interface Condition {
  readonly text: string;
  /** What it needs to be known of an entry, beside its fields. */
  readonly envelope?: EnvelopeName;
  holds(fields: FieldOffsets, envelope: Envelope): boolean;
}

/** Longer ones before those that they begin with. */
const OPERATORS = ['!=~', '!~', '!=', '=~', '>=', '<=', '=', '~', '>', '<'] as const;
const BEGINS_OPERATOR = /[=!~<>]/;
const begins = (char: string): boolean => BEGINS_OPERATOR.test(char);

/** Throws a usage error. */
export function parseExpression(text: string): Condition {
  const reader = new ExpressionReader(text);
  reader.skipBlanks();
  if (reader.isAtEnd) throw reader.failure('the expression is empty', 0, 'give one such as type=paid or amount>100');
  const isAbsence = reader.takes('!');
  const name = reader.word(begins);
  const {at} = reader;
  if (isAbsence && !reader.isAtEnd)
    throw reader.failure('nothing may follow !FIELD', at, 'for "is not", write FIELD!=VALUE');
  const condition = reader.isAtEnd ? presence(reader, name) : comparison(reader, name);
  return isAbsence ? negated(condition) : condition;
}

const negated = (condition: Condition): Condition => ({
  ...condition,
  holds: (fields, envelope) => !condition.holds(fields, envelope),
});

function presence(reader: ExpressionReader, name: Word): Condition {
  const {text} = reader;
  const envelope = envelopeName(reader, name);
  if (envelope !== undefined) {
    const test = isKnown(envelope);
    return {text, envelope, holds: (_, entry) => test(entry)};
  }
  const field = fieldReference(reader, name);
  return {text, holds: (fields) => field.some(fields, always)};
}

const always = (): boolean => true;

function comparison(reader: ExpressionReader, name: Word): Condition {
  const {text} = reader;
  const envelope = envelopeName(reader, name);
  const field = envelope === undefined ? fieldReference(reader, name) : undefined;
  const operator = readOperator(reader);
  const isNegated = operator.startsWith('!');
  const positive = (isNegated ? operator.slice(1) : operator) as Comparison;
  const condition =
    field === undefined ? ofEnvelope(reader, envelope!, positive) : {text, ...ofField(reader, field, positive)};
  return isNegated ? negated(condition) : condition;
}

function ofEnvelope(reader: ExpressionReader, envelope: EnvelopeName, operator: Comparison): Condition {
  const test = envelopeTest(reader, envelope, operator);
  return {text: reader.text, envelope, holds: (_, entry) => test(entry)};
}

function ofField(reader: ExpressionReader, field: FieldReference, operator: Comparison): Pick<Condition, 'holds'> {
  const {test, needles} = valueTest(reader, operator);
  return {holds: (fields) => field.some(fields, test, needles)};
}

function readOperator(reader: ExpressionReader): (typeof OPERATORS)[number] {
  const {at} = reader;
  const operator = OPERATORS.find((one) => reader.takes(one));
  if (operator === undefined)
    throw reader.failure('! stands before a field or begins != !~ or !=~', at, 'in a name, write \\!');
  const next = reader.next;
  // Most likely another language's operator: ==, =<, ~=, <>.
  if (!operator.endsWith('=~') && next !== undefined && begins(next))
    throw reader.failure(
      `"${operator}${next}" is not an operator`,
      at,
      `operators are = != ~ !~ =~ !=~ > >= < <=; a value that begins with ${next} is written \\${next}`,
    );
  return operator;
}

/** What `%id` and the like name; undefined for a field. */
function envelopeName(reader: ExpressionReader, {characters, at}: Word): EnvelopeName | undefined {
  if (characters[0]?.plain !== '%') return undefined;
  const text = bytesOf(characters.slice(1)).toString();
  const name = ENVELOPE_NAMES.find((one) => one === text);
  if (name !== undefined) return name;
  const known = ENVELOPE_NAMES.map((one) => `%${one}`).join(' ');
  throw reader.failure(`there is no %${text}`, at, `there are ${known}; a field that begins with % is written \\%`);
}
