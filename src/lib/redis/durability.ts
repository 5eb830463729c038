/**
 * What confirms that entries are safe, beyond the reply to their XADD: WAIT
 * (redis.io/docs/latest/commands/wait) for replicas, WAITAOF for the server's
 * own disk. Both speak of all that was written on their connection before them.
 */
import {StreamlogError} from '../errors.js';
import {ProtocolWriter} from './protocol-writer.js';
import type {Question} from './question.js';

export type Durability = {readonly kind: 'replicas'; readonly count: number} | {readonly kind: 'fsync'};

/** How long the server may take; below the silence after which a connection counts as dead. */
const WAIT_MS = 5_000;
/** Room for the longest of the commands. */
const COMMAND_BYTES = 128;

/** The command, to be sent behind the XADDs that it speaks of. */
export function durabilityCommand(durability: Durability): Buffer {
  const parts =
    durability.kind === 'replicas'
      ? ['WAIT', String(durability.count), String(WAIT_MS)]
      : ['WAITAOF', '1', '0', String(WAIT_MS)];
  const writer = new ProtocolWriter(COMMAND_BYTES);
  writer.command(parts);
  return writer.take();
}

/** How many numbers it answers with: of replicas; of own disks and replicas. */
export const durabilityReplies = ({kind}: Durability): number => (kind === 'replicas' ? 1 : 2);

/** Whether this server has it at all: asked before anything is added. Undefined where every server has it. */
export function durabilityQuestion(durability: Durability): Question | undefined {
  if (durability.kind === 'replicas') return undefined;
  // With nothing written on the connection, the answer comes at once.
  return {bytes: durabilityCommand(durability), replies: durabilityReplies(durability)};
}

/** What an error reply to it means. */
export function durabilityRefusal({kind}: Durability, failure: StreamlogError): StreamlogError {
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
  const {kind} = durability;
  if (confirmed >= (kind === 'replicas' ? durability.count : 1)) return undefined;
  const message =
    kind === 'replicas'
      ? `${confirmed} of ${durability.count} replicas had the entries within ${WAIT_MS / 1_000} s`
      : `the entries were not on the disk of the server within ${WAIT_MS / 1_000} s`;
  return new StreamlogError('temporary', message, {
    code: 'NOT_DURABLE',
    hint: 'they are in the stream, but not as safe as --durability asks for; those behind them may not be there',
  });
}
