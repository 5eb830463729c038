/** The flags of `produce`, those of each XADD that `serve` shares, and what they mean to the parts that do the work. */
import {Flags, type Interfaces} from '@oclif/core';
import {usageError} from '../errors.js';
import type {AddOptions, AddRequest, Trim} from '../stream-client.js';
import {duration, entryId, position, rate, wholeNumber} from './flag-values.js';
import {commonFlags, outputFlag, serviceConnectionFlags, streamFlag, writeFlag} from './flags.js';
import {inputFlags} from './input-flags.js';

type DurabilityWanted = {kind: 'replicas'; count: number} | {kind: 'fsync'};

/** Undefined for `reply`, which every XADD waits for anyway. */
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

const DELIVERY = {helpGroup: 'DELIVERY'};

const entryFlags = {
  id: entryId({summary: 'ID of the entry; with MS-* Redis chooses the sequence number'}),
  count: wholeNumber({char: 'n', min: 1, summary: 'add the entry N times'}),
  rate: rate({summary: 'add it at this rate; without --count, until interrupted'}),
};

/** What `produce` and `serve` give to each XADD. */
export const addFlags = {
  maxlen: wholeNumber({exclusive: ['minid', 'max-age'], summary: 'keep at most N entries, at each add (MAXLEN)'}),
  minid: position({
    exclusive: ['max-age'],
    helpValue: 'ID|@TIME',
    summary: 'remove entries before this, at each add (MINID)',
  }),
  'max-age': duration({summary: 'remove entries older than this, at each add'}),
  approx: Flags.boolean({summary: 'trim whole nodes only (~): much cheaper'}),
  'no-create': Flags.boolean({summary: 'fail if the stream does not exist (NOMKSTREAM)'}),
};

export const deliveryFlags = {
  batch: wholeNumber({...DELIVERY, min: 1, default: 500, summary: 'maximum records per batch'}),
  'max-inflight': wholeNumber({
    ...DELIVERY,
    min: 1,
    default: 20_000,
    summary: 'maximum records that wait for a reply, up to 16MB of them',
  }),
  'retry-for': duration({
    ...DELIVERY,
    defaultHelp: async () => '60s; with --follow, for ever',
    summary: 'keep trying for this long while Redis is away or refuses for now',
  }),
  durability: durability({
    ...DELIVERY,
    defaultHelp: async () => 'reply',
    summary:
      'when a record counts as added: at its reply, on N replicas (replicas:N, by WAIT) or on disk (fsync, by WAITAOF)',
  }),
  'exactly-once': Flags.boolean({
    ...DELIVERY,
    summary: 'add no record twice, whatever fails; runs a script on the server, which is slower',
  }),
  hold: duration({
    ...DELIVERY,
    default: 5_000,
    summary:
      'with --exactly-once, keep confirmed records this long, up to 32MB, and add them again if a failover loses them',
  }),
  'producer-id': Flags.string({
    ...DELIVERY,
    helpValue: 'ID',
    dependsOn: ['exactly-once'],
    summary: 'name of this input; running it again within a week adds only what is missing',
  }),
  atomic: Flags.boolean({
    ...DELIVERY,
    exclusive: ['resume', 'follow', 'keep-ids'],
    summary: 'add all records or none, up to 100,000 and 64MB',
  }),
  resume: Flags.boolean({
    ...DELIVERY,
    dependsOn: ['file'],
    summary: 'keep a checkpoint of how much of --file was added, and continue from it',
  }),
  checkpoint: Flags.string({
    ...DELIVERY,
    helpValue: 'PATH',
    defaultHelp: async () => 'FILE.checkpoint',
    summary: 'where the checkpoint of --resume or --follow is kept',
  }),
  'last-line': Flags.boolean({
    ...DELIVERY,
    dependsOn: ['resume'],
    summary: 'with --resume, add a last line that has no newline; otherwise it waits for the next run',
  }),
};

