/** The flags of `archive`: which streams, into which directory, and in which files. */
import {Flags, type Interfaces} from '@oclif/core';
import {Rotation} from '../archive/rotation.js';
import type {ArchiveOptions} from '../archive/stream-archive.js';
import {parseDuration} from '../duration.js';
import {usageError} from '../errors.js';
import {POSITION_HELP} from '../records/position.js';
import {parseSize} from '../size.js';
import {checkCompression} from '../transfer/compression.js';
import {conditionFlags} from './filter-flags.js';
import {duration, name, position} from './flag-values.js';
import {commonFlags, matchFlag, serviceConnectionFlags, streamsFlag, writeFlag} from './flags.js';

const FILES = {helpGroup: 'FILES'};
const HOUR_MS = 3_600_000;
/** Each is some system calls, and a file. */
const LEAST_ROTATION_MS = 1_000;
const LEAST_ROTATION_BYTES = 1_024;

/** `1h`, `256MB`. */
const rotation = Flags.custom<{everyMs: number} | {maxBytes: number}>({
  helpValue: 'TIME|SIZE',
  parse: async (text) => {
    const everyMs = parseDuration(text);
    if (everyMs !== undefined && everyMs >= LEAST_ROTATION_MS) return {everyMs};
    const maxBytes = parseSize(text);
    if (everyMs === undefined && maxBytes !== undefined && maxBytes >= LEAST_ROTATION_BYTES) return {maxBytes};
    throw usageError(
      `--rotate takes a time of 1s or more, such as 1h, or a size of 1KB or more, such as 256MB, not "${text}"`,
    );
  },
});

export const archiveFlags = {
  ...streamsFlag,
  ...matchFlag,
  dir: Flags.string({
    ...FILES,
    required: true,
    helpValue: 'DIR',
    summary: 'write into this directory, with a directory in it for each stream; both are made',
  }),
  rotate: rotation({
    ...FILES,
    multiple: true,
    multipleNonGreedy: true,
    defaultHelp: async () => '1h',
    summary:
      'finish a file and begin another one at each full hour of IDs (1h), or at this size on disk; repeat for both',
  }),
  gzip: Flags.boolean({...FILES, exclusive: ['zstd'], summary: 'compress with gzip'}),
  zstd: Flags.boolean({...FILES, summary: 'compress with zstd, where the runtime has it'}),
  keep: duration({...FILES, summary: 'remove finished files whose last entry is this much older than the newest one'}),
  from: position({summary: `begin here, unless the archive is further, whatever was trimmed before: ${POSITION_HELP}`}),
  group: name({
    char: 'g',
    default: 'archive',
    summary: 'group that stands at the last entry on disk, so that trim --safe keeps the rest',
  }),
  exit: Flags.boolean({
    default: false,
    summary: 'finish the file when everything that is there now is archived, and end',
  }),
  ...conditionFlags,
  ...serviceConnectionFlags,
  ...writeFlag,
  'retry-for': duration({
    helpGroup: 'CONNECTION',
    defaultHelp: async () => 'for ever',
    summary: 'give up when a server that was there is away for this long',
  }),
  ...commonFlags,
};

type ArchiveFlags = Interfaces.InferredFlags<typeof archiveFlags>;

/** Throws a usage error, and `configuration` where this runtime cannot compress so. */
export function archiveOptions(flags: ArchiveFlags): ArchiveOptions {
  const {dir: directory, rotate = [], gzip, zstd, keep: keepMs} = flags;
  const times = rotate.flatMap((one) => ('everyMs' in one ? [one.everyMs] : []));
  const sizes = rotate.flatMap((one) => ('maxBytes' in one ? [one.maxBytes] : []));
  if (times.length > 1 || sizes.length > 1) throw usageError('--rotate takes one time and one size');
  const compression = gzip ? 'gzip' : zstd ? 'zstd' : undefined;
  checkCompression(compression);
  const everyMs = rotate.length === 0 ? HOUR_MS : times[0];
  return {directory, compression, rotation: new Rotation({everyMs, maxBytes: sizes[0]}), keepMs};
}
