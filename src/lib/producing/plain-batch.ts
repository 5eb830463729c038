/**
 * A batch of XADDs: at-least-once. A record whose reply was lost is sent again,
 * and may then be in the stream twice. Invariant: replies belong to records in
 * their order, from the first that was sent in this try.
 */
import type {StreamlogError} from '../errors.js';
import type {AddBatch, Wire} from '../stream-client.js';
import {type Batch, type BatchContext, isPassing, missingStream, type Progress} from './batch.js';
import {DurableReply} from './durable-reply.js';
import type {IdLines} from './id-lines.js';

export class PlainBatch implements Batch {
  readonly end: Progress;
  readonly #context: BatchContext;
  readonly #durable: DurableReply;
  readonly #ids: IdLines | undefined;
  #adds: AddBatch;
  /** A try is under way. */
  #sent = false;
  /** Replies to XADDs in this try. */
  #answered = 0;
  #added = 0;
  #rejected = 0;
  /** Records that Redis did not take in this try. */
  #refused: number[] = [];
  #failure: StreamlogError | undefined;

  constructor(adds: AddBatch, context: BatchContext, end: Progress) {
    this.#adds = adds;
    this.#context = context;
    this.#durable = new DurableReply(context.durability);
    this.#ids = context.newIdLines?.();
    this.end = end;
  }

  get open(): number {
    return this.#adds.records;
  }

  get byteLength(): number {
    return this.#adds.bytes.length;
  }

  get awaits(): number {
    return this.#sent ? this.#adds.records - this.#answered + this.#durable.awaits : 0;
  }

  sendOn(wire: Wire): void {
    this.#sent = true;
    this.#answered = 0;
    this.#added = 0;
    this.#refused = [];
    this.#failure = undefined;
    this.#durable.begin();
    wire.send([this.#adds.bytes, ...this.#durable.bytes], this);
  }

  text(bytes: Buffer, start: number, end: number): void {
    this.#added++;
    this.#answered++;
    this.#ids?.add(bytes, start, end);
    this.#end();
  }

  nil(): void {
    this.refused(missingStream(this.#context.stream));
  }

  integer(value: number): void {
    this.#durable.integer(value);
    this.#end();
  }

  refused(failure: StreamlogError): void {
    if (this.#answered === this.#adds.records) {
      this.#durable.refused(failure);
    } else {
      this.#failure ??= failure;
      if (isPassing(failure)) this.#refused.push(this.#answered);
      else this.#rejected++;
      this.#answered++;
    }
    this.#end();
  }

  lost(): void {
    const {records} = this.#adds;
    const unanswered = range(this.#answered, records);
    const unsafe = this.#durable.asked
      ? range(0, this.#answered).filter((index) => !this.#refused.includes(index))
      : [];
    this.#context.events.doubtful(unanswered.length + unsafe.length);
    if (this.#durable.asked) this.#ids?.take();
    else this.#tellAdded();
    this.#keep([...unsafe, ...this.#refused, ...unanswered].sort((a, b) => a - b));
    this.#sent = false;
  }

  #end(): void {
    if (this.awaits > 0) return;
    this.#sent = false;
    const {failure} = this.#durable;
    if (failure === undefined) {
      this.#tellAdded();
      this.#keep(this.#refused);
    }
    this.#context.events.answered(this, this.#failure ?? failure);
  }

  #tellAdded(): void {
    const {events} = this.#context;
    if (this.#rejected > 0) events.rejected(this.#rejected);
    if (this.#added > 0) events.added(this.#added, this.#ids?.take());
    this.#rejected = 0;
    this.#added = 0;
  }

  /** The records that are still open. */
  #keep(indexes: readonly number[]): void {
    this.#adds = this.#adds.only(indexes);
  }
}

const range = (start: number, end: number): number[] => Array.from({length: end - start}, (_, index) => start + index);
