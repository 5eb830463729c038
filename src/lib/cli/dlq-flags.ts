/** The flags of the `dlq` commands: which dead letter stream, and which of its entries. */
import {Args, Flags} from '@oclif/core';
import {deadLetterStream} from '../dead-letters/dead-letter-origin.js';
import {usageError} from '../errors.js';
import type {IdReference} from '../input/id-reader.js';
import type {Field} from '../records/entry.js';
import {name, wholeNumber} from './flags.js';
import {openIds, type Surroundings} from './id-input.js';

export const deadLetterFlags = {
  stream: name({
    char: 's',
    env: 'STREAMLOG_STREAM',
    default: 'events',
    summary: 'the stream that the entries came from',
  }),
  'dead-letter': name({defaultHelp: async () => '{STREAM}:dead', summary: 'the dead letter stream'}),
};

/** `name=value`; the value may contain =. */
const fieldEquals = Flags.custom<Field>({
  helpValue: 'FIELD=VALUE',
  parse: async (text, _context, {name}) => {
    const equals = text.indexOf('=');
    if (equals === -1) throw usageError(`--${name} takes field=value, such as _dlq_group=billing, not "${text}"`);
    return [text.slice(0, equals), text.slice(equals + 1)];
  },
});

export const selectionFlags = {
  where: fieldEquals({
    multiple: true,
    multipleNonGreedy: true,
    summary: 'only entries with this field and value; repeat for several, which must all match',
  }),
  limit: wholeNumber({min: 1, summary: 'at most N entries, oldest first'}),
};

export const deadIdsArgument = {
  ids: Args.string({
    ignoreStdin: true,
    multiple: true,
    description: 'IDs or records of dead letters; - reads them from standard input (default: all)',
  }),
};

/** The dead letter stream that the flags name. */
export const chosenDeadLetter = (flags: {stream: string; 'dead-letter'?: string | undefined}): string =>
  flags['dead-letter'] ?? deadLetterStream(flags.stream);

/** Undefined if no IDs are given: all entries are selected. */
export function openDeadIds(
  args: readonly string[] | undefined,
  surroundings: Surroundings,
): AsyncIterable<IdReference[]> | undefined {
  if (args === undefined || args.length === 0) return undefined;
  return openIds(args.length === 1 && args[0] === '-' ? undefined : args, surroundings);
}
