/**
 * A POST → entries in a stream, in the order in which it is cheap to refuse it:
 * name, headers, room, Redis, and only then the body. Knows HTTP and the stream
 * client and nothing of sockets. Invariant: a 2xx answer names the ID of every
 * entry that it speaks of as added, each from the reply of Redis to its XADD.
 */
import type {IncomingMessage} from 'node:http';
import {StreamlogError} from '../errors.js';
import type {LeasedClient} from '../leased-client.js';
import type {AddOptions} from '../stream-client.js';
import {type BatchWriter, IdempotentBatchWriter, PlainBatchWriter, readIdempotencyKey} from './batch-writer.js';
import {checkAnnouncedLength, type MediaType, readBody, readMediaType} from './body.js';
import {BodyMemory, type HeldBody} from './body-memory.js';
import {readBodyRecords} from './body-records.js';
import {ClientShares} from './clients.js';
import type {HeldRequests} from './held-requests.js';
import type {RequestView} from './http-server.js';
import {PostRequest, type PostRequestFacts, type PostRequestOwner} from './post-request.js';
import type {RefusalLog} from './refusal-log.js';
import {RequestBatcher} from './request-batcher.js';
import {RequestTimeouts} from './request-timeouts.js';
import {Refusal, type RefusalCode, type Response, refusalCodeOf} from './responses.js';
import {decodeName, type Route} from './routes.js';

export interface AddHandlerOptions {
  live: LeasedClient;
  /** Told of what was confirmed. */
  held: HeldRequests;
  isAllowed: (stream: string) => boolean;
  /** How the entries of a request are added; asked anew for each. */
  addOptions: () => AddOptions;
  maxBodyBytes: number;
  /** In one batch. */
  maxRecords: number;
  /** The text to store for null; undefined: null is refused. */
  nullText: string | undefined;
  /** Requests that wait for Redis. */
  maxInFlight: number;
  /** How long a request waits for Redis before it is answered without knowing what was added. */
  timeoutMs: number;
  /** How long a request with an Idempotency-Key is remembered. */
  keySeconds: number;
  /** The bytes of a body that was read to its end. */
  onBody: (bytes: number) => void;
  /** What a client is not told: what is a bug of ours, */
  onInternalFailure: (reason: string) => void;
  /** and why Redis refuses. */
  refusals: RefusalLog;
}

/** Who asks. */
export interface AddingClient extends RequestView {
  /** Whose requests count together: a token, or an address. */
  readonly client: string;
  /** Whose Idempotency-Keys are the same: the name of the token, empty where none is asked for. */
  readonly scope: string;
}

/** What the head of a request says. */
interface Wanted {
  readonly stream: string;
  readonly type: MediaType;
  /** Its Idempotency-Key, if any. */
  readonly key: string | undefined;
  readonly scope: string;
}

/** What is temporary says in its hint what Redis lacks; what is denied says in its message to whom. */
const reasonOf = (code: RefusalCode, {message, hint}: StreamlogError): string =>
  code === 'redis_refuses' && hint !== undefined ? hint : message;

/** What waits for Redis of a record beside its JSON, about: the names of its command, its reply, its line in the answer. */
const RECORD_BYTES = 160;
/** Bodies held at a time, at least: enough for many small ones however large one may be. */
const BODY_MEMORY_BYTES = 64 * 1024 * 1024;

export class AddHandler implements PostRequestOwner {
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

  /** Requests whose entries are on their way to Redis, those that were answered without waiting longer included. */
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

  /** Throws Refusal, or ClientGone when there is nobody left to answer. */
  answer(request: IncomingMessage, {encodedName, query}: Route, state: AddingClient): Promise<Response> {
    const {maxBodyBytes: maxBytes} = this.#options;
    if (query !== undefined) throw new Refusal('bad_query');
    const stream = decodeName(encodedName);
    if (!this.#options.isAllowed(stream)) throw new Refusal('stream_not_allowed');
    const type = readMediaType(request.headers);
    const key = readIdempotencyKey(request.headers);
    checkAnnouncedLength(request.headers, maxBytes);
    if (state.draining) throw new Refusal('shutting_down');
    this.#requireRoom(state.client);

    state.invite();
    return new Promise((resolve, reject) => {
      const memory = this.#memory;
      const take = (body: Buffer, held: HeldBody): void => {
        try {
          this.#take(body, held, {stream, type, key, scope: state.scope}, {resolve, reject});
        } catch (error) {
          held.release();
          reject(error);
        }
      };
      readBody(request, {maxBytes, memory, client: state.client}, take, reject);
    });
  }

  /** For the desk of `Posting`. */
  leave(pending: PostRequest): void {
    this.#inFlight.give(pending.held.client);
    pending.held.release();
    this.#timeouts.end(pending);
  }

  /** For the desk of `Posting`. */
  codeOf(failure: unknown): RefusalCode {
    const code = refusalCodeOf(failure);
    if (code === 'internal')
      this.#options.onInternalFailure(failure instanceof Error ? failure.message : 'unknown failure');
    else if (failure instanceof StreamlogError && (code === 'redis_refuses' || code === 'redis_denied'))
      this.#options.refusals.redisRefused(failure.code ?? 'ERR', reasonOf(code, failure));
    return code;
  }

  /** For the desk of `Posting`. */
  added(): void {
    this.#options.refusals.redisTook();
  }

  /** A request that cannot be served now is refused at once: waiting requests would only pile up. */
  #requireRoom(client: string): void {
    if (!this.#options.live.connected) throw new Refusal('redis_unavailable');
    if (!this.#inFlight.hasRoom(client)) throw new Refusal('overloaded');
  }

  /** Throws Refusal, and then nothing of this request goes to Redis. */
  #take(body: Buffer, held: HeldBody, wanted: Wanted, waiting: PostRequestFacts): void {
    this.#options.onBody(body.length);
    const adding = this.#addingOf(body, wanted);
    let single: boolean;
    try {
      let records: number;
      ({single, records} = readBodyRecords(body, wanted.type, this.#options, adding));
      this.#requireRoom(held.client);
      if (!held.charge(records * RECORD_BYTES)) throw new Refusal('overloaded');
    } catch (error) {
      adding.drop();
      throw error;
    }
    const pending = new PostRequest(held, single, this, waiting);
    this.#inFlight.take(held.client);
    this.#timeouts.begin(pending);
    adding.send(pending);
  }

  #addingOf(body: Buffer, {stream, key, scope}: Wanted): BatchWriter {
    const options = this.#options.addOptions();
    if (key === undefined) return new PlainBatchWriter(this.#batcher.to(stream), options);
    const {live, held} = this.#options;
    const request = {scope, key, keepSeconds: this.#options.keySeconds, body};
    return new IdempotentBatchWriter({live, held, batcher: this.#batcher}, stream, options, request);
  }
}
