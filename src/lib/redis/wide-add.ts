/**
 * Adds records once in a transaction (wide-transaction.ts). Invariant: all records
 * of a call are added and the sequence moves, or neither; nothing is sent unless
 * the sequence was before the first of them, and EXEC does nothing if the state
 * changed since.
 */
import {StreamlogError} from '../errors.js';
import type {AddConnection, ReplyHandler} from './add-connection.js';
import {refusalOfExec} from './add-transaction.js';
import type {IdempotentResult} from './producer-state.js';
import {LOOK_REPLIES, type WideTransaction} from './wide-transaction.js';

/** How often the state may change between the look and EXEC: only those of the same producer change it. */
const MOST_ATTEMPTS = 20;

/** One call, and what is called with its result. */
interface WideCall {
  readonly stream: string;
  readonly done: (outcome: IdempotentResult) => void;
  /** The connection ended first. */
  readonly lost: (failure: StreamlogError) => void;
  readonly connection: AddConnection;
  /** The call of the script that says whether the records are added already, and tries what could be refused. */
  readonly prepare: readonly Buffer[];
  readonly first: number;
  readonly records: number;
  readonly transaction: WideTransaction;
  readonly read: (text: string) => IdempotentResult;
}

/**
 * Adds the records of a call, or says why not; `done` or `lost` is called once,
 * from the callback of a reply. Nothing else may WATCH on this connection until then.
 */
export function addWide(call: WideCall, attempt = 0): void {
  if (attempt === MOST_ATTEMPTS) {
    const failure = new StreamlogError('temporary', 'another producer of the same ID adds at the same time');
    call.done({lastSequence: 0, ids: [], stopped: failure});
    return;
  }
  const {connection, prepare, transaction, first} = call;
  const look = new Look(call, (outcome, sequence) => {
    const mayAdd = outcome.stopped === undefined && outcome.lastSequence === first - 1;
    if (!mayAdd) {
      const isPart = outcome.stopped === undefined && outcome.lastSequence < first + call.records - 1;
      call.done(isPart ? {...outcome, stopped: 'different'} : outcome);
    } else if (sequence !== first - 1) addWide(call, attempt + 1);
    else connection.send([transaction.bytes], new Execution(call, () => addWide(call, attempt + 1)));
  });
  connection.send([...prepare, transaction.look], look);
}

/** The replies of the script, MULTI, DISCARD, WATCH and HMGET. */
class Look implements ReplyHandler {
  awaits: number = LOOK_REPLIES;
  readonly #call: WideCall;
  readonly #done: (outcome: IdempotentResult, sequence: number | undefined) => void;
  #outcome: IdempotentResult = {lastSequence: 0, ids: []};

  constructor(call: WideCall, done: (outcome: IdempotentResult, sequence: number | undefined) => void) {
    this.#call = call;
    this.#done = done;
  }

  get stream(): string {
    return this.#call.stream;
  }

  text(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('utf8', start, end);
    if (this.awaits === LOOK_REPLIES) this.#outcome = this.#call.read(text);
    this.#next(this.awaits === 1 ? Number(text) : undefined);
  }

  nil(): void {
    this.#next();
  }

  integer(): void {
    throw new Error('Protocol error: a number where none was asked for');
  }

  refused(failure: StreamlogError): void {
    if (this.#outcome.stopped === undefined) this.#outcome = {lastSequence: 0, ids: [], stopped: failure};
    this.#next();
  }

  lost(failure: StreamlogError): void {
    this.#call.lost(failure);
  }

  #next(sequence?: number): void {
    if (--this.awaits === 0) this.#done(this.#outcome, sequence);
  }
}

/** The replies of the transaction: to MULTI, to each command that it is queued, and those of EXEC. */
class Execution implements ReplyHandler {
  readonly #call: WideCall;
  readonly #again: () => void;
  /** Still to come before that of EXEC. */
  #queued: number;
  #inExec = false;
  #at = 0;
  #over = false;
  /** What was not queued: the reason why EXEC does nothing. */
  #notQueued: StreamlogError | undefined;
  /** Why the first XADD that was refused was. */
  #refusal: IdempotentResult['stopped'];
  #outcome: IdempotentResult | undefined;

  constructor(call: WideCall, again: () => void) {
    this.#call = call;
    this.#again = again;
    this.#queued = 1 + call.transaction.commands;
  }

  get stream(): string {
    return this.#call.stream;
  }

  get awaits(): number {
    return this.#over ? 0 : 1;
  }

  array(count: number): void {
    if (this.#queued > 0) throw protocolError();
    if (this.#inExec) {
      // That of XREVRANGE where there is no stream.
      if (count !== 0) throw protocolError();
      this.#next();
    } else if (count !== this.#call.transaction.commands) throw protocolError();
    else this.#inExec = true;
  }

  text(bytes: Buffer, start: number, end: number): void {
    if (this.#queued > 0) {
      this.#queued--;
      return;
    }
    if (!this.#inExec) throw protocolError();
    if (this.#at === this.#call.transaction.answerAt) {
      const text = bytes.toString('utf8', start, end);
      if (text.endsWith('\nREFUSED'))
        this.#outcome = {lastSequence: this.#call.first - 1, ids: [], stopped: this.#refusal ?? notAdded()};
      else this.#outcome = this.#call.read(text);
    }
    this.#next();
  }

  integer(): void {
    if (!this.#inExec) throw protocolError();
    this.#next();
  }

  nil(): void {
    if (this.#queued > 0) throw protocolError();
    if (!this.#inExec) {
      this.#over = true;
      this.#again();
      return;
    }
    if (this.#isXadd) this.#refusal ??= 'no stream';
    this.#next();
  }

  refused(failure: StreamlogError): void {
    if (this.#queued > 0) {
      this.#queued--;
      this.#notQueued ??= failure;
    } else if (!this.#inExec) {
      this.#end({
        lastSequence: this.#call.first - 1,
        ids: [],
        stopped: this.#notQueued ?? refusalOfExec(failure, this.stream),
      });
    } else {
      if (this.#isXadd) this.#refusal ??= failure;
      if (this.#at === this.#call.transaction.answerAt) this.#outcome = {lastSequence: 0, ids: [], stopped: failure};
      this.#next();
    }
  }

  lost(failure: StreamlogError): void {
    this.#call.lost(failure);
  }

  get #isXadd(): boolean {
    const {addsAt, answerAt} = this.#call.transaction;
    return this.#at >= addsAt && this.#at < answerAt;
  }

  #next(): void {
    if (++this.#at < this.#call.transaction.commands) return;
    this.#end(this.#outcome ?? {lastSequence: 0, ids: [], stopped: notAdded()});
  }

  #end(outcome: IdempotentResult): void {
    this.#over = true;
    this.#call.done(outcome);
  }
}

const notAdded = (): StreamlogError =>
  new StreamlogError('temporary', 'Redis has not added the records, and has not said why');
const protocolError = (): Error => new Error('Protocol error: a reply is none to a transaction');
