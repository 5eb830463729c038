/**
 * What serve listens with: connections, their limits, and their end. Knows
 * nothing of streams; what a request comes to is asked of `answer`. Invariant:
 * each request gets one answer, and a connection whose request may have taken
 * effect never gets an answer that belongs to another.
 */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {Server as NetServer} from 'node:net';
import type {Duplex} from 'node:stream';
import type {AccessFacts} from './access-log.js';
import {ClientGone} from './body.js';
import {limitConnections, serverOptions, TIME_LIMITS, type TimeLimits} from './connection-limits.js';
import {type ConnectionEnd, Connections} from './connections.js';
import {type HttpConnection, type RequestHandler, RequestState} from './http-connection.js';
import type {ListenAddress} from './listen.js';
import {listenAt, urlOf} from './listen.js';
import {type RequestTarget, refusalOfHead} from './request-head.js';
import {Refusal, type RefusalCode, type Response, send, sendLast} from './responses.js';
import type {TlsCertificate} from './tls-front.js';
import {TlsFront} from './tls-front.js';

/** What is known of a request beside its text. */
export interface RequestView {
  /** The address that it counts for where no token says more: see `clientOf`. */
  readonly account: string;
  readonly target: RequestTarget;
  /** The server is shutting down and takes nothing new. */
  readonly draining: boolean;
  /** Asks for the body where the client waits to be asked (100-continue). */
  readonly invite: () => void;
}

/** What connections take up at this moment. */
export interface ServerLoad {
  readonly connections: number;
  /** Requests whose turn on their connection has not come. */
  readonly waiting: number;
  readonly unsentBytes: number;
}

export interface HttpServerOptions {
  /** Throws Refusal, or ClientGone; anything else is a bug and is answered as one. */
  answer: (request: IncomingMessage, state: RequestView) => Promise<Response>;
  onBug: (error: unknown) => void;
  onAnswered?: ((facts: AccessFacts) => void) | undefined;
  limits?: Partial<TimeLimits>;
  /** Without it, there is no TLS. */
  tls?: TlsCertificate | undefined;
  /** The permissions of a unix socket. */
  socketMode?: number | undefined;
}

