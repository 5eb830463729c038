/**
 * A batch behind the fence: one call of its script, which can be repeated
 * without adding a record twice. Invariant: it is sent whole, or not any more.
 */
import {StreamlogError} from '../errors.js';
import type {AddConnection, IdempotentCall as Call, IdempotentResult} from '../stream-client.js';
import {addWide, bytesOf, IdempotentEncoder, readIdempotentResult, readLastId} from '../stream-client.js';
import {
  type Batch,
  type BatchContext,
  isRetryable,
  missingStream,
  type Progress,
  protocolError,
  range,
} from './batch.js';
import {DurableReply} from './durable-reply.js';

export class IdempotentBatch implements Batch {
  readonly end: Progress;
  readonly first: number;
  readonly #call: Call;
  readonly #context: BatchContext;
  readonly #durable: DurableReply;
  readonly #onLast: ((lastSequence: number, lastId: string) => void) | undefined;
  #connection: AddConnection | undefined;
  #answered = false;
  #outcome: IdempotentResult | undefined;
  /** Records of which was told that they are in the stream, or never will be. */
  #reported = 0;
  /** Of these, how many are to be added again, since a failover took them back. */
  #again = 0;
  #failure: StreamlogError | undefined;

  /** `onLast` is told which record is the last in the stream, and its ID. */
  constructor(
    call: Call,
    context: BatchContext,
    end: Progress,
    onLast?: (lastSequence: number, lastId: string) => void,
  ) {
    this.#onLast = onLast;
    this.#call = call;
    this.first = call.first;
    this.#context = context;
    this.#durable = new DurableReply(context.durability);
    this.end = end;
  }

  get stream(): string {
    return this.#context.stream;
  }

  get open(): number {
    return this.#call.records - this.#reported + this.#again;
  }

  /** The number of its last record. */
  get last(): number {
    return this.first + this.#call.records - 1;
  }

  /** The server has the records up to number `mark` only: the others are open again. Returns how many. */
  reopen(lastSequence: number): number {
    this.#again = this.#reported - Math.min(this.#reported, Math.max(0, lastSequence - this.first + 1));
    return this.#again;
  }

  get byteLength(): number {
    return bytesOf(this.#call);
  }

  /** A transaction is sent when the sequence was seen, so that all before it has to be in the stream, and nothing behind it. */
  get isBarrier(): boolean {
    return this.#call.transaction !== undefined;
  }

  get awaits(): number {
    return (this.#answered ? 0 : 1) + this.#durable.awaits;
  }

  /** The call found that records before it are missing, so that it did nothing. */
  get foundGap(): boolean {
    return this.#outcome?.stopped === 'gap';
  }

  /** The number of the last record that the stream has, as this call found it. */
  get mark(): number {
    return this.#outcome?.lastSequence ?? 0;
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
    const {stream} = this.#context;
    addWide({
      ...this.#call,
      connection,
      stream,
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
    if (!(stopped instanceof StreamlogError)) this.#failure = failureOf(outcome, this.#context.stream);
    else this.#failure = stopped.code === 'NOPERM' ? transactionForbidden(stopped) : ofScript(stopped);
  }

  text(bytes: Buffer, start: number, end: number): void {
    if (this.#answered) throw protocolError();
    this.#outcome = this.#read(bytes.toString('utf8', start, end));
    this.#answered = true;
    this.#failure = failureOf(this.#outcome, this.#context.stream);
    this.#end();
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
      this.#failure = ofScript(failure);
    }
    this.#end();
  }

  /** Whatever became of the call, it can be made again. */
  lost(): void {}

  #end(): void {
    if (this.awaits > 0) return;
    const {failure, isShort, asked} = this.#durable;
    if (failure !== undefined && isShort && this.#failure === undefined && this.#isLeftPending(failure)) return;
    if (asked && failure === undefined) this.#context.pending?.confirmed();
    this.#finish();
  }

  /** True when it will be settled later. */
  #isLeftPending(failure: StreamlogError): boolean {
    const settled = (outcome: StreamlogError | undefined): void => {
      this.#durable.settle(outcome);
      this.#finish();
    };
    return this.#context.pending?.wait({settled, lost: () => this.lost()}, this.#connection!, failure) ?? false;
  }

  #finish(): void {
    const {failure} = this.#durable;
    if (failure === undefined) this.#tell();
    this.#context.events.answered(this, this.#failure ?? failure);
  }

  #tell(): void {
    const {events, newIdLines} = this.#context;
    const {records, first} = this.#call;
    const inStream = Math.min(records, Math.max(0, (this.#outcome?.lastSequence ?? 0) - first + 1));
    if (this.#again > 0 && inStream >= this.#reported) {
      this.#again = 0;
      // Their IDs were told; they have others now.
      if (this.#reported === records) return;
    }
    const over = this.#failure === undefined || !isRetryable(this.#failure);
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

function ofScript(failure: StreamlogError): StreamlogError {
  const {code} = failure;
  if (code === 'NOPERM') return scriptForbidden(failure);
  if (code !== 'NOSCRIPT') return failure;
  // After SCRIPT FLUSH. The script is given to the server at each new connection.
  return new StreamlogError('temporary', 'Redis has forgotten the script of --exactly-once', {code});
}

/** Who may add to a stream may not yet do so by script, or write beside it. */
export const scriptForbidden = ({message, code}: StreamlogError): StreamlogError =>
  new StreamlogError('denied', `${message} (--exactly-once adds by a script, and keeps a fence beside the stream)`, {
    code,
    hint: '--exactly-once needs the keys {STREAM}:streamlog:*, scripts, and the commands of hashes',
  });

/** The number is written here, since the first toLocaleString of a process takes 11 ms under Node. */
const transactionForbidden = ({message, code}: StreamlogError): StreamlogError => {
  const most = IdempotentEncoder.mostFields.toLocaleString('en');
  return new StreamlogError('denied', `${message} (a record of more than ${most} fields is added in a transaction)`, {
    code,
    hint: 'it needs MULTI, EXEC, DISCARD, WATCH, XLEN and XREVRANGE, beside what other records need with --exactly-once',
  });
};

/** What this producer has added is not in the stream any more, though nobody trimmed it: it is another stream. */
export const streamGone = (stream: string): StreamlogError =>
  new StreamlogError(
    'incomplete',
    `the stream "${stream}" was deleted, and perhaps begun anew, since this producer added to it: those records are lost`,
    {
      code: 'STREAM_GONE',
      hint: 'another --producer-id adds all records again; with --resume, so does removing the checkpoint',
    },
  );

/** To add on could add records twice: those that were sent and not confirmed may be in the stream. */
export const producerForgotten = (confirmed: number): StreamlogError =>
  new StreamlogError(
    'incomplete',
    `Redis has forgotten this producer, of which ${confirmed} records were added: its state was deleted, or dropped for want of memory`,
    {
      code: 'PRODUCER_FORGOTTEN',
      hint: 'the stream has those records; with --resume, running again goes on behind its checkpoint',
    },
  );

function failureOf({stopped}: IdempotentResult, stream: string): StreamlogError | undefined {
  if (stopped === undefined || stopped instanceof StreamlogError) return stopped;
  if (stopped === 'no stream') return missingStream(stream);
  if (stopped === 'gone') return streamGone(stream);
  if (stopped === 'gap')
    return new StreamlogError('temporary', 'an earlier batch has to be added first', {code: 'GAP'});
  return new StreamlogError('data', `another producer of the same --producer-id adds to "${stream}"`);
}
