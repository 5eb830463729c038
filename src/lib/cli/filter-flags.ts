/** The flags that say which records are wanted, and what they mean together. */
import {Flags, type Interfaces} from '@oclif/core';
import type {EnvelopeName} from '../filter/envelope-test.js';
import {type Condition, parseExpression} from '../filter/expression.js';
import {parseGrep} from '../filter/grep.js';
import {RecordFilter} from '../filter/record-filter.js';
import {wholeNumber} from './flags.js';

const FILTER = {helpGroup: 'FILTER'};
const REPEATED = {...FILTER, multiple: true, multipleNonGreedy: true} as const;

const expression = Flags.custom<Condition>({helpValue: 'EXPR', parse: async (text) => parseExpression(text)});
const grepText = Flags.custom<Condition>({helpValue: 'TEXT', parse: async (text) => parseGrep(text)});

export const conditionFlags = {
  where: expression({
    ...REPEATED,
    summary:
      'only entries for which EXPR holds: FIELD=VALUE, and != ~ !~ =~ !=~ > >= < <=, FIELD or !FIELD; repeat for several, ' +
      'which must all hold',
  }),
  'not-where': expression({...REPEATED, summary: 'only entries for which EXPR does not hold'}),
  grep: grepText({...REPEATED, summary: 'only entries with TEXT, or a match of /RE/, in a name or value'}),
};

export const maxScanFlag = {
  'max-scan': wholeNumber({...FILTER, min: 1, summary: 'look at no more than N entries'}),
};

type ConditionFlags = Partial<Interfaces.InferredFlags<typeof conditionFlags>>;

const DELIVERIES_ARE_KNOWN_TO = 'pending and consume know the consumer and the deliveries of an entry';

/** The filter that `flags` ask for; `known` is what is known of each entry beside its fields. Throws a usage error. */
export const recordFilter = (
  flags: ConditionFlags,
  known: readonly EnvelopeName[] = ['id', 'time'],
): RecordFilter | undefined => RecordFilter.of(flags, known, DELIVERIES_ARE_KNOWN_TO);
