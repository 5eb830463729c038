/**
 * XADDs in one transaction (redis.io/docs/latest/develop/using-commands/transactions). Of XADDs with IDs that are sent one by one,
 * the first may be refused for want of memory and the second be added, and then the first can never follow. Invariant: what
 * the server refuses for now, it refuses for all of them; an XADD by itself can only be refused for its ID or its key.
 */
import {StreamlogError} from '../errors.js';
import type {AddConnection, ReplyHandler} from './add-connection.js';
import type {AddBatch} from './add-encoder.js';
import type {AddResult} from './add-results.js';
import type {AddCheckpoint} from './args.js';
import {protocolError} from './batch.js';
import {callText, commandBatch} from './command-batch.js';
import {replyFailure} from './server-errors.js';

const MULTI = commandBatch(['MULTI']).bytes;
const EXEC = commandBatch(['EXEC']).bytes;
const ATTEMPT = commandBatch(['MULTI'], ['DISCARD']);

/** Connections that are known to take transactions. */
const tried = new WeakSet<AddConnection>();

/** A result for each XADD, or why none was executed, or why that is not known. */
export async function addInTransaction(
  connection: AddConnection,
  stream: string,
  adds: AddBatch,
  checkpoint: AddCheckpoint | undefined,
): Promise<AddResult[] | StreamlogError> {
  try {
    // Without MULTI, what follows it would be executed one by one.
    if (!tried.has(connection)) await callText(connection, ATTEMPT);
    tried.add(connection);
    if (checkpoint !== undefined) {
      const {key, from} = checkpoint;
      if ((await callText(connection, commandBatch(['WATCH', key], ['GET', key]))) !== from) {
        await callText(connection, commandBatch(['UNWATCH']));
        return movedOn(stream);
      }
    }
  } catch (error) {
    if (error instanceof StreamlogError) return error;
    throw error;
  }
  const moving = checkpoint && commandBatch(['SET', checkpoint.key, checkpoint.to]).bytes;
  return new Promise((done) =>
    connection.send(
      [MULTI, adds.bytes, ...(moving === undefined ? [] : [moving]), EXEC],
      new TransactionReplies(stream, adds.records, moving === undefined ? 0 : 1, done),
    ),
  );
}

/** Another process has moved the key, or a transaction of our own whose reply was lost. */
const movedOn = (stream: string): StreamlogError =>
  new StreamlogError('temporary', `stream "${stream}" was added to meanwhile`);

/** The replies to MULTI and to each command that is queued, and those of EXEC. */
class TransactionReplies implements ReplyHandler {
  readonly #results: AddResult[] = [];
  readonly #records: number;
  /** Behind the XADDs. */
  readonly #others: number;
  readonly #done: (outcome: AddResult[] | StreamlogError) => void;
  /** Still to come before that of EXEC. */
  #queued: number;
  #inExec = false;
  #isOver = false;
  /** Why EXEC does nothing. */
  #notQueued: StreamlogError | undefined;

  constructor(
    readonly stream: string,
    records: number,
    others: number,
    done: (outcome: AddResult[] | StreamlogError) => void,
  ) {
    this.#records = records;
    this.#others = others;
    this.#queued = 1 + records + others;
    this.#done = done;
  }

  get awaits(): number {
    return this.#isOver ? 0 : 1;
  }

  array(count: number): void {
    if (this.#queued > 0 || this.#inExec || count !== this.#records + this.#others) throw protocolError();
    this.#inExec = true;
  }

  text(bytes: Buffer, start: number, end: number): void {
    if (this.#queued > 0) this.#queued--;
    else this.#take(bytes.toString('latin1', start, end));
  }

  integer(): void {
    throw protocolError();
  }

  /** Of EXEC, where a key has changed that is watched, or of an XADD that may not create its stream. */
  nil(): void {
    if (this.#queued === 0 && !this.#inExec && this.#others > 0) this.#end(movedOn(this.stream));
    else this.#take(undefined);
  }

  refused(failure: StreamlogError): void {
    if (this.#queued > 0) {
      this.#queued--;
      this.#notQueued ??= failure;
    } else if (this.#inExec) this.#take(failure);
    else this.#end(this.#notQueued ?? refusalOfExec(failure, this.stream));
  }

  lost(failure: StreamlogError): void {
    this.#end(failure);
  }

  #take(result: AddResult): void {
    if (!this.#inExec) throw protocolError();
    this.#results.push(result);
    if (this.#results.length === this.#records + this.#others) this.#end(this.#results.slice(0, this.#records));
  }

  #end(outcome: AddResult[] | StreamlogError): void {
    this.#isOver = true;
    this.#done(outcome);
  }
}

/** Where EXEC itself is refused, as when memory has run out, its reply holds the refusal (EXECABORT … because of: OOM …). */
export function refusalOfExec(failure: StreamlogError, stream: string): StreamlogError {
  const why = /^.*EXECABORT [^:]*because of: -?(.*)$/s.exec(failure.message)?.[1];
  return why === undefined ? failure : replyFailure(why, {command: 'EXEC', stream});
}
