/** The right side of a filter expression as a test of bytes. Invariant: it is compiled once, and decodes nothing that need not be text. */
import {type RangeTest, rangeEquals} from './byte-range.js';
import {Decimal} from './decimal.js';
import {bytesOf, type ExpressionReader, type Word} from './expression-reader.js';
import {regexTest} from './text-pattern.js';
import {wildcardTest} from './wildcards.js';

/** How the left side of an expression is compared with the right one. */
export type Comparison = '=' | '~' | '=~' | '>' | '>=' | '<' | '<=';
export type Ordering = '>' | '>=' | '<' | '<=';

export interface ValueTest {
  readonly test: RangeTest;
  /** One of these is part of each value that passes. */
  readonly needles?: readonly Buffer[];
}

/** Reads the rest of the expression. Throws a usage error. */
export function valueTest(reader: ExpressionReader, comparison: Comparison): ValueTest {
  switch (comparison) {
    case '=':
      return equalTest(alternatives(reader).map(({characters}) => bytesOf(characters)));
    case '~': {
      const tests = alternatives(reader).map(({characters}) => wildcardTest(characters));
      return {test: (bytes, start, end) => tests.some((test) => test(bytes, start, end))};
    }
    case '=~':
      return {test: regexOf(reader)};
    default:
      return {test: numberTest(reader, comparison)};
  }
}

/** `a|b|c`: any of them. */
export function alternatives(reader: ExpressionReader): Word[] {
  const words: Word[] = [];
  do words.push(reader.word((char) => char === '|'));
  while (reader.takes('|'));
  return words;
}

function equalTest(values: readonly Buffer[]): ValueTest {
  const [only] = values;
  if (values.length > 1)
    return {
      test: (bytes, start, end) => values.some((value) => rangeEquals(bytes, start, end, value)),
      needles: values,
    };
  return {test: (bytes, start, end) => rangeEquals(bytes, start, end, only!), needles: values};
}

function regexOf(reader: ExpressionReader): RangeTest {
  reader.skipBlanks();
  const {at} = reader;
  const text = reader.rest();
  if (text === '') throw reader.failure('a regular expression is missing', at);
  try {
    return regexTest(text);
  } catch (error) {
    throw reader.failure((error as Error).message, at);
  }
}

/** Both are numbers, and are in this order. */
function numberTest(reader: ExpressionReader, ordering: Ordering): RangeTest {
  const {at, text} = singleValue(reader);
  const right = Decimal.of(Buffer.from(text));
  if (right === undefined) throw reader.failure(`${ordering} takes a number`, at, 'to compare texts, use = ~ or =~');
  const left = new Decimal();
  const holds = inOrder(ordering);
  return (bytes, start, end) => left.read(bytes, start, end) && holds(left.compare(right));
}

/** The value as text, with where it begins. */
export function singleValue(reader: ExpressionReader): {at: number; text: string} {
  const {at, characters} = reader.word(() => false);
  return {at, text: bytesOf(characters).toString()};
}

/** Whether the result of a comparison means that order. */
export function inOrder(ordering: Ordering): (result: number) => boolean {
  switch (ordering) {
    case '>':
      return (result) => result > 0;
    case '>=':
      return (result) => result >= 0;
    case '<':
      return (result) => result < 0;
    case '<=':
      return (result) => result <= 0;
  }
}
