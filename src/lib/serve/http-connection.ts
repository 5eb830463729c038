/**
 * A request with its answer, and the connection that carries several of them.
 * Invariant: a request ends once, after it was settled and when its answer was
 * sent or its connection closed, whichever comes first: an answer that waits
 * behind another one never emits `close` by itself.
 */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import {clientOf} from './clients.js';
import {MAX_REQUESTS_PER_CONNECTION, MAX_UNDER_WAY, MAX_UNSENT_BYTES_EACH} from './connection-limits.js';
import type {Connections} from './connections.js';
import {type RequestTarget, readTarget} from './request-head.js';
import type {RefusalCode, Response} from './responses.js';

/** Answers requests, and counts them. */
export interface RequestHandler {
  /** The server is shutting down and takes nothing new. */
  readonly draining: boolean;
  run(state: RequestState): void;
  end(state: RequestState): void;
}

/** All that is known of a request beside its text. */
export class RequestState {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined for an ambiguous target. */
  readonly target: RequestTarget | undefined;
  readonly connection: HttpConnection;
  /** Asks for the body where the client waits to be asked (100-continue). */
  readonly invite: () => void;
  /** When its header had arrived, as `performance.now` has it. */
  readonly startMs = performance.now();
  /** The client that it counts for: a token or, without tokens, the address. */
  client: string;
  /** The name of its token, empty without one. Idempotency-Keys of other scopes are other keys. */
  scope = '';
  /** Undefined where the client was gone. */
  answer: Response | undefined;
  /** Nothing reaches the client any more. */
  isClosed = false;
  /** Set where it is refused unread. */
  refusal: RefusalCode | undefined;
  /** The connection is closed after its answer. */
  isLast = false;
  /** The bytes of its answer that were written. */
  sentBytes = 0;
  readonly #handler: RequestHandler;
  #isSettled = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    connection: HttpConnection,
    handler: RequestHandler,
    invite: () => void,
  ) {
    this.request = request;
    this.response = response;
    this.target = readTarget(request.url ?? '');
    this.connection = connection;
    this.client = connection.client;
    this.invite = invite;
    this.#handler = handler;
  }

  get draining(): boolean {
    return this.#handler.draining;
  }

  /** Its turn has come. */
  run(): void {
    this.#handler.run(this);
  }

  /** To be called for a client that is gone, too: until then, the request is in flight. */
  settle(answer: Response | undefined): void {
    this.answer = answer;
    this.#isSettled = true;
    if (this.isClosed) this.#handler.end(this);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.#isSettled) this.#handler.end(this);
  }
}

/**
 * Runs the requests of one connection in their order. A request waits while MAX_UNDER_WAY others are under way, or
 * while the client leaves answers unread.
 */
export class HttpConnection {
  readonly socket: Duplex;
  readonly acceptedMs = performance.now();
  /** Undefined for a unix socket. Kept here, as a closed socket does not have it any more. */
  readonly address: string | undefined;
  /** The client that its requests count for without a token: see `clientOf`. */
  readonly client: string;
  /** Nothing more is read from it: it is unclear where the next request begins, or one arrived too late. */
  isUnreadable = false;
  /** Kept by `Connections`. */
  unsentBytes = 0;
  readonly #all: Connections;
  /** Requests under way, the oldest first. */
  readonly #open: RequestState[] = [];
  readonly #waiting: RequestState[] = [];
  #requests = 0;
  /** Requests that get no answer, and that the runtime keeps until the connection is closed. */
  #ignored = 0;
  #isClosed = false;

  constructor(socket: Duplex & {readonly remoteAddress?: string | undefined}, all: Connections) {
    this.socket = socket;
    this.address = socket.remoteAddress;
    this.client = clientOf(socket.remoteAddress);
    this.#all = all;
  }

  /** Requests that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs a request when its turn comes, usually at once. */
  begin(state: RequestState): void {
    if (++this.#requests === MAX_REQUESTS_PER_CONNECTION) this.endAfter(state);
    if (this.#open.length + this.#waiting.length === 0) this.#all.onBusy(this);
    state.response.on('close', () => this.#end(state));
    if (this.#waiting.length === 0 && this.#hasRoom) {
      this.#run(state);
      return;
    }
    this.#waiting.push(state);
    this.#all.onWait(this);
  }

  /** Refuses a request, and reads nothing after it. */
  refuse(state: RequestState, code: RefusalCode): void {
    this.endAfter(state);
    state.refusal = code;
  }

  /** Closes the connection after the answer to this request. */
  endAfter(state: RequestState): void {
    this.isUnreadable = true;
    state.isLast = true;
  }

  /** Counts a request that came after the last one to be answered. */
  ignore(): void {
    if (this.#isClosed) return;
    this.#ignored++;
    this.#all.onWait(this);
  }

  /** `bytes` of the answer were written. */
  sent(state: RequestState, bytes: number): void {
    if (state.isClosed) return;
    state.sentBytes += bytes;
    this.#all.onUnsent(this, bytes);
  }

  /** The socket is closed. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const waiting = this.#waiting.splice(0);
    this.#all.onWaitCut(this, waiting.length + this.#ignored);
    for (const state of waiting) {
      state.close();
      state.settle(undefined);
    }
    for (const state of this.#open.splice(0)) state.close();
  }

  /** The newest request without an answer. */
  get newest(): IncomingMessage | undefined {
    return this.#newest?.request;
  }

  /** When that came, as `performance.now` has it. */
  get askedMs(): number | undefined {
    return this.#newest?.startMs;
  }

  get #newest(): RequestState | undefined {
    return this.#waiting.at(-1) ?? this.#open.at(-1);
  }

  get #hasRoom(): boolean {
    return this.#open.length < MAX_UNDER_WAY && this.unsentBytes < MAX_UNSENT_BYTES_EACH;
  }

  #run(state: RequestState): void {
    this.#open.push(state);
    state.run();
  }

  #end(state: RequestState): void {
    const at = this.#open.indexOf(state);
    if (at === -1) return;
    this.#open.splice(at, 1);
    if (state.sentBytes > 0) this.#all.onUnsent(this, -state.sentBytes);
    state.close();
    while (this.#waiting.length > 0 && this.#hasRoom) {
      this.#all.onWaitOver(this);
      this.#run(this.#waiting.shift()!);
    }
    if (this.#open.length === 0) this.#all.onIdle(this);
  }
}
