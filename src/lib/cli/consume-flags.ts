/** The flags of `consume`, and what they mean to the parts that do the work. */
import {Flags} from '@oclif/core';
import type {HandlerPoolOptions} from '../consume/handler-pool.js';
import type {MultiStreamOptions} from '../consume/multi-stream-consumer.js';
import {deadLetterStream} from '../dead-letters/dead-letter-origin.js';
import {usageError} from '../errors.js';
import type {Position} from '../records/position.js';
import {FIRST_ID} from '../records/stream-id.js';
import {
  duration,
  durationOrOff,
  groupFlag,
  name,
  position,
  recordFlags,
  serviceConnectionFlags,
  streamsFlag,
  wholeNumber,
} from './flags.js';

const fromStart: Position = {kind: 'id', id: FIRST_ID};
const HANDLERS = {helpGroup: 'HANDLER'};

export const consumeFlags = {
  ...streamsFlag,
  ...groupFlag,
  name: name({
    summary:
      'the consumer, one process at a time; a restart with the same name finishes its backlog [default: host-pid]',
  }),
  exclusive: Flags.boolean({summary: 'end with 75 when another process is running under the same --name'}),
  from: position({default: fromStart, defaultHelp: async () => 'start', summary: 'where a new group begins'}),
  'no-create': Flags.boolean({summary: 'fail when the stream or the group is missing, or goes missing'}),
  claim: durationOrOff({
    default: 60_000,
    defaultHelp: async () => '60s',
    summary: 'take over entries that another consumer has had for longer; at least 1s with --exec',
  }),
  count: wholeNumber({char: 'n', min: 1, summary: 'stop after this many records'}),
  exit: Flags.boolean({summary: 'stop when nothing is left to read'}),
  wait: duration({
    exclusive: ['exit'],
    summary: 'stop when the stream brought nothing for this long; our own work does not count',
  }),
  batch: wholeNumber({min: 1, default: 100, summary: 'entries a read at most'}),
  ack: Flags.option({
    options: ['written', 'none'] as const,
    default: 'written' as const,
    summary: 'acknowledge what was written, or leave that to "streamlog ack"',
  })(),
  'no-ack': Flags.boolean({exclusive: ['ack'], summary: 'at-most-once: entries never become pending (NOACK)'}),
  drain: duration({
    default: 30_000,
    defaultHelp: async () => '30s',
    summary: 'after the first signal, finish what is in hand for up to this long',
  }),
  ephemeral: Flags.boolean({summary: 'remove the consumer at the end, if nothing is pending with it'}),
  'fail-on-trimmed': Flags.boolean({summary: 'fail at the end when pending entries were no longer in the stream'}),
  exec: Flags.string({
    ...HANDLERS,
    helpValue: 'COMMAND',
    exclusive: ['ack', 'no-ack', 'format'],
    summary:
      'run this in a shell for each entry, its record on standard input; exit code 0 acknowledges it, 65 gives it up',
  }),
  parallel: wholeNumber({
    ...HANDLERS,
    char: 'P',
    min: 1,
    dependsOn: ['exec'],
    defaultHelp: async () => '1',
    summary: 'handlers at the same time',
  }),
  'exec-batch': Flags.boolean({
    ...HANDLERS,
    dependsOn: ['exec'],
    summary: 'give a whole batch to one run: all of it or none',
  }),
  'exec-timeout': duration({
    ...HANDLERS,
    dependsOn: ['exec'],
    summary: 'end a handler that runs longer; it has failed',
  }),
  'retry-backoff': duration({
    ...HANDLERS,
    default: 1_000,
    defaultHelp: async () => '1s',
    summary: 'wait this long before the second attempt, and twice as long before each later one',
  }),
  'max-deliver': wholeNumber({
    ...HANDLERS,
    min: 1,
    defaultHelp: async () => '5 with --exec',
    summary: 'an entry that was delivered this often without success goes to the dead letters',
  }),
  'dead-letter': name({
    ...HANDLERS,
    summary: 'the stream of dead letters [default: {stream}:dead]',
  }),
  ...serviceConnectionFlags,
  ...recordFlags,
};

export interface ConsumeFlags {
  stream: string[];
  group: string;
  name?: string;
  exclusive: boolean;
  from: Position;
  'no-create': boolean;
  claim: number | 'off';
  count?: number;
  exit: boolean;
  wait?: number;
  batch: number;
  ack: 'written' | 'none';
  'no-ack': boolean;
  drain: number;
  exec?: string;
  parallel?: number;
  'exec-batch': boolean;
  'retry-backoff': number;
  'max-deliver'?: number;
  'dead-letter'?: string;
}

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
    // A name of host and process has no other one.
    sharedName: flags.exclusive ? 'refuse' : flags.name === undefined ? 'ignore' : 'warn',
    acknowledges: flags.ack !== 'none',
    // What waits for a handler may wait with somebody else; and with --no-ack, what is read and not written is lost.
    inTurn: flags.exec === undefined && !flags['no-ack'],
    stopWhenEmpty: flags.exit,
    // A handler may crash us before it has seen all that we have, so attempts are counted one by one.
    countsBacklog: flags.exec === undefined,
    limit: flags.count ?? Number.POSITIVE_INFINITY,
    silenceMs: flags.wait,
  };
}

const DEFAULT_MAX_DELIVERIES = 5;
/** Leases are renewed three times in it: where it is shorter, a busy machine is late, and workers rob each other for ever. */
const LEAST_LEASE_MS = 1_000;
/** Of those who let others take over nothing, others may still take over: this is their default. */
const DEFAULT_LEASE_MS = 60_000;

/** For `--exec`. Throws a usage error when a dead letter stream is to be named. */
export function handlerPoolOptions(flags: ConsumeFlags): Omit<HandlerPoolOptions, 'handle' | 'onFailed' | 'onDead'> {
  const named = flags['dead-letter'];
  if (named !== undefined && flags.stream.includes(named))
    throw usageError('--dead-letter names a stream that is consumed here');
  if (flags.claim !== 'off' && flags.claim < LEAST_LEASE_MS)
    throw usageError(
      '--claim must be at least 1s with --exec',
      'handlers keep their entries by renewing them; --claim off takes nothing over',
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
