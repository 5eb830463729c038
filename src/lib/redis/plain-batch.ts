/**
 * A batch of XADDs: at-least-once. A record whose reply was lost is sent again,
 * and may then be in the stream twice. Invariant: replies belong to records in
 * their order, from the first that was sent in this try.
 */
import {isRetryable, type StreamlogError} from '../errors.js';
import {isIdIn} from '../records/stream-id.js';
import type {AddConnection} from './add-connection.js';
import type {AddBatch} from './add-encoder.js';
import {type Batch, type BatchContext, protocolError, range} from './batch.js';
import {DurableReply} from './durability.js';
import type {IdLines} from './id-lines.js';
import {noStream} from './server-errors.js';

export class PlainBatch implements Batch {
  readonly isBarrier = false;
  readonly foundGap = false;
  readonly numbers = undefined;
  readonly #context: BatchContext;
  readonly #durable: DurableReply;
  readonly #ids: IdLines | undefined;
  #adds: AddBatch;
  /** The first index in the batch of each record that is open; undefined while all of them are. */
  #indexes: readonly number[] | undefined;
  /** A try is under way. */
  #sent = false;
  #connection: AddConnection | undefined;
  /** Replies to XADDs in this try. */
  #answered = 0;
  /** Records by what Redis said of them in this try: taken, refused for good, refused for now. */
  #added: number[] = [];
  #rejected: number[] = [];
  #refused: number[] = [];
  /** Of the last record of this try. */
  #lastId: string | undefined;
  #rejection: StreamlogError | undefined;
  #refusal: StreamlogError | undefined;

  constructor(adds: AddBatch, context: BatchContext) {
    this.#adds = adds;
    this.#context = context;
    this.#durable = new DurableReply(context);
    this.#ids = context.newIdLines?.();
  }

  get stream(): string {
    return this.#context.stream;
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

  /** Its records have no numbers. */
  reopen(): number {
    return 0;
  }

  send(connection: AddConnection): void {
    this.#sent = true;
    this.#lastId = undefined;
    this.#connection = connection;
    this.#answered = 0;
    this.#refusal = undefined;
    this.#durable.begin();
    connection.send([this.#adds.bytes, ...this.#durable.bytes], this);
  }

  text(bytes: Buffer, start: number, end: number): void {
    if (this.#answered === this.#adds.records || !isIdIn(bytes, start, end)) throw protocolError();
    this.#added.push(this.#answered++);
    this.#ids?.add(bytes, start, end);
    if (this.#answered === this.#adds.records) this.#lastId = bytes.toString('latin1', start, end);
    this.#end();
  }

  nil(): void {
    if (this.#answered === this.#adds.records || !this.#adds.mayLackStream) throw protocolError();
    this.refused(noStream(this.#context.stream));
  }

  integer(value: number): void {
    if (this.#answered < this.#adds.records) throw protocolError();
    this.#durable.integer(value);
    this.#end();
  }

  refused(failure: StreamlogError): void {
    if (this.#answered === this.#adds.records) {
      this.#durable.refused(failure);
    } else if (isRetryable(failure)) {
      this.#refusal ??= failure;
      this.#refused.push(this.#answered++);
    } else {
      this.#rejection ??= failure;
      this.#rejected.push(this.#answered++);
    }
    this.#end();
  }

  lost(): void {
    const unanswered = range(this.#answered, this.#adds.records);
    const unsafe = this.#durable.isAsked ? this.#takeBack() : [];
    this.#context.events.uncertain(unanswered.length + unsafe.length);
    this.#settle([...unsafe, ...unanswered]);
  }

  #end(): void {
    if (this.awaits > 0) return;
    this.#durable.settle(this.#added.length > 0, this.#connection!, {
      settled: () => this.#finish(),
      lost: () => this.lost(),
    });
  }

  #finish(): void {
    const unsafe = this.#added.length > 0 ? this.#durable.failure : undefined;
    const added = unsafe === undefined ? [] : this.#takeBack();
    if (unsafe !== undefined && isRetryable(unsafe)) this.#context.events.uncertain(added.length);
    const failure = unsafe ?? this.#rejection ?? this.#refusal;
    this.#settle(added);
    this.#context.events.answered(this, failure);
  }

  /** What was added, and is not as safe as it was asked to be: its IDs are not reported. */
  #takeBack(): number[] {
    this.#ids?.take();
    return this.#added.splice(0);
  }

  readonly #indexOf = (record: number): number => this.#indexes?.[record] ?? record;

  /** The end of a try: reports what is certain, and keeps the records in `open` and those that were refused for now. */
  #settle(open: readonly number[]): void {
    const {events} = this.#context;
    const refused = this.#refused;
    if (refused.length > 0 && (this.#added.at(-1) ?? -1) > refused[0]!) events.overtaken();
    if (this.#rejected.length > 0) events.rejected(this, this.#rejected.map(this.#indexOf), this.#rejection!);
    if (this.#added.length > 0) events.added(this.#added.length, this.#ids?.take(), this.#lastId);
    const left = [...open, ...refused].sort((a, b) => a - b);
    this.#adds = this.#adds.only(left);
    this.#indexes = left.map(this.#indexOf);
    this.#added = [];
    this.#rejected = [];
    this.#refused = [];
    this.#rejection = undefined;
    this.#sent = false;
  }
}
