/**
 * Adds the records of a POST to a stream. It is refused as cheaply as possible:
 * by its header, for want of room, without Redis, and only then by its body.
 * Invariant: a 2xx answer has the ID of every entry that it says was added, each
 * from the reply of Redis to its XADD.
 */
import {StreamlogError} from '../errors.js';
import type {LeasedClient} from '../leased-client.js';
import type {AddOptions, AddResult} from '../stream-client.js';
import {BodyMemory, type HeldBody, readBody} from './body.js';
import {checkAnnouncedLength, type MediaType, readBodyRecords, readMediaType} from './body-records.js';
import {ClientShares} from './clients.js';
import type {HeldRequests} from './held-requests.js';
import type {RequestState} from './http-connection.js';
import type {Metrics} from './metrics.js';
import type {RefusalLog} from './refusal-log.js';
import {RequestBatcher, type RequestWriter, readIdempotencyKey} from './request-batcher.js';
import {RequestTimeouts} from './request-timeouts.js';
import {REFUSALS, Refusal, type RefusalCode, type Response, refusalCodeOf} from './responses.js';

export interface AddHandlerOptions {
  live: LeasedClient;
  held: HeldRequests;
  isAllowed: (stream: string) => boolean;
  /** How the entries of a request are added; asked anew for each. */
  addOptions: () => AddOptions;
  maxBodyBytes: number;
  /** Of a batch. */
  maxRecords: number;
  /** The text to store for null; undefined: null is refused. */
  nullText: string | undefined;
  /** Requests that wait for Redis. */
  maxInFlight: number;
  /** How long a request waits for Redis before it is answered without a result. */
  timeoutMs: number;
  /** How long a request with an Idempotency-Key is remembered. */
  keySeconds: number;
  metrics: Metrics;
  refusals: RefusalLog;
  /** Reports what is wrong with the server, which clients do not learn. */
  warn: (text: string) => void;
}

/** What the header of a POST says. */
interface PostHeader {
  readonly stream: string;
  readonly type: MediaType;
  /** Its Idempotency-Key, if any. */
  readonly key: string | undefined;
  readonly scope: string;
}

/** Memory for a record that waits for Redis beside its JSON, about: its command, its reply, its part of the answer. */
const RECORD_BYTES = 160;
/** The least memory for bodies, so that many small ones fit however large one may be. */
const BODY_MEMORY_BYTES = 64 * 1024 * 1024;

export class AddHandler {
  readonly #options: AddHandlerOptions;
  readonly #memory: BodyMemory;
  readonly #timeouts: RequestTimeouts;
  readonly #batcher: RequestBatcher;
  readonly #inFlight: ClientShares;

  constructor(options: AddHandlerOptions) {
    this.#options = options;
    this.#batcher = new RequestBatcher(options.live, options.held);
    this.#timeouts = new RequestTimeouts(options.timeoutMs);
    this.#inFlight = new ClientShares(options.maxInFlight);
    this.#memory = new BodyMemory(Math.max(BODY_MEMORY_BYTES, 4 * options.maxBodyBytes));
  }

  /** Requests that Redis has not replied to, those that were answered after the time limit included. */
  get inFlight(): number {
    return this.#inFlight.held;
  }

  /** Bytes that are held for bodies. */
  get bodyBytes(): number {
    return this.#memory.heldBytes;
  }

  /** Whether the next request would be refused. */
  get isFull(): boolean {
    return this.#inFlight.held >= this.#inFlight.total || this.#memory.isFull;
  }

