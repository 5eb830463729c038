/** The flags of `import`, the files that it reads, and what they mean to the parts that do the work. */
import {Flags, type Interfaces} from '@oclif/core';
import {usageError} from '../errors.js';
import type {LinesCommand} from '../input/binary-format.js';
import {readContent} from '../input/content.js';
import {readFile, readSource} from '../input/source.js';
import type {StandardInput} from '../input/standard-input.js';
import type {FileReading} from '../input/whole-file.js';
import type {ImportPlan, ImportSource} from '../transfer/import-sections.js';
import {duration, name, rate} from './flag-values.js';
import {commonFlags, dryRunFlag, serviceConnectionFlags, writeFlag} from './flags.js';

const RETRY_MS = 60_000;

export const importFlags = {
  into: name({exclusive: ['prefix'], summary: 'the name of the stream; for a file of one stream'}),
  prefix: Flags.string({helpValue: 'TEXT', summary: 'put this before the name of each stream'}),
  replace: Flags.boolean({
    exclusive: ['append', 'new-ids'],
    summary: 'put the stream in the place of the one that is there',
  }),
  force: Flags.boolean({dependsOn: ['replace'], summary: 'do not ask before a stream is replaced'}),
  append: Flags.boolean({
    exclusive: ['new-ids'],
    summary: 'add to a stream that is there what is behind its last ID, and leave its groups alone',
  }),
  'new-ids': Flags.boolean({
    summary: 'add all entries to a stream, which may be there, with new IDs and without groups',
  }),
  'no-groups': Flags.boolean({summary: 'leave out groups, and what is pending in them'}),
  'age-to-now': Flags.boolean({
    summary: 'pending entries become as old as they were at the export, so that none is claimed for its age at once',
  }),
  unsealed: Flags.boolean({summary: 'take a file that was edited, or that range has printed: no trailer, no SHA-256'}),
  'no-verify': Flags.boolean({summary: 'do not read the stream again to compare it with the file'}),
  rate: rate({summary: 'entries a second, at most'}),
  ...dryRunFlag,
  ...serviceConnectionFlags,
  'retry-for': duration({
    helpGroup: 'CONNECTION',
    default: RETRY_MS,
    summary: 'keep trying for this long while Redis is away or refuses for now',
  }),
  ...writeFlag,
  ...commonFlags,
};
type ImportFlags = Interfaces.InferredFlags<typeof importFlags>;

type ImportQuestion = Omit<ImportPlan, 'redis' | 'openAdder' | 'delivery' | 'agreeToReplace' | 'onNote' | 'onProgress'>;

/** What is asked of an import. */
export function importQuestion(flags: ImportFlags): ImportQuestion {
  const {into, prefix = ''} = flags;
  return {
    mode: flags.replace ? 'replace' : flags.append ? 'append' : flags['new-ids'] ? 'newIds' : 'new',
    groups: !flags['no-groups'],
    agesToNow: flags['age-to-now'],
    verify: !flags['no-verify'],
    dryRun: flags['dry-run'],
    targetOf: (stream) => into ?? `${prefix}${stream}`,
    isOne: into !== undefined,
    ratePerSecond: flags.rate,
  };
}

/** For what is compressed in a way that no runtime reads. */
const pipeOf = async ({command}: LinesCommand): Promise<string> => `${command} | streamlog import`;

/** What is read, each at the time it is asked for; `-` and no file at all stand for standard input. Throws a usage error. */
export function importSources(
  files: readonly string[],
  {unsealed}: ImportFlags,
  around: {piped: StandardInput | undefined; reading: FileReading; stopping: AbortSignal},
): {isFile: boolean; open: () => ImportSource}[] {
  const {piped, reading, stopping} = around;
  const named = files.length > 0 ? files : ['-'];
  if (named.filter((file) => file === '-').length > 1) throw usageError('standard input can be read once');
  if (named.includes('-') && piped === undefined)
    throw usageError(
      'there is nothing to import',
      'name a FILE, or pipe an export: streamlog export | streamlog import',
    );
  return named.map((file) => ({
    isFile: file !== '-',
    open: () => {
      const label = file === '-' ? 'standard input' : file;
      const bytes = file === '-' ? piped! : readFile(file, 0, reading.warn);
      const source = readContent(readSource(bytes, {name: label, stopping}), {name: label, pipeOf});
      return {name: label, isSealed: !unsealed, source};
    },
  }));
}