export class HttpServer {
  readonly #server: Server;
  /** Accepts the connections where there is TLS. */
  readonly #front: TlsFront | undefined;
  readonly #options: HttpServerOptions;
  readonly #connections = new Connections((connection, reason) => this.#report(connection, undefined, reason));
  #inFlight = 0;
  #draining = false;
  #onIdle: () => void = () => {};

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    const times = {...TIME_LIMITS, ...options.limits};
    this.#server = createServer(serverOptions(times), (request, response) =>
      this.#receive(request, response, () => {}),
    );
    limitConnections(this.#server, times);
    if (options.tls !== undefined) this.#front = new TlsFront(this.#server, options.tls, times);
    this.#connections.watch(this.#listener);
    this.#listener.on('drop', (data) => this.#reportDropped(data?.remoteAddress));
    this.#server.on('checkContinue', (request, response) =>
      this.#receive(request, response, () => response.writeContinue()),
    );
    this.#server.on('checkExpectation', (request, response) =>
      this.#receive(request, response, () => {}, 'expectation_failed'),
    );
    this.#server.on('connect', (_, socket) => {
      this.#report(this.#connections.of(socket), undefined, 'bad_request');
      socket.destroy();
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuseBytes(error, socket));
  }

  /** Listens. Throws a configuration failure when the address cannot be had or the certificate is bad. */
  static async listen(address: ListenAddress, options: HttpServerOptions): Promise<HttpServer> {
    const http = new HttpServer(options);
    await listenAt(http.#listener, address, options.socketMode);
    return http;
  }

  /** Where it listens, with the real port. */
  get url(): string {
    return urlOf(this.#listener, this.#front === undefined ? 'http' : 'https');
  }

  get load(): ServerLoad {
    const connections = this.#connections;
    return {
      get connections() {
        return connections.count;
      },
      get waiting() {
        return connections.waiting;
      },
      get unsentBytes() {
        return connections.unsentBytes;
      },
    };
  }

  /** For connections from now on. Throws a configuration failure, and keeps the one it has. */
  replaceTls(pair: TlsCertificate): void {
    this.#front?.replace(pair);
  }

  /**
   * Takes no more, answers what is in hand, each answer the last of its
   * connection, and closes whatever is left after at most `limitMs`.
   */
  async drain(limitMs: number): Promise<void> {
    this.#draining = true;
    this.#listener.close();
    (this.#front ?? this.#server).closeIdleConnections();
    if (this.#inFlight > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        timer = setTimeout(resolve, limitMs);
      });
      clearTimeout(timer);
    }
    (this.#front ?? this.#server).closeAllConnections();
  }

  get #listener(): NetServer {
    return this.#front?.listener ?? this.#server;
  }

  #receive(request: IncomingMessage, response: ServerResponse, invite: () => void, code?: RefusalCode): void {
    const connection = this.#connections.of(request.socket);
    if (connection.isUnreadable) {
      connection.ignore();
      return;
    }
    // A connection that breaks is seen as a request that closes; nothing else is to be done about it.
    request.on('error', ignore);
    this.#inFlight++;
    const state = new RequestState(request, response, connection, this.#exchanges, invite);
    const refusal = code ?? refusalOfHead(request);
    if (refusal !== undefined) connection.refuse(state, refusal);
    connection.begin(state);
  }

  async #serve(state: RequestState): Promise<void> {
    const {request, response, connection} = state;
    let answer: Response | undefined;
    try {
      answer = await this.#answer(state);
    } catch (error) {
      answer = this.#refusalOf(error);
    }
    try {
      // One that writes by itself notices by itself, and lets go of what it holds.
      if (answer === undefined) request.socket.destroy();
      else if (!state.isClosed || typeof answer.body === 'function')
        connection.sent(state, send(request, response, answer, this.#isLast(state, answer)));
    } catch {
      request.socket.destroy();
    }
    state.settle(answer);
  }

  readonly #exchanges: RequestHandler = {
    run: (state) => void this.#serve(state),
    end: (exchange) => {
      if (--this.#inFlight === 0) this.#onIdle();
      this.#options.onAnswered?.(factsOf(exchange));
    },
  };

  /** A client that was too slow with its body, or too costly, does not get to finish it. */
  #isLast({isLast}: RequestState, {code}: Response): boolean {
    return this.#draining || isLast || code === 'timeout' || code === 'too_many_chunks';
  }

  #answer({request, target, refusal, connection, invite}: RequestState): Promise<Response> {
    if (refusal !== undefined) throw new Refusal(refusal);
    if (target === undefined) throw new Refusal('bad_target');
    return this.#options.answer(request, {account: connection.account, target, draining: this.#draining, invite});
  }

  /** Undefined when there is nobody left to answer. */
  #refusalOf(error: unknown): Response | undefined {
    if (error instanceof Refusal) return error.answer;
    if (error instanceof ClientGone) return undefined;
    this.#options.onBug(error);
    return new Refusal('internal').answer;
  }

  /** What is not HTTP, or does not arrive in time. */
  #refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.#connections.of(socket);
    // Its last answer is on the way, and ends it.
    if (connection.isUnreadable || error.code === 'HPE_CLOSED_CONNECTION') return;
    // A whole request is in hand: an answer now would be taken for the answer to that one.
    if (connection.newest?.complete === true || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const code =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 'headers_too_large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'timeout'
          : 'bad_request';
    connection.isUnreadable = true;
    const {answer} = new Refusal(code);
    this.#report(connection, answer.status, code);
    sendLast(socket, answer);
  }

  /** What came to an end without a request that could be read. */
  #report({client, acceptedMs}: HttpConnection, status: number | undefined, error: RefusalCode | ConnectionEnd): void {
    const ms = performance.now() - acceptedMs;
    this.#options.onAnswered?.({client, method: undefined, path: '-', status, ms, added: 0, error});
  }

  /** The runtime had to refuse by itself, before it gave us the connection. */
  #reportDropped(client: string | undefined): void {
    const error = 'too_many_connections';
    this.#options.onAnswered?.({client, method: undefined, path: '-', status: undefined, ms: 0, added: 0, error});
  }
}

const ignore = (): void => {};

const factsOf = ({request, target, response, connection, answer, startMs}: RequestState): AccessFacts => ({
  client: connection.client,
  method: request.method,
  path: target?.path ?? '-',
  status: response.headersSent ? response.statusCode : undefined,
  ms: performance.now() - startMs,
  added: answer?.added ?? 0,
  error: answer?.code,
});
