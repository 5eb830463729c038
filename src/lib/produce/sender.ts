/**
 * Sends batches in their order, as many at a time as the window allows, and
 * counts what becomes of their records. It alone decides what is in flight.
 * Invariant: batches leave the window when nothing of them is open; after a
 * problem nothing is sent until `rewind`, which makes all that is open unsent.
 */
import {isRetryable, type StreamlogError} from '../errors.js';
import type {Adder, Batch} from '../stream-client.js';
import {InFlightWindow, type Progress, type SentBatch, type WindowLimits} from './in-flight-window.js';

interface SenderEvents {
  /** So many records were added: the lines of their IDs and the last ID, where wanted and known. */
  added(count: number, ids: Buffer | undefined, lastId: string | undefined): void;
  /** Redis will never take these records of a batch, counted from 0; `failure` says why of the first. */
  rejected(batch: Batch, records: readonly number[], failure: StreamlogError): void;
  /** All of a batch is in the stream. */
  confirmed(sent: SentBatch): void;
  /** All replies to a batch have come. */
  answered(): void;
  /** Nothing is in flight, and what is open has to be sent again on a new connection. */
  interrupted(cause: StreamlogError): void;
  /** No batch can be added any more. */
  failed(failure: StreamlogError): void;
  /** Whether there is time left to wait for the durability of what was added. */
  mayWait(failure: StreamlogError): boolean;
}

export class Sender {
  added = 0;
  rejected = 0;
  /** Records that were sent again although they may have been added. */
  maybeTwice = 0;
  /** Records that were added behind later ones, since Redis had refused them for a while. */
  late = 0;
  readonly #adder: Adder;
  readonly #window: InFlightWindow;
  readonly #events: SenderEvents;
  /** A batch in flight whose reply has to come before others are sent. */
  #barrier: Batch | undefined;
  #inFlight = 0;
  /** Why what is open has to be sent again, once all that is in flight is answered. */
  #problem: StreamlogError | undefined;
  /** Something was added behind what has to be sent again. */
  #overtaken = false;
  /** Records to be sent again that may be in the stream. */
  #uncertain = 0;
  #isFailed = false;

  constructor(adder: Adder, window: WindowLimits, events: SenderEvents) {
    this.#adder = adder;
    this.#window = new InFlightWindow(window);
    this.#events = events;
    adder.listen({
      added: (count, ids, lastId) => {
        this.added += count;
        if (count > 0 && this.#problem !== undefined) this.#overtaken = true;
        events.added(count, ids, lastId);
      },
      rejected: (batch, records, failure) => {
        this.rejected += records.length;
        events.rejected(batch, records, failure);
        this.#fail(failure);
      },
      overtaken: () => {
        this.#overtaken = true;
      },
      answered: (batch, failure) => this.#answered(batch, failure),
      uncertain: (count) => {
        this.#uncertain += count;
      },
      lost: (failure) => events.interrupted(failure),
      mayWait: (failure) => events.mayWait(failure),
    });
  }

  /** Batches that were sent and are not yet answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Records that are not confirmed. */
  get open(): number {
    return this.#window.open;
  }

  /** Whether all is confirmed or rejected. */
  get isDone(): boolean {
    return this.#window.empty;
  }

  /** How far the input is confirmed: not behind a record that was rejected, which can be added once the cause is mended. */
  get confirmed(): Progress | undefined {
    return this.rejected > 0 ? undefined : this.#window.confirmed;
  }

  hasRoomFor(batch: Batch): boolean {
    return this.#window.hasRoomFor(batch);
  }

  /** Sends `batch`, up to `end` of the input, as soon as it may be. */
  push(batch: Batch, end: Progress): void {
    this.#window.push(batch, end);
    this.pump();
  }

  /** The input has nothing to send up to `end`. */
  pass(end: Progress): void {
    this.#window.pass(end);
  }

  /** Ends the connection; all that is open is to be sent again. */
  rewind(): void {
    this.#adder.disconnect();
    this.#inFlight = 0;
    this.#barrier = undefined;
    const sent = this.#window.rewind();
    if (this.#overtaken) this.late += sent;
    this.#problem = undefined;
    this.#overtaken = false;
  }

  /** Batches to be sent before all others, after a `rewind`. */
  restore(batches: readonly SentBatch[]): void {
    this.#window.restore(batches);
  }

  /** Sends what is unsent and may be sent now. */
  pump(): void {
    if (!this.#adder.isConnected || this.#problem !== undefined || this.#isFailed) return;
    this.maybeTwice += this.#uncertain;
    this.#uncertain = 0;
    while (this.#barrier === undefined) {
      const batch = this.#window.next();
      if (batch === undefined) return;
      this.#inFlight++;
      if (batch.isBarrier) this.#barrier = batch;
      this.#adder.send(batch);
    }
  }

  /** Sends nothing more. */
  stop(): void {
    this.#isFailed = true;
  }

  #answered(batch: Batch, failure: StreamlogError | undefined): void {
    this.#inFlight--;
    if (this.#barrier === batch) this.#barrier = undefined;
    if (failure !== undefined) this.#refused(batch, failure);
    if (batch.open === 0) {
      const sent = this.#window.remove(batch);
      if (failure === undefined) this.#events.confirmed(sent);
    }
    const problem = this.#problem;
    if (problem !== undefined && this.#inFlight === 0) this.#events.interrupted(problem);
    else if (batch.isBarrier) this.pump();
    this.#events.answered();
  }

  #refused(batch: Batch, failure: StreamlogError): void {
    // Behind a batch that has to be sent again, a gap is no surprise.
    if (batch.foundGap && (this.#problem !== undefined || this.#window.oldest !== batch)) return;
    if (isRetryable(failure)) this.#problem ??= failure;
    else this.#fail(failure);
  }

  #fail(failure: StreamlogError): void {
    this.stop();
    this.#events.failed(failure);
  }
}
