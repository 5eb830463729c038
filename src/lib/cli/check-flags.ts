/** The flags of `check`: what is compared with what, and how it is printed. */
import {Flags, type Interfaces} from '@oclif/core';
import {parseCheckExpression} from '../check/expression.js';
import type {Limits} from '../check/verdict.js';
import {usageError} from '../errors.js';
import {SHAPES} from '../output/shape.js';
import {duration, name} from './flag-values.js';
import {commonFlags, matchFlag, streamsFlag} from './flags.js';

/** `nagios` is the same on a terminal and in a pipe. */
const CHECK_SHAPES = ['nagios', ...SHAPES] as const;
export type CheckShape = (typeof CHECK_SHAPES)[number];

const EXPRESSIONS = {helpValue: 'EXPR', multiple: true, multipleNonGreedy: true, default: [] as string[]} as const;

export const checkFlags = {
  ...streamsFlag,
  ...matchFlag,
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
