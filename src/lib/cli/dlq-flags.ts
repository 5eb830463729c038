/** The flags of the `dlq` commands: which dead letter stream, and which of its entries. */
import {Args, type Interfaces} from '@oclif/core';
import {deadLetterStream} from '../dead-letters/dead-letter-origin.js';
import type {DeadLetterSelection} from '../dead-letters/selection.js';
import {Search} from '../filter/search.js';
import type {IdReference} from '../input/id-reader.js';
import type {Notes} from '../output/notes.js';
import {SearchNotes} from '../output/search-notes.js';
import {describeNoStream} from '../reading/missing-names.js';
import type {StreamClient} from '../stream-client.js';
import {betweenFlags, conditionFlags, maxScanFlag, recordFilter} from './filter-flags.js';
import {name, wholeNumber} from './flag-values.js';
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

export const selectionFlags = {
  ...betweenFlags,
  ...conditionFlags,
  ...maxScanFlag,
  limit: wholeNumber({min: 1, summary: 'at most N entries, oldest first'}),
};

type SelectionFlags = Interfaces.InferredFlags<typeof selectionFlags>;

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

/** Whether they select some of the entries, instead of all. */
export const selectsSome = (flags: SelectionFlags): boolean =>
  [flags.since, flags.until, flags.limit, flags['max-scan'], recordFilter(flags)].some((value) => value !== undefined);

/** What they select, and what is said of it. Throws a usage error. */
export function selectionOf(
  flags: SelectionFlags,
  notes: Notes,
): {said: SearchNotes; selection: Pick<DeadLetterSelection, 'search' | 'since' | 'until'>} {
  const said = new SearchNotes(notes);
  const onPage = (search: Search, found: number): void => said.page(search, found);
  const {since, until, limit: count, 'max-scan': maxScan} = flags;
  const search = new Search({filter: recordFilter(flags), count, maxScan, onPage});
  return {said, selection: {search, since, until}};
}

/** Nothing was found: at a terminal, says that the stream of the dead letters does not exist, if that is so. */
export async function sayNoOrigin(
  client: StreamClient,
  flags: {stream: string; 'dead-letter'?: string | undefined},
  notes: Notes,
): Promise<void> {
  if (!notes.isShown || flags['dead-letter'] !== undefined) return;
  const unknown = await describeNoStream(client, flags.stream);
  if (unknown !== undefined) notes.status(unknown);
}

/** Undefined if no IDs are given: all entries are selected. */
export function openDeadIds(
  args: readonly string[] | undefined,
  surroundings: Surroundings,
): AsyncIterable<IdReference[]> | undefined {
  if (args === undefined || args.length === 0) return undefined;
  return openIds(args.length === 1 && args[0] === '-' ? undefined : args, surroundings);
}
