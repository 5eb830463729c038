/** The flags that say which records are wanted, and what they mean together. */
import {Flags, type Interfaces} from '@oclif/core';
import {usageError} from '../errors.js';
import type {EnvelopeName} from '../filter/envelope-test.js';
import {type Condition, parseExpression} from '../filter/expression.js';
import type {FieldReference} from '../filter/field-reference.js';
import {FieldSelection, parseSelection} from '../filter/field-selection.js';
import {parseGrep} from '../filter/grep.js';
import {RecordFilter} from '../filter/record-filter.js';
import {FieldShape} from '../output/field-shape.js';
import {type Bound, parseBound, parseTimeBound} from '../reading/stream-range.js';
import {wholeNumber} from './flag-values.js';

export const FILTER = {helpGroup: 'FILTER'};
const REPEATED = {...FILTER, multiple: true, multipleNonGreedy: true} as const;

const expression = Flags.custom<Condition>({helpValue: 'EXPR', parse: async (text) => parseExpression(text)});
const grepText = Flags.custom<Condition>({helpValue: 'TEXT', parse: async (text) => parseGrep(text)});

/** The flags of conditions, which need others besides. */
export const conditionsWith = (dependsOn: string[]) => ({
  where: expression({
    ...REPEATED,
    dependsOn,
    summary:
      'only entries for which EXPR holds: FIELD=VALUE, and != ~ !~ =~ !=~ > >= < <=, FIELD or !FIELD; repeat for several, ' +
      'which must all hold',
  }),
  'not-where': expression({...REPEATED, dependsOn, summary: 'only entries for which EXPR does not hold'}),
  grep: grepText({...REPEATED, dependsOn, summary: 'only entries with TEXT, or a match of /RE/, in a name or value'}),
});

export const conditionFlags = conditionsWith([]);

/** One end of what is read, by ID or time. */
export const timeBound = Flags.custom<Bound, {side: 'start' | 'end'}>({
  helpValue: 'WHERE',
  parse: async (text, _context, {side}) => parseTimeBound(text, side, Date.now()),
});

export const sinceFlag = {
  since: timeBound({...FILTER, side: 'start', summary: 'only entries from here on: a time, 1h (ago) or a position'}),
};
export const betweenFlags = {
  ...sinceFlag,
  until: timeBound({...FILTER, side: 'end', summary: 'only entries up to here'}),
};

export const maxScanFlag = {
  'max-scan': wholeNumber({...FILTER, min: 1, summary: 'look at no more than N entries'}),
};

/** The same where entries are listed only with `--payload`, and in the order of their IDs. */
export const payloadFilterFlags = {
  since: {...betweenFlags.since, dependsOn: ['details']},
  until: {...betweenFlags.until, dependsOn: ['details']},
  ...conditionsWith(['payload']),
  'max-scan': {...maxScanFlag['max-scan'], dependsOn: ['payload']},
};

const selection = Flags.custom<FieldReference[]>({
  helpValue: 'FIELD,FIELD',
  parse: async (text) => parseSelection(text),
});

/** Which fields of records are printed, and in which form. */
const fieldFlagsWith = (dependsOn: string[]) => ({
  select: selection({
    dependsOn,
    helpGroup: 'OUTPUT',
    summary:
      'print only these fields, in this order; in CSV and TSV, each is a column. A path into JSON is a field, too',
  }),
  parse: Flags.string({
    helpGroup: 'OUTPUT',
    helpValue: 'FIELD',
    multiple: true,
    multipleNonGreedy: true,
    exclusive: ['format'],
    dependsOn,
    summary: 'in JSON, print the JSON that this field holds as it is, not as a string',
  }),
});

export const fieldFlags = fieldFlagsWith([]);

/** The same where fields are printed only with `--payload`. */
export const payloadFieldFlags = fieldFlagsWith(['payload']);

/** What they mean. */
export const fieldShape = ({select, parse}: Partial<Interfaces.InferredFlags<typeof fieldFlags>>): FieldShape =>
  new FieldShape(select === undefined ? undefined : new FieldSelection(select), parse ?? []);

type ConditionFlags = Partial<Interfaces.InferredFlags<typeof conditionFlags>>;

const DELIVERIES_ARE_KNOWN_TO = 'pending and consume know the consumer and the deliveries of an entry';

/** The filter that `flags` ask for; `known` is what is known of each entry beside its fields. Throws a usage error. */
export const recordFilter = (
  flags: ConditionFlags,
  known: readonly EnvelopeName[] = ['id', 'time'],
): RecordFilter | undefined => RecordFilter.of(flags, known, DELIVERIES_ARE_KNOWN_TO);

/** The bounds of `range`: its arguments, or --since and --until. Throws a usage error for both at once. */
export function boundsOf(
  args: {start: string; end: string},
  {since, until}: {since?: Bound | undefined; until?: Bound | undefined},
  raw: readonly {type: string}[],
): {start: Bound; end: Bound} {
  const typed = raw.filter(({type}) => type === 'arg').length;
  if (since !== undefined && typed > 0) throw usageError('give START or --since, not both');
  if (until !== undefined && typed > 1) throw usageError('give END or --until, not both');
  const nowMs = Date.now();
  return {
    start: since ?? parseBound(args.start, 'start', nowMs),
    end: until ?? parseBound(args.end, 'end', nowMs),
  };
}
