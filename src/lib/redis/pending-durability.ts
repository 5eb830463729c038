/**
 * Batches whose records are in the stream, and not yet as safe as they were
 * asked to be. WAIT and WAITAOF cover everything written on their connection
 * before them, so one command at a time is enough for all of them. Invariant:
 * batches are settled in the order in which they were sent, before any later one.
 */
import type {StreamlogError} from '../errors.js';
import type {AddConnection, ReplyHandler} from './add-connection.js';
import {
  type Durability,
  durabilityCommand,
  durabilityFailure,
  durabilityRefusal,
  durabilityReplies,
} from './durability.js';

/** A batch that waits. */
export interface PendingBatch {
  /** It waits no longer; `failure` where it was in vain. */
  settled(failure: StreamlogError | undefined): void;
  /** The connection was lost. */
  lost(): void;
}

export class PendingDurability {
  readonly #durability: Durability;
  readonly #mayWait: (failure: StreamlogError) => boolean;
  readonly #batches: PendingBatch[] = [];

  /** `mayWait` says whether there is time left. */
  constructor(durability: Durability, mayWait: (failure: StreamlogError) => boolean) {
    this.#durability = durability;
    this.#mayWait = mayWait;
  }

  /** Lets `batch` wait, whose command on `connection` had too low a reply; false when there is no time left. */
  wait(batch: PendingBatch, connection: AddConnection, failure: StreamlogError): boolean {
    if (!this.#mayWait(failure)) return false;
    if (this.#batches.push(batch) === 1) this.#ask(connection);
    return true;
  }

  /** A later batch is as safe as it was asked to be, and with it all of them. */
  confirmed(): void {
    this.#settle(undefined);
  }

  #ask(connection: AddConnection): void {
    const replies = durabilityReplies(this.#durability);
    let awaits = replies;
    let first = 0;
    const callback: ReplyHandler = {
      get awaits() {
        return awaits;
      },
      integer: (value) => {
        if (awaits-- === replies) first = value;
        if (awaits === 0) this.#answered(connection, durabilityFailure(this.#durability, first));
      },
      refused: (failure) => {
        awaits = 0;
        this.#settle(durabilityRefusal(this.#durability, failure));
      },
      lost: () => {
        for (const batch of this.#batches.splice(0)) batch.lost();
      },
      text: () => {},
      nil: () => {},
    };
    connection.send([durabilityCommand(this.#durability)], callback);
  }

  #answered(connection: AddConnection, failure: StreamlogError | undefined): void {
    // A later batch may have settled all of them meanwhile.
    if (this.#batches.length === 0) return;
    if (failure !== undefined && this.#mayWait(failure)) this.#ask(connection);
    else this.#settle(failure);
  }

  #settle(failure: StreamlogError | undefined): void {
    for (const batch of this.#batches.splice(0)) batch.settled(failure);
  }
}
