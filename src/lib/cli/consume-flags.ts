/** The flags of `consume`, and what they mean to the parts that do the work. */
import {Flags, type Interfaces} from '@oclif/core';
import {EntryFilter} from '../consume/entry-filter.js';
import type {HandlerPoolOptions} from '../consume/handler-pool.js';
import type {MultiStreamOptions} from '../consume/multi-stream-consumer.js';
import {deadLetterStream} from '../dead-letters/dead-letter-origin.js';
import {formatDuration} from '../duration.js';
import {usageError} from '../errors.js';
import {ENVELOPE_NAMES} from '../filter/envelope-test.js';
import {listed} from '../output/sentences.js';
import type {Position} from '../records/position.js';
import {FIRST_ID} from '../records/stream-id.js';
import {conditionsWith, FILTER, fieldFlags, recordFilter} from './filter-flags.js';
import {duration, durationOrOff, name, position, wholeNumber} from './flag-values.js';
import {groupFlag, recordFlags, serviceConnectionFlags, streamsFlag, typedText, writeFlag} from './flags.js';

const fromStart: Position = {kind: 'id', id: FIRST_ID};
const HANDLERS = {helpGroup: 'HANDLER'};

export const consumeFlags = {
  ...streamsFlag,
  ...groupFlag,
  name: name({
    defaultHelp: async () => 'HOST-PID',
    summary:
      'the consumer, one process at a time; a restart under the same name first processes what is pending with it',
  }),
  from: position({default: fromStart, defaultHelp: async () => 'start', summary: 'where a new group starts'}),
  count: wholeNumber({char: 'n', min: 1, summary: 'stop after N entries'}),
  exit: Flags.boolean({summary: 'stop when nothing is left to read'}),
  wait: duration({
    exclusive: ['exit'],
    summary: 'stop when no entry has come for this long, not counting the time for processing',
  }),
  ...conditionsWith(['others']),
  others: Flags.option({
    ...FILTER,
    options: ['ack', 'leave'] as const,
    summary:
      'what becomes of entries that do not match: they are acknowledged, or stay pending for consumers that want them',
  })(),
  batch: wholeNumber({min: 1, default: 100, summary: 'maximum entries per read'}),
  ack: Flags.option({
    options: ['written', 'none'] as const,
    default: 'written' as const,
    summary: 'acknowledge what was written, or leave that to "streamlog ack"',
  })(),
  'no-ack': Flags.boolean({exclusive: ['ack'], summary: 'at most once: entries never become pending (NOACK)'}),
  claim: durationOrOff({
    default: 60_000,
    summary: 'take over entries that have been pending with another consumer for this long; at least 1s with --exec',
  }),
  drain: duration({default: 30_000, summary: 'after the first signal, finish entries in progress for up to this long'}),
  'no-create': Flags.boolean({summary: 'fail if the stream or the group is missing, or goes missing'}),
  exclusive: Flags.boolean({summary: 'exit with 75 if another process runs under the same --name'}),
  ephemeral: Flags.boolean({
    summary: 'remove the consumer at the end, unless entries are pending with it; without --name, that is done anyway',
  }),
  'fail-on-trimmed': Flags.boolean({summary: 'exit with 65 if pending entries were trimmed or deleted'}),
  exec: Flags.string({
    ...HANDLERS,
    helpValue: 'COMMAND',
    exclusive: ['ack', 'no-ack', 'format'],
    summary:
      'run COMMAND in a shell for each entry, with its record on standard input; exit code 0 acknowledges it, ' +
      '65 makes it a dead letter',
  }),
  parallel: wholeNumber({
    ...HANDLERS,
    char: 'P',
    min: 1,
    dependsOn: ['exec'],
    defaultHelp: async () => '1',
    summary: 'maximum handlers at a time',
  }),
  'exec-batch': Flags.boolean({
    ...HANDLERS,
    dependsOn: ['exec'],
    summary: 'run COMMAND once for a whole batch; all of it succeeds or none',
  }),
  'exec-timeout': duration({
    ...HANDLERS,
    dependsOn: ['exec'],
    summary: 'stop a handler that runs longer; it has failed',
  }),
  'retry-backoff': duration({
    ...HANDLERS,
    default: 1_000,
    summary: 'wait before the second attempt; doubled before each later one',
  }),
  'max-deliver': wholeNumber({
    ...HANDLERS,
    min: 1,
    defaultHelp: async () => '5 with --exec',
    summary: 'make an entry a dead letter after N failed deliveries',
  }),
  'dead-letter': name({
    ...HANDLERS,
    defaultHelp: async () => '{STREAM}:dead',
    summary: 'the stream of dead letters',
  }),
  ...serviceConnectionFlags,
  ...writeFlag,
  ...recordFlags,
  ...fieldFlags,
};
type ConsumeFlags = Interfaces.InferredFlags<typeof consumeFlags>;

