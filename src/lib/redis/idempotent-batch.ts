/**
 * A batch of one call of the script that adds once, which can be repeated
 * without adding a record twice (docs/adr/0007). Invariant: it is sent whole, or
 * not any more.
 */
import {isRetryable, StreamlogError} from '../errors.js';
import type {AddConnection} from './add-connection.js';
import {type Batch, type BatchContext, protocolError, range} from './batch.js';
import {DurableReply} from './durability.js';
import {failureOf, scriptFailure, transactionForbidden} from './idempotent-failures.js';
import {type IdempotentCall, type IdempotentResult, readIdempotentResult, readLastId} from './producer-state.js';
import {addWide} from './wide-add.js';

export class IdempotentBatch implements Batch {
  /** As numbered from 1 in the order of the input. */
  readonly numbers: {readonly first: number; readonly last: number};
  readonly #call: IdempotentCall;
  readonly #context: BatchContext;
  readonly #durable: DurableReply;
  readonly #onLast: ((lastSequence: number, lastId: string) => void) | undefined;
  #connection: AddConnection | undefined;
  #answered = false;
  #outcome: IdempotentResult | undefined;
  /** Records that were reported as added or rejected. */
  #reported = 0;
  /** Of these, how many are to be added again, since a failover took them back. */
  #again = 0;
  #failure: StreamlogError | undefined;

  /** `onLast` is called with the number and the ID of the last record in the stream. */
  constructor(call: IdempotentCall, context: BatchContext, onLast?: (lastSequence: number, lastId: string) => void) {
    this.#onLast = onLast;
    this.#call = call;
    this.numbers = {first: call.first, last: call.first + call.records - 1};
    this.#context = context;
    this.#durable = new DurableReply(context);
  }

  get stream(): string {
    return this.#context.stream;
  }

  get open(): number {
    return this.#call.records - this.#reported + this.#again;
  }

  reopen(lastSequence: number): number {
    const inStream = Math.max(0, lastSequence - this.#call.first + 1);
    this.#again = this.#reported - Math.min(this.#reported, inStream);
    return this.#again;
  }

  get byteLength(): number {
    return this.#call.byteLength;
  }

  /** A transaction is sent when the sequence was seen, so that all before it has to be in the stream, and nothing behind it. */
  get isBarrier(): boolean {
    return this.#call.transaction !== undefined;
  }

  get awaits(): number {
    return (this.#answered ? 0 : 1) + this.#durable.awaits;
  }

  get foundGap(): boolean {
    return this.#outcome?.stopped === 'gap';
  }

  send(connection: AddConnection): void {
    this.#connection = connection;
    this.#answered = false;
    this.#outcome = undefined;
    this.#failure = undefined;
    this.#durable.begin();
    if (this.#call.transaction === undefined) connection.send([...this.#call.bytes, ...this.#durable.bytes], this);
    else this.#sendTransaction(connection);
  }

  #sendTransaction(connection: AddConnection): void {
    addWide({
      ...this.#call,
      connection,
      stream: this.stream,
      prepare: this.#call.bytes,
      transaction: this.#call.transaction!,
      read: (text) => this.#read(text),
      done: (outcome) => {
        this.#take(outcome);
        if (this.#durable.awaits > 0) connection.send(this.#durable.bytes, this);
        else this.#end();
      },
      lost: () => this.lost(),
    });
  }

  #take(outcome: IdempotentResult): void {
    const {stopped} = outcome;
    this.#answered = true;
    // A refusal of the call itself says nothing of how far the stream has come.
    this.#outcome = outcome;
    if (!(stopped instanceof StreamlogError)) this.#failure = this.#failureOf(outcome);
    else this.#failure = stopped.code === 'NOPERM' ? transactionForbidden(stopped) : scriptFailure(stopped);
  }

  text(bytes: Buffer, start: number, end: number): void {
    if (this.#answered) throw protocolError();
    this.#outcome = this.#read(bytes.toString('utf8', start, end));
    this.#answered = true;
    this.#failure = this.#failureOf(this.#outcome);
    this.#end();
  }

  #failureOf(outcome: IdempotentResult): StreamlogError | undefined {
    return failureOf(outcome, this.#context.stream, this.#call.first);
  }

  #read(answer: string): IdempotentResult {
    const outcome = readIdempotentResult(answer, {command: 'XADD', stream: this.#context.stream});
    const lastId = readLastId(answer);
    if (lastId !== undefined) this.#onLast?.(outcome.lastSequence, lastId);
    return outcome;
  }

  nil(): void {
    throw protocolError();
  }

  integer(value: number): void {
    if (!this.#answered) throw protocolError();
    this.#durable.integer(value);
    this.#end();
  }

  refused(failure: StreamlogError): void {
    if (this.#answered) {
      this.#durable.refused(failure);
    } else {
      this.#answered = true;
      this.#failure = scriptFailure(failure);
    }
    this.#end();
  }

  /** Whatever became of the call, it can be made again. */
  lost(): void {}

  #end(): void {
    if (this.awaits > 0) return;
    this.#durable.settle(this.#failure === undefined, this.#connection!, {
      settled: () => this.#finish(),
      lost: () => this.lost(),
    });
  }

  #finish(): void {
    const {failure} = this.#durable;
    if (failure === undefined) this.#report();
    this.#context.events.answered(this, this.#failure ?? failure);
  }

  #report(): void {
    const {events, newIdLines} = this.#context;
    const {records, first} = this.#call;
    const inStream = Math.min(records, Math.max(0, (this.#outcome?.lastSequence ?? 0) - first + 1));
    if (this.#again > 0 && inStream >= this.#reported) {
      this.#again = 0;
      // Their IDs were reported; they have others now.
      if (this.#reported === records) return;
    }
    const over = !this.foundGap && (this.#failure === undefined || !isRetryable(this.#failure));
    // IDs come with the last try, which knows those of all others.
    const ids = over && this.#outcome !== undefined ? newIdLines?.() : undefined;
    for (const id of ids === undefined ? [] : this.#outcome!.ids) ids!.addText(id);
    const added = Math.max(0, inStream - this.#reported);
    this.#reported += added;
    if (added > 0 || ids !== undefined) events.added(added, ids?.take());
    if (over && this.#failure !== undefined && this.#reported < records) {
      const end = this.#call.atomic ? records : this.#reported + 1;
      const rejected = range(this.#reported, end);
      this.#reported = end;
      events.rejected(this, rejected, this.#failure);
    }
  }
}
