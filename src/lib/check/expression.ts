/**
 * An expression of `check`: `METRIC OP VALUE`. Invariant: it is decided only by bounds that prove it; what is wrong with it is
 * a usage error with a caret below the mistake.
 */
import {parseDuration} from '../duration.js';
import {bytesOf, ExpressionReader} from '../filter/expression-reader.js';
import {nearest} from '../near-word.js';
import {parseSize} from '../size.js';
import {type Bounds, METRIC_NAMES, type MetricName, type Unit, unitOf} from './metrics.js';

/** Longer ones before those that they begin with. */
export const OPERATORS = ['>=', '<=', '!=', '>', '<', '='] as const;
export type Operator = (typeof OPERATORS)[number];

export interface CheckExpression {
  readonly metric: MetricName;
  readonly operator: Operator;
  /** In the unit of the metric: milliseconds, bytes or a number. */
  readonly limit: number;
  /** The operator and the value, as they were typed. */
  readonly condition: string;
}

const BEGINS_OPERATOR = /[=!<>~]/;

/** Throws a usage error. */
export function parseCheckExpression(text: string): CheckExpression {
  const reader = new ExpressionReader(text);
  reader.skipBlanks();
  if (reader.isAtEnd) throw reader.failure('the expression is empty', 0, 'give one such as lag>1000 or behind>5m');
  const metric = readMetric(reader);
  const operator = readOperator(reader);
  reader.skipBlanks();
  const {at} = reader;
  const value = reader.rest();
  return {metric, operator, limit: limitOf(reader, metric, value, at), condition: `${operator}${value}`};
}

function readMetric(reader: ExpressionReader): MetricName {
  const {at, characters} = reader.word((char) => BEGINS_OPERATOR.test(char));
  const typed = bytesOf(characters).toString();
  const known = METRIC_NAMES.find((name) => name === typed);
  if (known !== undefined) return known;
  const all = `metrics are ${METRIC_NAMES.join(' ')}`;
  if (typed === '') throw reader.failure('the name of a metric is missing', at, all);
  const near = nearest(typed.replaceAll('-', '_').toLowerCase(), METRIC_NAMES);
  throw reader.failure(`there is no metric "${typed}"`, at, near === undefined ? all : `did you mean ${near}? ${all}`);
}

function readOperator(reader: ExpressionReader): Operator {
  const {at} = reader;
  const hint = 'operators are > >= < <= = !=';
  if (reader.isAtEnd) throw reader.failure('an operator and a value are missing', at, hint);
  const operator = OPERATORS.find((one) => reader.takes(one));
  const next = reader.next;
  if (operator !== undefined && !(next !== undefined && BEGINS_OPERATOR.test(next))) return operator;
  throw reader.failure(`"${(operator ?? '') + (next ?? '')}" is not an operator`, at, hint);
}

const EXAMPLES: Record<Unit, string> = {
  count: 'a number such as 1000',
  ms: 'a duration such as 30s, 5m or 1h',
  bytes: 'a size such as 64KB, 100MB or 1GB',
  percent: 'a number such as 90',
};

function limitOf(reader: ExpressionReader, metric: MetricName, value: string, at: number): number {
  const unit = unitOf(metric);
  const limit = parseLimit(unit, value);
  if (limit !== undefined) return limit;
  throw reader.failure(`${metric} takes ${EXAMPLES[unit]}${value === '' ? '' : `, not "${value}"`}`, at);
}

function parseLimit(unit: Unit, value: string): number | undefined {
  switch (unit) {
    case 'ms':
      return value === '0' ? 0 : parseDuration(value);
    case 'bytes':
      return parseSize(value);
    default: {
      const digits = unit === 'percent' ? value.replace(/%$/, '') : value;
      return /^\d{1,15}(\.\d{1,9})?$/.test(digits) ? Number(digits) : undefined;
    }
  }
}

/** Whether the expression holds of a figure between `bounds`; undefined where they prove neither. */
export function decide({operator, limit}: CheckExpression, {atLeast, atMost}: Bounds): boolean | undefined {
  switch (operator) {
    case '>':
      return proven(atLeast > limit, atMost <= limit);
    case '>=':
      return proven(atLeast >= limit, atMost < limit);
    case '<':
      return proven(atMost < limit, atLeast >= limit);
    case '<=':
      return proven(atMost <= limit, atLeast > limit);
    case '=':
      return proven(atLeast === limit && atMost === limit, limit < atLeast || limit > atMost);
    case '!=':
      return proven(limit < atLeast || limit > atMost, atLeast === limit && atMost === limit);
  }
}

const proven = (holds: boolean, fails: boolean): boolean | undefined => (holds ? true : fails ? false : undefined);
