/**
 * Records that are sent together, from the first try to the last: XADDs, each
 * with a reply of its own, or one call of the script that adds once. A batch
 * reads its own replies and reports what they mean. Invariant: `open` is the
 * number of records not yet known to be in the stream or rejected.
 */
import type {StreamlogError} from '../errors.js';
import type {AddConnection, ReplyHandler} from './add-connection.js';
import type {Durability} from './durability.js';
import type {IdLines} from './id-lines.js';
import type {PendingDurability} from './pending-durability.js';

export interface Batch extends ReplyHandler {
  readonly open: number;
  /** Nothing is sent behind it before its reply has come. */
  readonly isBarrier: boolean;
  /** Of the memory that it holds. */
  readonly byteLength: number;
  /** The first and last of its records, as the producer numbers them; undefined where it does not. */
  readonly numbers: {readonly first: number; readonly last: number} | undefined;
  /** In its last try the stream lacked records before its first one, so that nothing was added. */
  readonly foundGap: boolean;
  /** Sends what is open. */
  send(connection: AddConnection): void;
  /** The server has the records up to number `lastSequence` only: the others are open again. Returns how many. */
  reopen(lastSequence: number): number;
}

/** What a batch reports. */
export interface BatchEvents {
  /**
   * So many more of its records are in the stream, as safe as they were asked to be. `ids` are the lines of their IDs,
   * where wanted; `lastId` is the last of them, where known.
   */
  added(count: number, ids: Buffer | undefined, lastId?: string): void;
  /** Redis will never take these of its records, counted from 0 at its start; `failure` says why of the first. */
  rejected(batch: Batch, records: readonly number[], failure: StreamlogError): void;
  /** Some of its records are in the stream behind later ones, or will be. */
  overtaken(): void;
  /** All replies have come; with a failure when records are still open. */
  answered(batch: Batch, failure: StreamlogError | undefined): void;
  /** The result of so many records is uncertain: sending them again may add them twice. */
  uncertain(count: number): void;
}

/** What all batches of a run have in common. */
export interface BatchContext {
  readonly stream: string;
  readonly events: BatchEvents;
  /** Makes the lines of new IDs; undefined when they are not wanted. */
  readonly newIdLines: (() => IdLines) | undefined;
  readonly durability: Durability | undefined;
  /** Batches that are not yet as safe as asked for. */
  readonly pending: PendingDurability | undefined;
}

/** For a reply that does not match what was sent: the connection ends with it. */
export const protocolError = (): Error => new Error('Protocol error: a reply is none to what was sent');

/** From `start` to before `end`. */
export const range = (start: number, end: number): number[] =>
  Array.from({length: end - start}, (_, index) => start + index);
