/** What `produce` can be told, apart from which server. */
import {Flags} from '@oclif/core';
import {usageError} from '../errors.js';
import type {InputKind} from '../input/record-reader.js';
import {addFlags, duration, entryId, rate, size, streamFlag, wholeNumber} from './flags.js';

type DurabilityWanted = {kind: 'replicas'; count: number} | {kind: 'fsync'};

/** `reply` is what every XADD has, and so nothing that has to be asked for. */
const durability = Flags.custom<DurabilityWanted | undefined>({
  helpValue: 'HOW',
  parse: async (text) => {
    if (text === 'reply') return undefined;
    if (text === 'fsync') return {kind: 'fsync'};
    const count = /^replicas:([1-9]\d{0,3})$/.exec(text)?.[1];
    if (count === undefined) throw usageError(`--durability takes reply, replicas:N or fsync, not "${text}"`);
    return {kind: 'replicas', count: Number(count)};
  },
});

export const inputFlags = {
  input: Flags.option({
    options: ['ndjson', 'text', 'csv', 'envelope'] as const,
    default: 'ndjson' as InputKind,
    summary: 'what a line of the input is',
  })(),
  file: Flags.string({helpValue: 'PATH', summary: 'read this file; - is standard input'}),
  field: Flags.string({default: 'data', helpValue: 'NAME', summary: 'the field that holds a line of --input text'}),
  null: Flags.string({helpValue: 'TEXT', summary: 'store this for null, which is refused otherwise'}),
  'keep-ids': Flags.boolean({summary: 'give the records of --input envelope the IDs they had'}),
  'on-bad-line': Flags.option({
    options: ['fail', 'skip'] as const,
    default: 'fail' as const,
    summary: 'stop at a line that is no record, or go on',
  })(),
  'max-record-bytes': size({default: 8 * 1024 ** 2, defaultHelp: async () => '8MB', summary: 'refuse longer lines'}),
  id: entryId({summary: 'the ID of the entry; ms-* lets Redis choose the sequence'}),
  count: wholeNumber({char: 'n', min: 1, summary: 'add the entry given as arguments this often'}),
  force: Flags.boolean({
    dependsOn: ['max-age'],
    summary: 'trim by age although the IDs of the stream are no times',
  }),
  rate: rate({summary: 'and this often a second; without --count, until interrupted'}),
};

export const deliveryFlags = {
  batch: wholeNumber({helpGroup: 'DELIVERY', min: 1, default: 500, summary: 'records sent together at most'}),
  'max-inflight': wholeNumber({
    helpGroup: 'DELIVERY',
    min: 1,
    default: 20_000,
    summary: 'records that may wait for Redis, up to 16MB of them',
  }),
  'retry-for': duration({
    helpGroup: 'DELIVERY',
    default: 60_000,
    defaultHelp: async () => '60s',
    summary: 'how long to go on trying while Redis is away or refuses for now',
  }),
  durability: durability({
    helpGroup: 'DELIVERY',
    summary:
      'when a record counts as added: reply; replicas:N, once N replicas have it (WAIT); fsync, once the server has it on its disk (WAITAOF)',
  }),
  'exactly-once': Flags.boolean({
    helpGroup: 'DELIVERY',
    summary: 'no record twice, whatever is lost on the way; by a script, which costs speed',
  }),
  hold: duration({
    helpGroup: 'DELIVERY',
    default: 5_000,
    defaultHelp: async () => '5s',
    summary: 'with --exactly-once, keep confirmed records this long, up to 32MB, to add them again after a failover',
  }),
  'producer-id': Flags.string({
    helpGroup: 'DELIVERY',
    helpValue: 'ID',
    dependsOn: ['exactly-once'],
    summary: 'a name for this input: to run it again within a week adds only what is missing',
  }),
  atomic: Flags.boolean({
    helpGroup: 'DELIVERY',
    exclusive: ['resume', 'keep-ids'],
    summary: 'all records or none, up to 100,000 and 64MB',
  }),
  resume: Flags.boolean({
    helpGroup: 'DELIVERY',
    dependsOn: ['file'],
    summary: 'keep how far --file has been added, and go on from there',
  }),
  checkpoint: Flags.string({
    helpGroup: 'DELIVERY',
    helpValue: 'PATH',
    dependsOn: ['resume'],
    summary: 'where --resume keeps it, in place of FILE.checkpoint beside the file',
  }),
  'last-line': Flags.boolean({
    helpGroup: 'DELIVERY',
    dependsOn: ['resume'],
    summary:
      'take a last line that has no newline, for a file that does not grow; by itself, --resume leaves it for the next run',
  }),
};

export const produceFlags = {...streamFlag, ...inputFlags, ...addFlags, ...deliveryFlags};

interface DeliveryFlags {
  stream: string;
  batch: number;
  'max-inflight': number;
  'retry-for': number;
  durability: DurabilityWanted | undefined;
  'exactly-once': boolean;
  hold: number;
  silence: number;
  'producer-id': string | undefined;
  atomic: boolean;
}

const BATCH_BYTES = 1024 ** 2;
const WINDOW_BYTES = 16 * 1024 ** 2;

/** Of confirmed records. */
const HOLD_BYTES = 32 * 1024 ** 2;
/** How long WAIT and WAITAOF may take until they are asked again. */
const WAIT_MS = 1_000;

/** How records are sent, and what is done when they are not taken. */
export const deliveryOptions = (flags: DeliveryFlags) => ({
  stream: flags.stream,
  batch: {records: Math.min(flags.batch, flags['max-inflight']), bytes: BATCH_BYTES},
  window: {records: flags['max-inflight'], bytes: WINDOW_BYTES},
  retryForMs: flags['retry-for'],
  durability: flags.durability && {...flags.durability, waitMs: Math.min(WAIT_MS, Math.ceil(flags.silence / 2))},
  hold: {ms: flags.hold, bytes: HOLD_BYTES},
  once: flags['exactly-once'] || flags.atomic ? {producerId: flags['producer-id'], atomic: flags.atomic} : undefined,
});
