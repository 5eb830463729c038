/**
 * What confirms that entries are safe beyond the reply to their XADD: WAIT
 * (redis.io/docs/latest/commands/wait) for replicas, WAITAOF
 * (redis.io/docs/latest/commands/waitaof) for the server's own disk. Both cover
 * everything written on their connection before them.
 */
import {formatDuration} from '../duration.js';
import {NOT_DURABLE, StreamlogError} from '../errors.js';
import type {AddConnection} from './add-connection.js';
import {type CommandBatch, call, commandBatch} from './command-batch.js';
import type {PendingBatch, PendingDurability} from './pending-durability.js';
import {RespWriter} from './resp-writer.js';

export type Durability = ({readonly kind: 'replicas'; readonly count: number} | {readonly kind: 'fsync'}) & {
  /** How long the server may take for one answer; well below the silence after which a connection counts as dead. */
  readonly waitMs: number;
};

/** Room for the longest of the commands. */
const COMMAND_BYTES = 128;

/** The command, to be sent behind the XADDs that it is about. */
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

/** Asks whether this server and this user have it at all. */
function durabilityBatch(durability: Durability): CommandBatch {
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

/** Makes sure that the server of `connection` can confirm what is asked for, before anything is added. Throws what it refuses. */
export async function checkDurability(connection: AddConnection, durability: Durability | undefined): Promise<void> {
  if (durability === undefined) return;
  try {
    await call(connection, durabilityBatch(durability));
  } catch (error) {
    throw error instanceof StreamlogError ? durabilityRefusal(durability, error) : error;
  }
}

/** The reply to the WAIT or WAITAOF that a batch sends behind its commands. */
export class DurableReply {
  readonly bytes: readonly Buffer[];
  readonly #durability: Durability | undefined;
  readonly #pending: PendingDurability | undefined;
  #awaits = 0;
  #failure: StreamlogError | undefined;

  /** Without a durability there is nothing to send and nothing to wait for. */
  constructor({durability, pending}: {durability: Durability | undefined; pending: PendingDurability | undefined}) {
    this.#durability = durability;
    this.#pending = pending;
    this.bytes = durability === undefined ? [] : [durabilityCommand(durability)];
  }

  get isAsked(): boolean {
    return this.#durability !== undefined;
  }

  /** Numbers that are still to come. */
  get awaits(): number {
    return this.#awaits;
  }

  /** Why the records are not safe; undefined when they are. */
  get failure(): StreamlogError | undefined {
    return this.#failure;
  }

  /** For each time that the command is sent. */
  begin(): void {
    this.#awaits = this.#durability === undefined ? 0 : durabilityReplies(this.#durability);
    this.#failure = undefined;
  }

  integer(value: number): void {
    const durability = this.#durability!;
    // The first number is the one that was asked for.
    if (this.#awaits-- === durabilityReplies(durability)) this.#failure = durabilityFailure(durability, value);
  }

  refused(failure: StreamlogError): void {
    this.#awaits = 0;
    this.#failure = durabilityRefusal(this.#durability!, failure);
  }

  /** Calls `settled` once `failure` is final: now, or later where `mayWait` and Redis may still confirm what was added. */
  settle(mayWait: boolean, connection: AddConnection, {settled, lost}: {settled(): void; lost(): void}): void {
    const failure = this.#failure;
    const waiting: PendingBatch = {
      settled: (final) => {
        this.#failure = final;
        settled();
      },
      lost,
    };
    if (mayWait && failure?.code === NOT_DURABLE && this.#pending?.wait(waiting, connection, failure)) return;
    if (this.isAsked && failure === undefined) this.#pending?.confirmed();
    settled();
  }
}
