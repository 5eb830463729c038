/** The flags of `copy`: which streams, to where, and which part of them. */
import {Flags, type Interfaces} from '@oclif/core';
import {isReservedKey} from '../colocated-key.js';
import type {CopyNames} from '../copy/copy-failures.js';
import type {ScheduleOptions} from '../copy/copy-schedule.js';
import {HOLD_PREFIX} from '../copy/hold-group.js';
import type {StreamsToCopy} from '../copy/streams-to-copy.js';
import {formatDuration} from '../duration.js';
import {usageError} from '../errors.js';
import {POSITION_HELP} from '../records/position.js';
import {conditionFlags, timeBound} from './filter-flags.js';
import {duration, name, position, rate} from './flag-values.js';
import {commonFlags, matchFlag, namedStreams, serviceConnectionFlags, streamsFlag, writeFlag} from './flags.js';

const TARGET = {helpGroup: 'TARGET'};
const MAX_GAP_MS = 10_000;

/** `1x`, `0.5x`: times as fast. */
const speed = Flags.custom<number>({
  helpValue: 'Nx',
  parse: async (text) => {
    const times = /^\d{1,6}(\.\d+)?x?$/.test(text) ? Number(text.replace('x', '')) : 0;
    if (times <= 0) throw usageError(`--speed takes how many times as fast, such as 1x or 0.5x, not "${text}"`);
    return times;
  },
});

export const copyFlags = {
  ...streamsFlag,
  ...matchFlag,
  'to-url': Flags.string({
    ...TARGET,
    helpValue: 'URL',
    exclusive: ['to-context'],
    summary: 'the server to copy to, as with --url',
  }),
  'to-context': Flags.string({
    ...TARGET,
    helpValue: 'NAME',
    summary: 'the server to copy to, by its name in the configuration',
  }),
  to: name({...TARGET, helpValue: 'NAME', exclusive: ['to-prefix'], summary: 'name of the copy (default: the same)'}),
  'to-prefix': Flags.string({...TARGET, helpValue: 'TEXT', summary: 'what stands before the names of the copies'}),
  from: position({
    summary: `begin here, unless the copy is further, whatever was trimmed before: ${POSITION_HELP}`,
  }),
  'to-end': timeBound({
    side: 'end',
    exclusive: ['follow'],
    defaultHelp: async () => 'the newest entry of now',
    summary: 'end here: a time, 1h (ago) or a position',
  }),
  ...conditionFlags,
  follow: Flags.boolean({default: false, summary: 'go on with what is added, until a signal'}),
  hold: name({
    helpValue: 'GROUP',
    dependsOn: ['follow'],
    exclusive: ['no-hold'],
    defaultHelp: async () => `${HOLD_PREFIX}TARGET`,
    summary: 'group of the source that stands where the copy does, so that trim --safe keeps the rest',
  }),
  'no-hold': Flags.boolean({
    default: false,
    dependsOn: ['follow'],
    summary: 'make no such group: change nothing in the source',
  }),
  groups: Flags.boolean({
    default: false,
    summary: 'carry groups over, each to where everything is acknowledged; only forward',
  }),
  trim: Flags.boolean({default: false, summary: 'remove from the copy what was trimmed from the source'}),
  'new-ids': Flags.boolean({
    default: false,
    exclusive: ['groups', 'trim', 'verify'],
    summary: 'add entries under new IDs, each once: several streams can be copied into one, and old ones replayed',
  }),
  verify: Flags.boolean({default: false, exclusive: ['follow'], summary: 'compare all entries in the end'}),
  rate: rate({summary: 'copy no more entries a second'}),
  speed: speed({summary: 'copy entries as far apart as they were added: 1x, or 10x as fast'}),
  'max-gap': duration({
    dependsOn: ['speed'],
    defaultHelp: async () => formatDuration(MAX_GAP_MS).replace(' ', ''),
    summary: 'wait no longer than this between two entries',
  }),
  ...serviceConnectionFlags,
  ...writeFlag,
  'retry-for': duration({
    helpGroup: 'CONNECTION',
    defaultHelp: async () => 'for ever',
    summary: 'give up when a server that was there is away for this long',
  }),
  ...commonFlags,
};

export type CopyFlags = Interfaces.InferredFlags<typeof copyFlags>;

/** Whether the copies are on the server of the source. */
export const isOneServer = (flags: Pick<CopyFlags, 'to-url' | 'to-context'>): boolean =>
  flags['to-url'] === undefined && flags['to-context'] === undefined;

/** Whether anything is written to the source. */
export const changesSource = (flags: Pick<CopyFlags, 'to-url' | 'to-context' | 'follow' | 'no-hold'>): boolean =>
  isOneServer(flags) || (flags.follow && !flags['no-hold']);

/** The flags that connect to the server of the copies, where that is another one: those of the source say nothing about it. */
export const secondServer = (flags: CopyFlags): CopyFlags => ({
  ...flags,
  url: flags['to-url'],
  context: flags['to-context'],
  username: undefined,
  'password-file': undefined,
  cacert: undefined,
  cert: undefined,
  key: undefined,
  sni: undefined,
  'sentinel-username': undefined,
  'sentinel-password-file': undefined,
  'map-address': undefined,
});

/** When entries go; undefined: at once. */
export const scheduleOf = (flags: CopyFlags): ScheduleOptions | undefined =>
  flags.speed === undefined && flags.rate === undefined
    ? undefined
    : {speed: flags.speed, rate: flags.rate, maxGapMs: flags['max-gap'] ?? MAX_GAP_MS};

/** The streams that are named, or the glob of --match. Throws a usage error for flags that do not fit together. */
export function streamsWanted(
  flags: CopyFlags,
  raw: readonly {type: string; flag?: string}[],
): readonly string[] | string {
  const {match, to, 'to-prefix': prefix} = flags;
  if (isOneServer(flags) && to === undefined && !prefix)
    throw usageError('no target is given', 'give --to-url or --to-context, or --to NAME for a copy on the same server');
  const named = namedStreams(flags, raw);
  if (to !== undefined && !flags['new-ids'] && (named === undefined || flags.stream.length > 1))
    throw usageError('--to is the name of one copy', 'give --to-prefix for several streams, or --new-ids');
  return named ?? match!;
}

/** What each stream is called in the target. Throws a usage error for one that would be copied onto itself. */
export function copyNames({streams, isSame}: StreamsToCopy, {to, 'to-prefix': prefix = ''}: CopyFlags): CopyNames[] {
  const all = streams.map((source) => ({source, target: to ?? `${prefix}${source}`}));
  const own = isSame ? all.find(({source, target}) => source === target) : undefined;
  if (own !== undefined)
    throw usageError(`"${own.source}" would be copied onto itself`, 'give --to NAME or --to-prefix TEXT');
  const reserved = all.find(({target}) => isReservedKey(target));
  if (reserved !== undefined)
    throw usageError(`"${reserved.target}" is a name for streamlog's own keys`, 'give another --to');
  return all;
}

/** The group of the source that stands where the copy does: undefined for none. `server` is where the copy is. */
export function holdGroupOf(flags: CopyFlags, {source, target}: CopyNames, server: string): string | undefined {
  if (!flags.follow || flags['no-hold']) return undefined;
  if (flags.hold !== undefined) return flags.hold;
  const at = isOneServer(flags) ? [] : [flags['to-context'] ?? server];
  const named = at.length > 0 && target === source ? [] : [target];
  return HOLD_PREFIX + [...at, ...named].join('/');
}
