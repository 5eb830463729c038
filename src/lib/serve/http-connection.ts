/**
 * A request and its answer, on a connection that carries several. Knows of
 * their beginning and end only. Invariant: an exchange ends once, after it was
 * settled and when its answer has gone or its connection is closed, whichever
 * comes first: an answer that waits behind another never closes by itself.
 */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import {clientOf} from './clients.js';
import {MAX_REQUESTS_PER_CONNECTION, MAX_UNDER_WAY, MAX_UNSENT_BYTES_EACH} from './connection-limits.js';
import {type RequestTarget, readTarget} from './request-head.js';
import type {RefusalCode, Response} from './responses.js';

/** Who answers it, and is told of its end. */
export interface RequestHandler {
  run(state: RequestState): void;
  end(exchange: RequestState): void;
}

export class RequestState {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined where it could be read in two ways. */
  readonly target: RequestTarget | undefined;
  readonly connection: HttpConnection;
  /** Asks for the body where the client waits to be asked (100-continue). */
  readonly invite: () => void;
  /** From its header on, as `performance.now` has it. */
  readonly startMs = performance.now();
  /** Undefined where there was nobody to answer. */
  answer: Response | undefined;
  /** Nothing reaches the client any more. */
  isClosed = false;
  /** Set where it is not even to be looked at. */
  refusal: RefusalCode | undefined;
  /** The connection ends behind its answer. */
  isLast = false;
  /** Of its answer, as far as it has been written. */
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
    this.invite = invite;
    this.#handler = handler;
  }

  /** Its turn has come. */
  run(): void {
    this.#handler.run(this);
  }

  /** Also for a client that is gone, what it asked for is in hand until this is called. */
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

/** Who has the books of all connections. */
export interface HttpConnectionOwner {
  onBusy(connection: HttpConnection): void;
  onIdle(connection: HttpConnection): void;
  /** A request has to wait. May close the connection where there is no room for that. */
  onWait(connection: HttpConnection): void;
  /** So many requests wait no longer. */
  onWaitOver(connection: HttpConnection, requests: number): void;
  /** More bytes of answers wait for the client, or fewer. */
  onUnsent(connection: HttpConnection, bytes: number): void;
}

/**
 * What is known of a connection for as long as it is there. Requests that came
 * while MAX_UNDER_WAY of it are under way, or while the client leaves answers
 * unread, wait for their turn; they are answered in the order in which they came.
 */
export class HttpConnection {
  readonly socket: Duplex;
  readonly acceptedMs = performance.now();
  /** Where it comes from; undefined for a unix socket. Asked for once, as it is gone with the connection. */
  readonly client: string | undefined;
  /** Whom its requests count for where no token says it: see `clientOf`. */
  readonly account: string;
  /** Nothing on it is a request any more: nobody knows where the next one begins, or it came too late. */
  isUnreadable = false;
  /** Kept by its owner. */
  unsentBytes = 0;
  readonly #owner: HttpConnectionOwner;
  /** Whose answers have not gone, the oldest first. */
  readonly #open: RequestState[] = [];
  readonly #waiting: RequestState[] = [];
  #requests = 0;
  /** Requests that are not answered, and that the runtime keeps until the connection is gone. */
  #ignored = 0;
  #isClosed = false;

  constructor(socket: Duplex & {readonly remoteAddress?: string | undefined}, owner: HttpConnectionOwner) {
    this.socket = socket;
    this.client = socket.remoteAddress;
    this.account = clientOf(socket.remoteAddress);
    this.#owner = owner;
  }

  /** Requests whose turn has not come. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Runs the exchange when its turn comes, which is at once for nearly all of them. */
  begin(state: RequestState): void {
    if (++this.#requests === MAX_REQUESTS_PER_CONNECTION) this.endBehind(state);
    if (this.#open.length + this.#waiting.length === 0) this.#owner.onBusy(this);
    state.response.on('close', () => this.#end(state));
    if (this.#waiting.length === 0 && this.#hasRoom) {
      this.#run(state);
      return;
    }
    this.#waiting.push(state);
    this.#owner.onWait(this);
  }

  /** Has the exchange answered with a refusal, and nothing be read behind it. */
  refuse(state: RequestState, code: RefusalCode): void {
    this.endBehind(state);
    state.refusal = code;
  }

  /** Nothing is read behind this exchange. */
  endBehind(state: RequestState): void {
    this.isUnreadable = true;
    state.isLast = true;
  }

  /** A request behind the last one. */
  ignore(): void {
    if (this.#isClosed) return;
    this.#ignored++;
    this.#owner.onWait(this);
  }

  /** An answer of so many bytes is on its way. */
  sent(state: RequestState, bytes: number): void {
    if (state.isClosed) return;
    state.sentBytes += bytes;
    this.#owner.onUnsent(this, bytes);
  }

  /** The connection is gone. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const waiting = this.#waiting.splice(0);
    this.#owner.onWaitOver(this, waiting.length + this.#ignored);
    for (const state of waiting) {
      state.close();
      state.settle(undefined);
    }
    for (const exchange of this.#open.splice(0)) exchange.close();
  }

  /** The newest request that has no answer yet. */
  get newest(): IncomingMessage | undefined {
    return (this.#waiting.at(-1) ?? this.#open.at(-1))?.request;
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
    if (state.sentBytes > 0) this.#owner.onUnsent(this, -state.sentBytes);
    state.close();
    while (this.#waiting.length > 0 && this.#hasRoom) {
      this.#owner.onWaitOver(this, 1);
      this.#run(this.#waiting.shift()!);
    }
    if (this.#open.length === 0) this.#owner.onIdle(this);
  }
}
