/**
 * A request and its answer, on a connection that carries several. Knows of
 * their beginning and end only. Invariant: an exchange ends once, after it was
 * settled and when its answer has gone or its connection is closed, whichever
 * comes first: an answer that waits behind another never closes by itself.
 */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Duplex} from 'node:stream';
import type {Answer} from './answers.js';
import {clientOf} from './rate-limit.js';
import {readTarget, type Target} from './target.js';

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined where it could be read in two ways. */
  readonly target: Target | undefined;
  /** Where it comes from; undefined for a unix socket. */
  readonly client: string | undefined;
  /** From its header on, as `performance.now` has it. */
  readonly startMs = performance.now();
  /** Undefined where there was nobody to answer. */
  answer: Answer | undefined;
  /** Nothing reaches the client any more. */
  isClosed = false;
  readonly #onEnd: (exchange: Exchange) => void;
  #isSettled = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    client: string | undefined,
    onEnd: (exchange: Exchange) => void,
  ) {
    this.request = request;
    this.response = response;
    this.target = readTarget(request.url ?? '');
    this.client = client;
    this.#onEnd = onEnd;
  }

  /** Also for a client that is gone, what it asked for is in hand until this is called. */
  settle(answer: Answer | undefined): void {
    this.answer = answer;
    this.#isSettled = true;
    if (this.isClosed) this.#onEnd(this);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.#isSettled) this.#onEnd(this);
  }
}

/** What is known of a connection for as long as it is there. */
export class Connection {
  /** Asked for once, as it is gone with the connection. */
  readonly client: string | undefined;
  /** Whom its requests count for where no token says it: see `clientOf`. */
  readonly account: string;
  /** Nothing on it is a request any more: nobody knows where the next one begins, or it came too late. */
  isUnreadable = false;
  /** Whose answers have not gone, the oldest first. */
  readonly #open: Exchange[] = [];

  constructor(socket: Duplex & {readonly remoteAddress?: string | undefined}) {
    this.client = socket.remoteAddress;
    this.account = clientOf(socket.remoteAddress);
    socket.once('close', () => {
      for (const exchange of this.#open.splice(0)) exchange.close();
    });
  }

  begin(exchange: Exchange): void {
    this.#open.push(exchange);
    exchange.response.on('close', () => {
      const at = this.#open.indexOf(exchange);
      if (at !== -1) this.#open.splice(at, 1);
      exchange.close();
    });
  }

  /** The newest request that has no answer yet. */
  get newest(): IncomingMessage | undefined {
    return this.#open.at(-1)?.request;
  }
}
