/**
 * The HTTP server: listens, keeps the limits of connections, and ends them. What
 * a request is answered with is asked of `answer`. Invariant: each request gets
 * one answer, and never the answer to another one.
 */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {Server as NetServer} from 'node:net';
import type {Duplex} from 'node:stream';
import type {AccessFacts} from './access-log.js';
import {ClientGone} from './body.js';
import {limitConnections, serverOptions, TIME_LIMITS, type TimeLimits} from './connection-limits.js';
import {type ConnectionEnd, Connections} from './connections.js';
import {type HttpConnection, type RequestHandler, RequestState} from './http-connection.js';
import {type ListenAddress, listenAt, urlOf} from './listen.js';
import {refusalOfHead} from './request-head.js';
import {Refusal, type RefusalCode, type Response, send, sendLast} from './responses.js';
import {type TlsCertificate, TlsFront} from './tls-front.js';

export interface HttpServerOptions {
  /** Throws, or rejects with, Refusal or ClientGone; anything else is a bug, and is answered with 500. */
  answer: (state: RequestState) => Response | Promise<Response>;
  onBug: (error: unknown) => void;
  onAnswered?: ((facts: AccessFacts) => void) | undefined;
  limits?: Partial<TimeLimits>;
  /** Undefined: no TLS. */
  tls?: TlsCertificate | undefined;
  /** The permissions of a unix socket. */
  socketMode?: number | undefined;
}

export class HttpServer {
  readonly connections = new Connections((connection, reason) => this.#report(connection, undefined, reason));
  readonly #server: Server;
  /** Accepts the connections where there is TLS. */
  readonly #front: TlsFront | undefined;
  readonly #options: HttpServerOptions;
  readonly #handler: RequestHandler & {draining: boolean} = {
    draining: false,
    run: (state) => void this.#serve(state),
    end: (state) => {
      if (--this.#inFlight === 0) this.#onIdle();
      this.#options.onAnswered?.(factsOf(state));
    },
  };
  #inFlight = 0;
  #onIdle: () => void = () => {};

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    const times = {...TIME_LIMITS, ...options.limits};
    this.#server = createServer(serverOptions(times), (request, response) =>
      this.#receive(request, response, () => {}),
    );
    limitConnections(this.#server, times);
    if (options.tls !== undefined) this.#front = new TlsFront(this.#server, options.tls, times);
    this.connections.watch(this.#listener);
    this.#listener.on('drop', (data) => this.#reportDropped(data?.remoteAddress));
    this.#server.on('checkContinue', (request, response) =>
      this.#receive(request, response, () => response.writeContinue()),
    );
    this.#server.on('checkExpectation', (request, response) =>
      this.#receive(request, response, () => {}, 'expectation_failed'),
    );
    this.#server.on('connect', (_, socket) => {
      this.#report(this.connections.of(socket), undefined, 'bad_request');
      socket.destroy();
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuseBytes(error, socket));
  }

  /** Listens. Throws a configuration failure when the address is in use or not ours, or the certificate is bad. */
  static async listen(address: ListenAddress, options: HttpServerOptions): Promise<HttpServer> {
    const http = new HttpServer(options);
    await listenAt(http.#listener, address, options.socketMode);
    return http;
  }

  /** Where it listens, with the real port. */
  get url(): string {
    return urlOf(this.#listener, this.#front === undefined ? 'http' : 'https');
  }

  /** For new connections. Throws a configuration failure, and then keeps the old certificate. */
  replaceTls(certificate: TlsCertificate): void {
    this.#front?.replace(certificate);
  }

  /** Takes no more requests, answers those in flight for at most `limitMs`, then closes all connections. */
  async drain(limitMs: number): Promise<void> {
    this.#handler.draining = true;
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
    const connection = this.connections.of(request.socket);
    if (connection.isUnreadable) {
      connection.ignore();
      return;
    }
    // A broken connection also closes its requests, which is handled there.
    request.on('error', ignore);
    this.#inFlight++;
    const state = new RequestState(request, response, connection, this.#handler, invite);
    const refusal = code ?? refusalOfHead(request);
    if (refusal !== undefined) connection.refuse(state, refusal);
    connection.begin(state);
  }

  async #serve(state: RequestState): Promise<void> {
    const {request, response, connection, refusal} = state;
    let answer: Response | undefined;
    try {
      if (refusal !== undefined) throw new Refusal(refusal);
      answer = await this.#options.answer(state);
    } catch (error) {
      answer = this.#refusalOf(error);
    }
    try {
      // An answer that writes its body itself also notices a closed client itself, and releases what it holds.
      if (answer === undefined) request.socket.destroy();
      else if (!state.isClosed || typeof answer.body === 'function')
        connection.sent(state, send(request, response, answer, this.#isLast(state, answer)));
    } catch {
      request.socket.destroy();
    }
    state.settle(answer);
  }

  /** A client that was too slow with its body, or whose body is too costly, does not get to finish it. */
  #isLast({isLast, draining}: RequestState, {code}: Response): boolean {
    return draining || isLast || code === 'timeout' || code === 'too_many_chunks';
  }

  /** Undefined when the client is gone. */
  #refusalOf(error: unknown): Response | undefined {
    if (error instanceof Refusal) return error.answer;
    if (error instanceof ClientGone) return undefined;
    this.#options.onBug(error);
    return new Refusal('internal').answer;
  }

  /** Refuses what is not HTTP, or did not arrive in time. */
  #refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
    const connection = this.connections.of(socket);
    // The last answer is being sent, and closes the connection.
    if (connection.isUnreadable || error.code === 'HPE_CLOSED_CONNECTION') return;
    // The client would take an answer now for the answer to the complete request before.
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

  /** Reports the end of a connection without a readable request. */
  #report({address, acceptedMs}: HttpConnection, status: number | undefined, error: RefusalCode | ConnectionEnd): void {
    const ms = performance.now() - acceptedMs;
    this.#options.onAnswered?.({client: address, method: undefined, path: '-', status, ms, added: 0, error});
  }

  /** Reports a connection that the runtime closed by itself, beyond HARD_MAX_CONNECTIONS. */
  #reportDropped(client: string | undefined): void {
    const error = 'too_many_connections';
    this.#options.onAnswered?.({client, method: undefined, path: '-', status: undefined, ms: 0, added: 0, error});
  }
}

const ignore = (): void => {};

const factsOf = ({request, target, response, connection, answer, startMs}: RequestState): AccessFacts => ({
  client: connection.address,
  method: request.method,
  path: target?.path ?? '-',
  status: response.headersSent ? response.statusCode : undefined,
  ms: performance.now() - startMs,
  added: answer?.added ?? 0,
  error: answer?.code,
});