  /** Throws Refusal; rejects with Refusal too, and with ClientGone when the client closed its connection. */
  answer(state: RequestState, stream: string): Promise<Response> {
    const {request, client} = state;
    const {isAllowed, maxBodyBytes: maxBytes} = this.#options;
    if (!isAllowed(stream)) throw new Refusal('stream_not_allowed');
    const type = readMediaType(request.headers);
    const key = readIdempotencyKey(request.headers);
    checkAnnouncedLength(request.headers, maxBytes);
    if (state.draining) throw new Refusal('shutting_down');
    this.#requireRoom(client);
    state.invite();
    return new Promise((resolve, reject) => {
      const done = (held: HeldBody): void => {
        try {
          this.#add(held, {stream, type, key, scope: state.scope}, resolve);
        } catch (error) {
          held.release();
          reject(error);
        }
      };
      readBody(request, {maxBytes, memory: this.#memory, client}, done, reject);
    });
  }

  /** Throws Refusal, and then sends nothing to Redis. */
  #add(held: HeldBody, {stream, type, key, scope}: PostHeader, resolve: (response: Response) => void): void {
    const {metrics, addOptions, keySeconds: keepSeconds} = this.#options;
    const body = held.end();
    metrics.countBody(body.length);
    const requestKey = key === undefined ? undefined : {scope, key, keepSeconds, body};
    const writer = this.#batcher.writer(stream, addOptions(), requestKey);
    let single: boolean;
    try {
      let records: number;
      ({single, records} = readBodyRecords(body, type, this.#options, writer));
      this.#requireRoom(held.client);
      if (!held.charge(records * RECORD_BYTES)) throw new Refusal('overloaded');
    } catch (error) {
      writer.drop();
      throw error;
    }
    this.#send(writer, held, single, resolve);
  }

  /** Refuses at once what cannot be served now: waiting requests would only accumulate. */
  #requireRoom(client: string): void {
    if (!this.#options.live.connected) throw new Refusal('redis_unavailable');
    if (!this.#inFlight.hasRoom(client)) throw new Refusal('overloaded');
  }

  /** Resolves within the time limit; what the request holds is freed only when Redis has replied. */
  #send(writer: RequestWriter, held: HeldBody, single: boolean, resolve: (response: Response) => void): void {
    this.#inFlight.take(held.client);
    const timed = this.#timeouts.begin(resolve);
    writer.send((results, failure) => {
      this.#inFlight.give(held.client);
      held.release();
      this.#timeouts.end(timed);
      resolve(results === undefined ? this.#refusalOf(failure) : this.#responseOf(results, single));
    });
  }

  /** `single` for a request of one object. */
  #responseOf(results: readonly AddResult[], single: boolean): Response {
    const [first] = results;
    if (single && typeof first === 'string') {
      this.#options.refusals.redisTook();
      return {status: 201, body: `{"id":"${first}"}\n`, added: 1};
    }
    const codes = new Map<number, RefusalCode>();
    results.forEach((result, index) => {
      if (typeof result !== 'string') codes.set(index, result === undefined ? 'no_stream' : this.#codeOf(result));
    });
    const added = results.length - codes.size;
    if (added > 0) this.#options.refusals.redisTook();
    if (codes.size === 0) return {status: 201, body: {ids: results}, added};
    const distinct = [...new Set(codes.values())];
    if (added === 0 && distinct.length === 1) return new Refusal(distinct[0]!).answer;
    const parts = results.map((id, index) => {
      const code = codes.get(index);
      return code === undefined ? {id} : {error: {code, message: REFUSALS[code].message}};
    });
    if (!distinct.includes('unknown_outcome')) return {status: 207, body: {results: parts}, added};
    const {answer} = new Refusal('unknown_outcome');
    return {...answer, body: {...(answer.body as object), results: parts}, added};
  }

  #refusalOf(failure: unknown): Response {
    return failure instanceof Refusal ? failure.answer : new Refusal(this.#codeOf(failure)).answer;
  }

  #codeOf(failure: unknown): RefusalCode {
    const code = refusalCodeOf(failure);
    if (code === 'internal') this.#options.warn(failure instanceof Error ? failure.message : 'unknown failure');
    else if (failure instanceof StreamlogError && (code === 'redis_refuses' || code === 'redis_denied'))
      this.#options.refusals.redisRefused(failure.code ?? 'ERR', reasonOf(code, failure));
    return code;
  }
}

/** The hint of a temporary failure says what Redis lacks; the message of a denial says which user. */
const reasonOf = (code: RefusalCode, {message, hint}: StreamlogError): string =>
  code === 'redis_refuses' && hint !== undefined ? hint : message;