export const produceFlags = {
  ...streamFlag,
  ...entryFlags,
  ...addFlags,
  force: Flags.boolean({
    dependsOn: ['max-age'],
    summary: 'trim by age although the IDs of the stream are not times',
  }),
  ...inputFlags,
  ...deliveryFlags,
  ...serviceConnectionFlags,
  ...writeFlag,
  ...commonFlags,
  output: outputFlag('print IDs in this shape', 'table, which is IDs alone'),
};
export type ProduceFlags = Interfaces.InferredFlags<typeof produceFlags>;

type AddFlags = Interfaces.InferredFlags<typeof addFlags>;

/**
 * Gives the options for now: always the same object, which costs nothing, but with `--max-age`, which means the age at
 * that time. Throws a usage error.
 */
export function addOptions(flags: AddFlags): () => AddOptions {
  const optionsAt = (nowMs: number): AddOptions => ({create: !flags['no-create'], trim: trimOf(flags, nowMs)});
  const fixed = optionsAt(Date.now());
  return flags['max-age'] === undefined ? () => fixed : () => optionsAt(Date.now());
}

/** Gives, for records that arrived together, what makes the request for each of them: one object for all records, without fields. */
export function addRequests(
  flags: {id?: string | undefined; 'keep-ids': boolean},
  options: () => AddOptions,
): () => (record: {readonly id?: string | undefined}) => AddRequest {
  const {id = '*', 'keep-ids': keepsIds} = flags;
  const request: AddRequest = {fields: [], id, options: options()};
  const requestOf = (record: {readonly id?: string | undefined}): AddRequest => {
    if (keepsIds) request.id = record.id ?? id;
    return request;
  };
  return () => {
    request.options = options();
    return requestOf;
  };
}

function trimOf({maxlen, minid, 'max-age': maxAgeMs, approx: approximate}: AddFlags, nowMs: number): Trim | undefined {
  if (maxlen !== undefined) return {kind: 'maxLen', maxLen: maxlen, approximate};
  if (maxAgeMs !== undefined) return {kind: 'minId', minId: `${Math.max(0, nowMs - maxAgeMs)}-0`, approximate};
  if (minid === undefined) {
    if (approximate) throw usageError('--approx needs a limit', 'add --maxlen, --minid or --max-age');
    return undefined;
  }
  if (minid.kind === 'id') return {kind: 'minId', minId: minid.id, approximate};
  if (minid.kind === 'time') return {kind: 'minId', minId: `${minid.ms}-0`, approximate};
  throw usageError('--minid takes an ID or @TIME here');
}

const BATCH_BYTES = 1024 ** 2;
const WINDOW_BYTES = 16 * 1024 ** 2;

const RETRY_MS = 60_000;
/** A number, so that a signal still ends it soon. */
const FOR_EVER_MS = Number.MAX_SAFE_INTEGER;

/** Of confirmed records. */
const HOLD_BYTES = 32 * 1024 ** 2;
/** How long WAIT and WAITAOF may take until they are asked again. */
const WAIT_MS = 1_000;

/** What a record counts as added by; undefined for the reply to its XADD. */
export const durabilityOf = ({durability, silence}: ProduceFlags) =>
  durability && {...durability, waitMs: Math.min(WAIT_MS, Math.ceil(silence / 2))};

/** How records are sent, and what is done when they are not taken. */
export const deliveryOptions = (flags: ProduceFlags) => ({
  stream: flags.stream,
  batch: {records: Math.min(flags.batch, flags['max-inflight']), bytes: BATCH_BYTES},
  window: {records: flags['max-inflight'], bytes: WINDOW_BYTES},
  retryForMs: flags['retry-for'] ?? (flags.follow === undefined ? RETRY_MS : FOR_EVER_MS),
  hold: {ms: flags.hold, bytes: HOLD_BYTES},
  once: flags['exactly-once'] || flags.atomic ? {producerId: flags['producer-id'], atomic: flags.atomic} : undefined,
});
