/**
 * A key that takes the name of another, in one transaction: nobody sees the time between. Invariant: nothing is moved unless
 * the new key is there (WATCH), and the old one is freed in the background.
 */
import type {StreamlogError} from '../errors.js';
import type {AddConnection, ReplyHandler} from './add-connection.js';
import {refusalOfExec} from './add-transaction.js';
import {call, callText, commandBatch} from './command-batch.js';
import {noStream} from './server-errors.js';

export interface Replacement {
  from: string;
  to: string;
  /** The name of the old one until it is freed. */
  aside: string;
}

/** Throws `notFound` when `from` is not there, or has changed meanwhile, and what else Redis refuses. */
export async function replaceKey(connection: AddConnection, {from, to, aside}: Replacement): Promise<void> {
  const isThere = await call(connection, commandBatch(['WATCH', from], ['EXISTS', from]));
  if (isThere !== 1) {
    await callText(connection, commandBatch(['UNWATCH']));
    throw noStream(from);
  }
  const {bytes, replies} = commandBatch(
    ['MULTI'],
    ['RENAME', to, aside],
    ['RENAMENX', from, to],
    ['UNLINK', aside],
    ['EXEC'],
  );
  await new Promise<void>((resolve, reject) => {
    connection.send([bytes], new TransactionReplies(from, replies, {resolve, reject}));
  });
}

class TransactionReplies implements ReplyHandler {
  awaits: number;
  readonly stream: string;
  readonly #end: {resolve: () => void; reject: (failure: StreamlogError) => void};
  #failure: StreamlogError | undefined;

  constructor(stream: string, replies: number, end: {resolve: () => void; reject: (failure: StreamlogError) => void}) {
    this.stream = stream;
    this.awaits = replies;
    this.#end = end;
  }

  array(count: number): void {
    this.awaits += count;
    this.#next();
  }

  text(): void {
    this.#next();
  }

  integer(): void {
    this.#next();
  }

  /** Of EXEC, when the key that is watched has changed. */
  nil(): void {
    this.#failure ??= noStream(this.stream);
    this.#next();
  }

  refused(failure: StreamlogError): void {
    this.#failure ??= refusalOfExec(failure, this.stream);
    this.#next();
  }

  lost(failure: StreamlogError): void {
    this.#end.reject(failure);
  }

  #next(): void {
    if (--this.awaits > 0) return;
    if (this.#failure === undefined) this.#end.resolve();
    else this.#end.reject(this.#failure);
  }
}
