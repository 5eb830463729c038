/** Reply handlers that collect all replies: to a batch of XADDs, and to one call of the script that adds once. */
import type {StreamlogError} from '../errors.js';
import {isIdIn} from '../records/stream-id.js';
import type {ReplyHandler} from './add-connection.js';
import type {AddBatch} from './add-encoder.js';
import {type IdempotentResult, readIdempotentResult} from './producer-state.js';

/** The result of one XADD: the new ID, undefined when there is no stream to add to, or the failure. */
export type AddResult = string | undefined | StreamlogError;

/** Of a batch of XADDs: a result each, in their order. */
export class AddResults implements ReplyHandler {
  readonly #adds: Pick<AddBatch, 'records' | 'mayLackStream'>;
  readonly #results: AddResult[] = [];
  readonly #done: (results: AddResult[]) => void;

  constructor(
    readonly stream: string,
    adds: Pick<AddBatch, 'records' | 'mayLackStream'>,
    done: (results: AddResult[]) => void,
  ) {
    this.#adds = adds;
    this.#done = done;
  }

  get awaits(): number {
    return this.#adds.records - this.#results.length;
  }

  text(bytes: Buffer, start: number, end: number): void {
    if (!isIdIn(bytes, start, end)) throw new Error('Protocol error: a reply to XADD is no ID');
    this.#take(bytes.toString('latin1', start, end));
  }

  nil(): void {
    if (!this.#adds.mayLackStream) throw new Error('Protocol error: a reply to XADD is nil');
    this.#take(undefined);
  }

  integer(): void {
    throw new Error('Protocol error: a reply to XADD is no ID');
  }

  refused(failure: StreamlogError): void {
    this.#take(failure);
  }

  lost(failure: StreamlogError): void {
    while (this.awaits > 0) this.#take(failure);
  }

  #take(outcome: AddResult): void {
    this.#results.push(outcome);
    if (this.awaits === 0) this.#done(this.#results);
  }
}

/** Of one call of the script that adds once. */
export class IdempotentReply implements ReplyHandler {
  awaits = 1;
  readonly #done: (outcome: IdempotentResult) => void;

  constructor(
    readonly stream: string,
    done: (outcome: IdempotentResult) => void,
  ) {
    this.#done = done;
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.#take(readIdempotentResult(bytes.toString('utf8', start, end), {command: 'XADD', stream: this.stream}));
  }

  nil(): void {
    this.integer();
  }

  integer(): void {
    throw new Error('Protocol error: no answer of the script that adds once');
  }

  refused(failure: StreamlogError): void {
    this.#take({lastSequence: 0, ids: [], stopped: failure});
  }

  lost(failure: StreamlogError): void {
    this.refused(failure);
  }

  #take(outcome: IdempotentResult): void {
    this.awaits = 0;
    this.#done(outcome);
  }
}
