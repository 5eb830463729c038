/**
 * A POST → entries in a stream, in the order in which it is cheap to refuse it:
 * name, headers, room, Redis, and only then the body. Knows HTTP and the stream
 * client and nothing of sockets. Invariant: a 2xx answer names the ID of every
 * entry that it speaks of as added, each from the reply of Redis to its XADD.
 */
import type {IncomingMessage} from 'node:http';
import type {RequestState} from '../http-server.js';
import type {LiveClient} from '../live-client.js';
import type {AddOptions} from '../stream-client.js';
import {type Adding, OnceAdding, PlainAdding, readIdempotencyKey} from './adding.js';
import {type Answer, Refusal, type RefusalCode, refusalCodeOf} from './answers.js';
import {BodyMemory, checkAnnouncedLength, type MediaType, readBody, readMediaType} from './body.js';
import {Gatherings} from './gathering.js';
import type {HeldRequests} from './held-requests.js';
import {Patience} from './patience.js';
import {type Desk, Posting, type Waiting} from './posting.js';
import {readBodyRecords} from './records.js';
import {decodeName, type Route} from './routes.js';

export interface IngestOptions {
  live: LiveClient;
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
  /** What a client is not told: why Redis does not let us, or what is a bug of ours. */
  onInternalFailure: (reason: string) => void;
}

/** Who asks. */
export interface Asking extends RequestState {
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

/** Bodies held at a time, at least: enough for many small ones however large one may be. */
const BODY_MEMORY_BYTES = 64 * 1024 * 1024;

export class Ingest implements Desk {
  readonly #options: IngestOptions;
  readonly #memory: BodyMemory;
  readonly #patience: Patience;
  readonly #gatherings: Gatherings;
  #inFlight = 0;

  constructor(options: IngestOptions) {
    this.#options = options;
    this.#gatherings = new Gatherings(options.live, options.held);
    this.#patience = new Patience(options.timeoutMs);
    this.#memory = new BodyMemory(Math.max(BODY_MEMORY_BYTES, 4 * options.maxBodyBytes));
  }

  /** Requests whose entries are on their way to Redis, those that were answered without waiting longer included. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether the next request would be refused. */
  get isFull(): boolean {
    return this.#inFlight >= this.#options.maxInFlight;
  }

  /** Throws Refusal, or ClientGone when there is nobody left to answer. */
  answer(request: IncomingMessage, {encodedName, query}: Route, state: Asking): Promise<Answer> {
    const {maxBodyBytes: maxBytes} = this.#options;
    if (query !== undefined) throw new Refusal('bad_query');
    const stream = decodeName(encodedName);
    if (!this.#options.isAllowed(stream)) throw new Refusal('stream_not_allowed');
    const type = readMediaType(request.headers);
    const key = readIdempotencyKey(request.headers);
    checkAnnouncedLength(request.headers, maxBytes);
    if (state.draining) throw new Refusal('shutting_down');
    this.#requireRoom();

    state.invite();
    return new Promise((resolve, reject) => {
      const memory = this.#memory;
      const take = (body: Buffer): void => {
        try {
          this.#take(body, {stream, type, key, scope: state.scope}, {resolve, reject});
        } catch (error) {
          memory.release(body.length);
          reject(error);
        }
      };
      readBody(request, {maxBytes, memory}, take, reject);
    });
  }

  /** For the desk of `Posting`. */
  leave(posting: Posting): void {
    this.#inFlight--;
    this.#memory.release(posting.bytes);
    this.#patience.end(posting);
  }

  /** For the desk of `Posting`. */
  codeOf(failure: unknown): RefusalCode {
    const code = refusalCodeOf(failure);
    if (code === 'internal' || code === 'redis_denied')
      this.#options.onInternalFailure(failure instanceof Error ? failure.message : 'unknown failure');
    return code;
  }

  /** A request that cannot be served now is refused at once: waiting requests would only pile up. */
  #requireRoom(): void {
    if (!this.#options.live.connected) throw new Refusal('redis_unavailable');
    if (this.isFull) throw new Refusal('overloaded');
  }

  /** Throws Refusal, and then nothing of this request goes to Redis. */
  #take(body: Buffer, wanted: Wanted, waiting: Waiting): void {
    this.#options.onBody(body.length);
    const adding = this.#addingOf(body, wanted);
    let single: boolean;
    try {
      ({single} = readBodyRecords(body, wanted.type, this.#options, adding));
      this.#requireRoom();
    } catch (error) {
      adding.drop();
      throw error;
    }
    const posting = new Posting(body.length, single, this, waiting);
    this.#inFlight++;
    this.#patience.begin(posting);
    adding.send(posting);
  }

  #addingOf(body: Buffer, {stream, key, scope}: Wanted): Adding {
    const options = this.#options.addOptions();
    if (key === undefined) return new PlainAdding(this.#gatherings.to(stream), options);
    const {live, held} = this.#options;
    const request = {scope, key, keepSeconds: this.#options.keySeconds, body};
    return new OnceAdding({live, held, gatherings: this.#gatherings}, stream, options, request);
  }
}
