/**
 * Records that are sent together, from the first try to the last. There are two
 * kinds: XADDs, each with a reply of its own, and one call of the fence script.
 * Invariant: `open` is the number of records of which nobody has said yet that
 * they are in the stream, or that they never will be.
 */
import {NOT_REDIS, StreamlogError} from '../errors.js';
import type {InputPosition} from '../input/record-reader.js';
import {type AddConnection, type Durability, NOT_DURABLE, type ReplyHandler} from '../stream-client.js';
import type {IdLines} from './id-lines.js';
import type {PendingDurability} from './pending-durability.js';

export interface Batch extends ReplyHandler {
  readonly open: number;
  /** Nothing is sent behind it before its answer. */
  readonly isBarrier: boolean;
  /** Of the memory that it holds. */
  readonly byteLength: number;
  /** Behind its last record. */
  readonly end: Progress;
  /** Sends what is open. */
  send(connection: AddConnection): void;
}

/** How far an input is read. */
export interface Progress {
  readonly place: InputPosition;
  /** Records before that place, from the start of the input. */
  readonly records: number;
}

/** What a batch tells of itself. */
export interface BatchEvents {
  /**
   * So many more of its records are in the stream, as safe as they were asked to be. `ids` are their lines, where
   * wanted; `lastId` is the last of them, where that is known.
   */
  added(count: number, ids: Buffer | undefined, lastId?: string): void;
  /** Redis will never take these of its records, counted from 0 at its start, for what they are; `failure` says why of the first. */
  rejected(batch: Batch, records: readonly number[], failure: StreamlogError): void;
  /** Some of its records are in the stream behind later ones, or will be. */
  overtaken(): void;
  /** All replies have come; with a failure when records are open still. */
  answered(batch: Batch, failure: StreamlogError | undefined): void;
  /** Of so many records nobody knows whether they were added: sending them again may add them twice. */
  uncertain(count: number): void;
}

/** What all batches of a run have in common. */
export interface BatchContext {
  readonly stream: string;
  readonly events: BatchEvents;
  /** Where the lines of new IDs are made; undefined when nobody wants them. */
  readonly newIdLines: (() => IdLines) | undefined;
  readonly durability: Durability | undefined;
  /** Those that are not as safe yet. */
  readonly pending: PendingDurability | undefined;
}

/** XADD with NOMKSTREAM answers nil where there is no stream. */
export const missingStream = (stream: string): StreamlogError =>
  new StreamlogError('notFound', `no stream "${stream}"`, {hint: 'leave --no-create out to make it'});

/** Whether it is worth sending the same record again. What is in the stream, and not safe, is not sent again. */
export const isRetryable = ({kind, code}: StreamlogError): boolean =>
  (kind === 'temporary' || kind === 'unreachable') && code !== NOT_DURABLE && code !== NOT_REDIS;

/** Of a reply that is none to what was sent: the connection ends with it. */
export const protocolError = (): Error => new Error('Protocol error: a reply is none to what was sent');

/** From `start` to before `end`. */
export const range = (start: number, end: number): number[] =>
  Array.from({length: end - start}, (_, index) => start + index);
