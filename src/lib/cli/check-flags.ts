/** The flags of `check`: what is compared with what, and how it is printed. */
import {Flags, type Interfaces} from '@oclif/core';
import {parseCheckExpression} from '../check/expression.js';
import type {Limits} from '../check/verdict.js';
import {usageError} from '../errors.js';
import {SHAPES} from '../output/shape.js';
import {duration, name} from './flag-values.js';
import {commonFlags, streamsFlag} from './flags.js';

/** `nagios` is the same on a terminal and in a pipe. */
const CHECK_SHAPES = ['nagios', ...SHAPES] as const;
export type CheckShape = (typeof CHECK_SHAPES)[number];

const EXPRESSIONS = {helpValue: 'EXPR', multiple: true, multipleNonGreedy: true, default: [] as string[]} as const;

export const checkFlags = {
  ...streamsFlag,
  match: Flags.string({helpValue: 'GLOB', summary: 'all streams whose names match: *, ?, [a-z]; \\ escapes'}),
  group: name({char: 'g', helpValue: 'NAME', summary: 'only this group of each stream'}),
  warn: Flags.string({
    ...EXPRESSIONS,
    char: 'w',
    summary: 'WARNING where EXPR holds: METRIC OP VALUE; repeat for several',
  }),
  critical: Flags.string({...EXPRESSIONS, char: 'c', summary: 'CRITICAL where EXPR holds; repeat for several'}),
  timeout: duration({default: 10_000, summary: 'end within this time, whatever happens'}),
};

export const checkOutputFlags = {
  ...commonFlags,
  output: Flags.option({options: CHECK_SHAPES, helpValue: CHECK_SHAPES.join('|')})({
    helpGroup: 'OUTPUT',
    char: 'o',
    exclusive: ['json'],
    defaultHelp: async () => 'nagios',
    summary: 'print in this shape',
  }),
};

type CheckFlags = Interfaces.InferredFlags<typeof checkFlags>;

/** Throws a usage error. */
export function limitsOf({warn, critical, timeout}: Pick<CheckFlags, 'warn' | 'critical' | 'timeout'>): Limits {
  if (timeout < 100) throw usageError('--timeout takes at least 100ms');
  if (warn.length + critical.length === 0)
    throw usageError('nothing to check', "give --warn or --critical, as in --critical 'lag>1000'");
  return {warning: warn.map(parseCheckExpression), critical: critical.map(parseCheckExpression)};
}

/** The streams that are named; undefined where `--match` says which. Throws a usage error for both. */
export function checkedStreams(
  {stream, match}: Pick<CheckFlags, 'stream' | 'match'>,
  raw: readonly {type: string; flag?: string}[],
): readonly string[] | undefined {
  if (match === undefined) return [...new Set(stream)];
  if (raw.some(({type, flag}) => type === 'arg' || flag === 'stream'))
    throw usageError('give --match or streams, not both');
  return undefined;
}
