/**
 * What confirms that entries are safe, beyond the reply to their XADD: WAIT
 * (redis.io/docs/latest/commands/wait) for replicas, WAITAOF for the server's
 * own disk. Both speak of all that was written on their connection before them.
 * Invariant: too few replicas, or a disk that is slow, is a refusal for now: it
 * is for the caller to ask again, for as long as it tries anything again.
 */
import {formatDuration} from '../duration.js';
import {StreamlogError} from '../errors.js';
import {type CommandBatch, commandBatch} from './command-batch.js';
import {RespWriter} from './resp-writer.js';

export type Durability = ({readonly kind: 'replicas'; readonly count: number} | {readonly kind: 'fsync'}) & {
  /** How long the server may take for one answer; well below the silence after which a connection counts as dead. */
  readonly waitMs: number;
};

/** The code of the failure of what is in the stream, but not as safe as it was asked to be. */
export const NOT_DURABLE = 'NOT_DURABLE';
/** Room for the longest of the commands. */
const COMMAND_BYTES = 128;

/** The command, to be sent behind the XADDs that it speaks of. */
export function durabilityCommand(durability: Durability): Buffer {
  const parts =
    durability.kind === 'replicas'
      ? ['WAIT', String(durability.count), String(durability.waitMs)]
      : ['WAITAOF', '1', '0', String(durability.waitMs)];
  const writer = new RespWriter(COMMAND_BYTES);
  writer.command(parts);
  return writer.take();
}

/** How many numbers it answers with: of replicas; of own disks and replicas. */
export const durabilityReplies = ({kind}: Durability): number => (kind === 'replicas' ? 1 : 2);

/** Whether this server and this user have it at all: asked before anything is added. */
export function durabilityBatch(durability: Durability): CommandBatch {
  if (durability.kind === 'replicas') return commandBatch(['WAIT', '0', '0']);
  // With nothing written on the connection, the answer comes at once.
  return {bytes: durabilityCommand(durability), replies: durabilityReplies(durability)};
}

/** What an error reply to it means. */
export function durabilityRefusal({kind}: Durability, failure: StreamlogError): StreamlogError {
  if (failure.kind === 'denied') {
    const command = kind === 'replicas' ? 'WAIT' : 'WAITAOF';
    return new StreamlogError('denied', `the Redis user may not run ${command}`, {
      code: failure.code,
      hint: `--durability needs it: redis-cli ACL SETUSER NAME +${command.toLowerCase()}`,
    });
  }
  if (kind === 'replicas' || (failure.kind !== 'data' && failure.kind !== 'configuration')) return failure;
  const isUnknown = failure.kind === 'configuration';
  return new StreamlogError(
    'configuration',
    isUnknown ? 'this server does not know WAITAOF' : 'this server keeps no append-only file, so WAITAOF has no answer',
    {
      code: failure.code,
      hint: isUnknown
        ? '--durability fsync needs Redis 7.2 or later, or Valkey'
        : 'set appendonly yes, or leave --durability fsync out',
    },
  );
}

/** What is wrong with the first number of its answer; undefined when it is as asked for. */
export function durabilityFailure(durability: Durability, confirmed: number): StreamlogError | undefined {
  const {kind, waitMs} = durability;
  if (confirmed >= (kind === 'replicas' ? durability.count : 1)) return undefined;
  const message =
    kind === 'replicas'
      ? `${confirmed} of ${durability.count} replicas had the entries within ${formatDuration(waitMs)}`
      : `the entries were not on the disk of the server within ${formatDuration(waitMs)}`;
  return new StreamlogError('temporary', message, {
    code: NOT_DURABLE,
    hint: 'they are in the stream, but not as safe as --durability asks for; those behind them may not be there',
  });
}
