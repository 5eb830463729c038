/**
 * Adds over the connections of one client, several requests at a time. In a
 * cluster, what a node refuses since the slot has moved is sent to the new node
 * (redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec). Invariant:
 * what is added to a stream is sent in the order of the calls, and nothing is sent
 * twice that may have been executed.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../errors.js';
import {pauseMs} from '../retry-policy.js';
import type {AddConnection} from './add-connection.js';
import type {AddConnectionPool} from './add-connection-pool.js';
import type {AddBatch} from './add-encoder.js';
import {type AddResult, AddResults, IdempotentReply} from './add-results.js';
import {addInTransaction} from './add-transaction.js';
import type {AddCheckpoint} from './args.js';
import type {CommandConnection} from './command-connection.js';
import {IDEMPOTENT_ADD} from './producer-scripts.js';
import {type IdempotentCall, type IdempotentResult, readIdempotentResult} from './producer-state.js';
import {Moved} from './server-errors.js';
import {addWide} from './wide-add.js';

/** Redis' words for a stream that is moving or has moved. */
const MOVING = new Set(['MOVED', 'ASK', 'TRYAGAIN']);
const BACKOFF = {firstMs: 10, longestMs: 250};
/** How often a stream is followed without a pause. */
const FOLLOWED_AT_ONCE = 3;
/** Some four seconds. */
const MOST_ATTEMPTS = 20;

export class AddRouter {
  readonly #connection: CommandConnection;
  readonly #connections: AddConnectionPool;
  /** Transactions, one at a time on each connection: EXEC ends what others WATCH. */
  readonly #transactions = new WeakMap<AddConnection, Promise<unknown>>();
  /** The last batch to each stream of a cluster: one that is redirected must not be overtaken by the next. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(connection: CommandConnection, connections: AddConnectionPool) {
    this.#connection = connection;
    this.#connections = connections;
  }

  /** A result for each XADD, in their order. Throws where no connection can be opened. */
  addAll(stream: string, adds: AddBatch): Promise<AddResult[]> {
    if (!this.#connection.inCluster) return this.#send(stream, adds);
    const mine = (this.#last.get(stream) ?? Promise.resolve()).then(
      () => this.#follow(stream, adds),
      () => this.#follow(stream, adds),
    );
    this.#last.set(stream, mine);
    const forget = (): boolean => this.#last.get(stream) === mine && this.#last.delete(stream);
    mine.then(forget, forget);
    return mine;
  }

  /** All of them in one step, in a transaction, which is sent again only where the stream has moved. Throws where nothing was executed, or that is not known. */
  async addTogether(stream: string, adds: AddBatch, checkpoint?: AddCheckpoint): Promise<AddResult[]> {
    for (let attempt = 0; ; attempt++) {
      const outcome = await addInTransaction(await this.#connections.to(stream), stream, adds, checkpoint);
      if (!(outcome instanceof StreamlogError)) return outcome;
      if (!(await this.#mayFollow(stream, outcome, attempt))) throw outcome;
    }
  }

  /** One call of the script that adds once. */
  async addOnce(stream: string, call: IdempotentCall): Promise<IdempotentResult> {
    for (let attempt = 0; ; attempt++) {
      const connection = await this.#connections.to(stream);
      const outcome = await this.#call(connection, stream, call);
      const {stopped} = outcome;
      if (stopped instanceof StreamlogError && stopped.code === 'NOSCRIPT' && attempt < MOST_ATTEMPTS) {
        await this.#connection.sendToMasters(['script', 'LOAD', IDEMPOTENT_ADD.lua]);
      } else if (!(await this.#mayFollow(stream, stopped, attempt))) {
        return outcome;
      }
    }
  }

  #call(connection: AddConnection, stream: string, call: IdempotentCall): Promise<IdempotentResult> {
    const {bytes, transaction} = call;
    if (transaction === undefined)
      return new Promise((done) => connection.send(bytes, new IdempotentReply(stream, done)));
    const read = (text: string): IdempotentResult => readIdempotentResult(text, {command: 'XADD', stream});
    const mine = (this.#transactions.get(connection) ?? Promise.resolve()).then(
      () =>
        new Promise<IdempotentResult>((done) => {
          const lost = (failure: StreamlogError): void => done({lastSequence: 0, ids: [], stopped: failure});
          addWide({...call, connection, stream, prepare: bytes, transaction, read, done, lost});
        }),
    );
    this.#transactions.set(connection, mine);
    return mine;
  }

  async #send(stream: string, adds: AddBatch): Promise<AddResult[]> {
    const connection = await this.#connections.to(stream);
    return new Promise((done) => connection.send([adds.bytes], new AddResults(stream, adds, done)));
  }

  async #follow(stream: string, adds: AddBatch): Promise<AddResult[]> {
    const outcomes = await this.#send(stream, adds);
    for (let attempt = 0; ; attempt++) {
      const moved = outcomes.flatMap((outcome, index) => (isMoving(outcome) ? [index] : []));
      if (!(await this.#mayFollow(stream, outcomes[moved.at(-1)!], attempt))) return outcomes;
      const results = await this.#send(stream, adds.only(moved));
      moved.forEach((index, at) => {
        outcomes[index] = results[at];
      });
    }
  }

  /** True, with a new look at where `stream` is, when `reason` says that it has moved; after a pause, that it moves. */
  async #mayFollow(stream: string, reason: unknown, attempt: number): Promise<boolean> {
    if (!this.#connection.inCluster || !isMoving(reason) || attempt >= MOST_ATTEMPTS) return false;
    if (reason instanceof Moved) this.#connections.moved(stream, reason.home, reason.code === 'ASK');
    // Two nodes may each name the other, as long as they have not heard of each other's news.
    if (reason instanceof Moved && attempt < FOLLOWED_AT_ONCE) return true;
    await sleep(pauseMs(attempt, BACKOFF));
    if (!(reason instanceof Moved)) await this.#connection.refreshSlots();
    return true;
  }
}

const isMoving = (outcome: unknown): boolean =>
  outcome instanceof StreamlogError && outcome.code !== undefined && MOVING.has(outcome.code);
