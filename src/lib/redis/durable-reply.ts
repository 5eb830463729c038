/**
 * The end of a batch that asks for more than replies: the numbers with which
 * Redis answers WAIT or WAITAOF, sent behind its commands.
 */
import {StreamlogError} from '../errors.js';
import {
  type AddConnection,
  call,
  type Durability,
  durabilityBatch,
  durabilityCommand,
  durabilityFailure,
  durabilityRefusal,
  durabilityReplies,
  NOT_DURABLE,
} from '../stream-client.js';

export class DurableReply {
  readonly bytes: readonly Buffer[];
  readonly #durability: Durability | undefined;
  #awaits = 0;
  #failure: StreamlogError | undefined;

  /** Without a durability there is nothing to send and nothing to wait for. */
  constructor(durability: Durability | undefined) {
    this.#durability = durability;
    this.bytes = durability === undefined ? [] : [durabilityCommand(durability)];
  }

  get asked(): boolean {
    return this.#durability !== undefined;
  }

  /** Numbers that are still to come. */
  get awaits(): number {
    return this.#awaits;
  }

  /** Whether the records may become safe yet, without being sent again. */
  get isShort(): boolean {
    return this.#failure?.code === NOT_DURABLE;
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

  /** The outcome of asking again. */
  settle(failure: StreamlogError | undefined): void {
    this.#failure = failure;
  }
}

/** Makes sure that the server of `wire` can confirm what is asked for, while nothing has been added. Throws what it refuses. */
export async function askDurability(connection: AddConnection, durability: Durability | undefined): Promise<void> {
  if (durability === undefined) return;
  try {
    await call(connection, durabilityBatch(durability));
  } catch (error) {
    throw error instanceof StreamlogError ? durabilityRefusal(durability, error) : error;
  }
}
