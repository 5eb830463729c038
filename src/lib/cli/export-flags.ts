/** The flags of `export`: which streams, what of them, and where it goes. */
import {Flags, type Interfaces} from '@oclif/core';
import {usageError} from '../errors.js';
import type {Compression} from '../transfer/compression.js';
import {compressionOfName} from '../transfer/export-file-name.js';
import {Masking} from '../transfer/masking.js';
import type {ExportQuestion} from '../transfer/stream-export.js';
import {betweenFlags, conditionFlags, recordFilter} from './filter-flags.js';
import {name, rate} from './flag-values.js';
import {commonFlags, connectionFlags, dryRunFlag, matchFlag, streamsFlag} from './flags.js';

const TO = {helpGroup: 'DESTINATION'};

export const exportFlags = {
  ...streamsFlag,
  ...matchFlag,
  file: Flags.string({
    ...TO,
    helpValue: 'FILE',
    exclusive: ['dir'],
    summary: 'write to this file, which appears when all of it is on disk; .gz and .zst compress',
  }),
  dir: Flags.string({
    ...TO,
    helpValue: 'DIR',
    summary: 'write a file for each stream into this directory; make it if it is missing',
  }),
  gzip: Flags.boolean({...TO, exclusive: ['zstd'], summary: 'compress with gzip'}),
  zstd: Flags.boolean({...TO, summary: 'compress with zstd, where the runtime has it'}),
  resume: Flags.boolean({...TO, summary: 'go on with the file of a run that was interrupted'}),
  from: {
    ...betweenFlags.since,
    helpGroup: undefined,
    summary: 'only entries from here on: an ID, @TIME, 1h (ago) or -N',
  },
  to: {...betweenFlags.until, helpGroup: undefined, summary: 'only entries up to here'},
  'no-groups': Flags.boolean({
    exclusive: ['pending-only'],
    summary: 'leave out groups and what is pending',
  }),
  'pending-only': Flags.boolean({summary: 'only entries that are pending and still in the stream'}),
  group: name({
    char: 'g',
    helpValue: 'NAME',
    dependsOn: ['pending-only'],
    summary: 'only what is pending in this group',
  }),
  mask: Flags.string({
    helpValue: 'FIELD',
    multiple: true,
    multipleNonGreedy: true,
    exclusive: ['resume'],
    summary: 'hide the value of this field: equal values stay equal; repeat for several',
  }),
  producers: Flags.boolean({summary: 'also how far producers with --exactly-once have come (SCAN)'}),
  rate: rate({summary: 'read at most so many entries a second'}),
  'fail-on-missing': Flags.boolean({
    exclusive: ['from', 'to', 'pending-only'],
    summary: 'fail where entries were trimmed or deleted before they were read',
  }),
  ...dryRunFlag,
  ...conditionFlags,
  ...connectionFlags,
  ...commonFlags,
};

type ExportFlags = Interfaces.InferredFlags<typeof exportFlags>;

/** What is exported of each stream. Throws a usage error. */
export function exportQuestion(flags: ExportFlags): ExportQuestion {
  const {from, to, group, mask = []} = flags;
  return {
    groups: flags['no-groups'] ? 'none' : group === undefined ? 'all' : {name: group},
    between: {since: from, until: to},
    pendingOnly: flags['pending-only'] ?? false,
    filter: recordFilter(flags),
    conditions: (['where', 'not-where', 'grep'] as const).flatMap((flag) =>
      (flags[flag] ?? []).flatMap(({text}) => [`--${flag}`, text]),
    ),
    masking: mask.length === 0 ? undefined : new Masking(mask),
    producers: flags.producers ?? false,
    failOnMissing: flags['fail-on-missing'] ?? false,
  };
}

/** How what is written is compressed: as a flag says, or else the name of the file. */
export function exportCompression({
  gzip,
  zstd,
  file,
}: Pick<ExportFlags, 'gzip' | 'zstd' | 'file'>): Compression | undefined {
  if (gzip) return 'gzip';
  if (zstd) return 'zstd';
  return file === undefined ? undefined : compressionOfName(file);
}

/** Whether standard output gets the export. Throws a usage error where that is a terminal, and for flags that need a file. */
export function writesToOutput(
  {file, dir, resume, output, json, 'dry-run': dryRun}: ExportFlags,
  outputIsTerminal: boolean,
): boolean {
  if (dryRun || dir !== undefined || (file !== undefined && file !== '-')) return false;
  if (resume) throw usageError('--resume takes --file or --dir', 'only a file can be gone on with');
  if (json || output !== undefined)
    throw usageError('standard output gets the export, in its one format', 'give --file to have facts printed instead');
  if (outputIsTerminal)
    throw usageError(
      'an export is for a file or a pipe, not for a terminal',
      'give --file FILE, or | streamlog import',
    );
  return true;
}