/** What does not depend on the process. */
export function multiStreamOptions(
  flags: ConsumeFlags,
): Omit<MultiStreamOptions, 'connect' | 'mayFailOver' | 'consumer' | 'stopping' | 'onIdle' | 'onLost' | 'onProblem'> {
  return {
    streams: [...new Set(flags.stream)],
    group: flags.group,
    from: flags.from,
    create: !flags['no-create'],
    claimIdleMs: flags.claim === 'off' ? undefined : flags.claim,
    batch: flags.batch,
    noAck: flags['no-ack'],
    // The default name, HOST-PID, is unique.
    sharedName: flags.exclusive ? 'refuse' : flags.name === undefined ? 'ignore' : 'warn',
    acknowledges: flags.ack !== 'none',
    // Entries that wait for a handler could wait with another consumer; with --no-ack, what is read and not written is lost.
    inTurn: flags.exec === undefined && !flags['no-ack'],
    stopWhenEmpty: flags.exit,
    // A handler may crash this process before it got all of the backlog, so attempts are counted one by one.
    countsBacklog: flags.exec === undefined,
    limit: flags.count ?? Number.POSITIVE_INFINITY,
    silenceMs: flags.wait,
  };
}

/** A name that is made of the process does not come back, so its consumer would be left behind. */
export const removalAtEnd = ({ephemeral, name: named}: ConsumeFlags): 'none' | 'ifPossible' | 'required' =>
  ephemeral ? 'required' : named === undefined ? 'ifPossible' : 'none';

/** `waiting for entries of orders as billing/w1; Ctrl-C ends`; undefined where nothing is waited for. */
export function describeWaiting({stream, group, wait, exit}: ConsumeFlags, consumer: string): string | undefined {
  if (exit) return undefined;
  const limit = wait === undefined ? '' : ` for ${formatDuration(wait)}`;
  return `waiting${limit} for entries of ${listed([...new Set(stream)])} as ${group}/${consumer}; Ctrl-C ends`;
}

/** Which entries are processed; undefined where all are. Throws a usage error. */
export function entryFilter(flags: ConsumeFlags): EntryFilter | undefined {
  const {others} = flags;
  const filter = recordFilter(flags, ENVELOPE_NAMES);
  if (others === undefined) return undefined;
  if (filter === undefined) throw usageError('--others needs --where, --not-where or --grep');
  if (others === 'leave' && flags['no-ack']) throw usageError('--no-ack leaves nothing pending: give --others ack');
  return new EntryFilter(filter, others);
}

const DEFAULT_MAX_DELIVERIES = 5;
/** A lease is renewed three times in it. If it is shorter, a busy machine renews too late, and workers take over each other's entries. */
const LEAST_LEASE_MS = 1_000;
/** With --claim off, other consumers may still take over after their default of 60 s. */
const DEFAULT_LEASE_MS = 60_000;

/** For `--exec`. Throws a usage error. */
export function handlerPoolOptions(flags: ConsumeFlags): Omit<HandlerPoolOptions, 'handle' | 'onFailed' | 'onDead'> {
  const named = flags['dead-letter'];
  if (named !== undefined && flags.stream.includes(named))
    throw usageError('--dead-letter must not be a stream that is consumed');
  if (flags.claim !== 'off' && flags.claim < LEAST_LEASE_MS)
    throw usageError(
      '--claim must be at least 1s with --exec',
      'handlers renew their claim three times in it; --claim off takes nothing over',
    );
  const deadLetters = new Map(flags.stream.map((stream) => [stream, named ?? deadLetterStream(stream)]));
  return {
    parallel: flags.parallel ?? 1,
    wholeBatches: flags['exec-batch'],
    retryBackoffMs: flags['retry-backoff'],
    leaseMs: flags.claim === 'off' ? DEFAULT_LEASE_MS : flags.claim,
    drainMs: flags.drain,
    maxDeliveries: flags['max-deliver'] ?? DEFAULT_MAX_DELIVERIES,
    deadLetterOf: (stream) => deadLetters.get(stream)!,
  };
}

/** What is given for handlers while there are none: `--max-deliver and --dead-letter have no effect without --exec`. */
export function describeUnused(
  {exec}: ConsumeFlags,
  raw: readonly {type: string; flag?: string | undefined; input: string}[],
): string | undefined {
  const handlers = ['retry-backoff', 'max-deliver', 'dead-letter'].filter((flag) => typedText(flag, raw) !== undefined);
  if (exec !== undefined || handlers.length === 0) return undefined;
  return `${listed(handlers.map((flag) => `--${flag}`))} ${handlers.length === 1 ? 'has' : 'have'} no effect without --exec`;
}
