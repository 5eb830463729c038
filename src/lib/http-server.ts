/**
 * What serve listens with: connections, their limits, and their end. Knows
 * nothing of streams; what a request comes to is asked of `answer`. Invariant:
 * each request gets one answer, and a connection whose request may have taken
 * effect never gets an answer that belongs to another.
 */
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {Server as NetServer} from 'node:net';
import type {Duplex} from 'node:stream';
import {type AccessFacts, shownPath} from './http/access-log.js';
import {type Answer, Refusal} from './http/answers.js';
import {ClientGone} from './http/body.js';
import {limitConnections, serverOptions, TIME_LIMITS, type TimeLimits} from './http/connection-limits.js';
import {requireOneReading} from './http/framing.js';
import type {ListenAddress} from './http/listen-address.js';
import {listenAt, urlOf} from './http/listening.js';
import {send, sendLast} from './http/send.js';
import {TlsFront} from './http/tls-front.js';
import type {TlsPair} from './http/tls-pair.js';

/** What is known of a request beside its text. */
export interface RequestState {
  /** The server is shutting down and takes nothing new. */
  readonly draining: boolean;
  /** Asks for the body where the client waits to be asked (100-continue). */
  readonly invite: () => void;
}

export interface HttpServerOptions {
  /** Throws Refusal, or ClientGone; anything else is a bug and is answered as one. */
  answer: (request: IncomingMessage, state: RequestState) => Promise<Answer>;
  onBug: (error: unknown) => void;
  onAnswered?: ((facts: AccessFacts) => void) | undefined;
  limits?: Partial<TimeLimits>;
  /** Without it, there is no TLS. */
  tls?: TlsPair | undefined;
  /** The permissions of a unix socket. */
  socketMode?: number | undefined;
}

export class HttpServer {
  readonly #server: Server;
  /** Accepts the connections where there is TLS. */
  readonly #front: TlsFront | undefined;
  readonly #options: HttpServerOptions;
  /** The newest request of each connection that was not answered yet. */
  readonly #open = new Map<Duplex, IncomingMessage>();
  /** Connections on which nothing is a request any more: nobody knows where the next one begins, or it came too late. */
  readonly #unreadable = new WeakSet<Duplex>();
  /** For each connection, who wants to know of its end. */
  readonly #ends = new WeakMap<Duplex, Set<() => void>>();
  #inHand = 0;
  #draining = false;
  #onIdle: () => void = () => {};

  private constructor(options: HttpServerOptions) {
    this.#options = options;
    const times = {...TIME_LIMITS, ...options.limits};
    this.#server = createServer(
      serverOptions(times),
      (request, response) => void this.#serve(request, response, () => {}),
    );
    limitConnections(this.#server);
    if (options.tls !== undefined) this.#front = new TlsFront(this.#server, options.tls, times);
    this.#server.on(
      'checkContinue',
      (request, response) => void this.#serve(request, response, () => response.writeContinue()),
    );
    this.#server.on('checkExpectation', (request, response) =>
      send(request, response, new Refusal('expectation_failed').answer, true),
    );
    this.#server.on('connect', (_, socket) => socket.destroy());
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

  /** For connections from now on. Throws a configuration failure, and keeps the one it has. */
  replaceTls(pair: TlsPair): void {
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
    if (this.#inHand > 0) {
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

  async #serve(request: IncomingMessage, response: ServerResponse, invite: () => void): Promise<void> {
    const {socket} = request;
    if (this.#unreadable.has(socket)) return;
    const log = this.#logger(request, response);
    // A connection that breaks is seen as a request that closes; nothing else is to be done about it.
    request.on('error', () => {});
    this.#inHand++;
    this.#open.set(socket, request);
    let answer: Answer | undefined;
    let isClosed = false;
    const closed = this.#endOf(socket, response).then(() => {
      isClosed = true;
      if (this.#open.get(socket) === request) this.#open.delete(socket);
    });
    try {
      answer = await this.#answer(request, invite);
      // One that writes by itself notices by itself, and lets go of what it holds.
      if (!isClosed || typeof answer.body === 'function')
        send(request, response, answer, this.#draining || this.#unreadable.has(socket));
    } catch {
      // The client went away; whatever is left of its connection goes too.
      socket.destroy();
    }
    // Also of a client that is gone, what it asked for is in hand until Redis has confirmed it.
    await closed;
    if (--this.#inHand === 0) this.#onIdle();
    log(answer);
  }

  /** Of an answer or its connection: one that waits behind another answer never closes by itself. */
  #endOf(socket: Duplex, response: ServerResponse): Promise<void> {
    let waiting = this.#ends.get(socket);
    if (waiting === undefined) {
      const all = new Set<() => void>();
      socket.once('close', () => {
        for (const end of all) end();
      });
      this.#ends.set(socket, all);
      waiting = all;
    }
    const mine = waiting;
    return new Promise((resolve) => {
      const end = (): void => {
        mine.delete(end);
        resolve();
      };
      mine.add(end);
      response.once('close', end);
    });
  }

  /** Throws ClientGone only. */
  async #answer(request: IncomingMessage, invite: () => void): Promise<Answer> {
    try {
      this.#requireOneReading(request);
      return await this.#options.answer(request, {draining: this.#draining, invite});
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      if (error instanceof ClientGone) throw error;
      this.#options.onBug(error);
      return new Refusal('internal').answer;
    }
  }

  #requireOneReading(request: IncomingMessage): void {
    try {
      requireOneReading(request);
    } catch (error) {
      this.#unreadable.add(request.socket);
      throw error;
    }
  }

  /** What is not HTTP, or does not arrive in time. */
  #refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
    // Its last answer is on the way, and ends it.
    if (this.#unreadable.has(socket) || error.code === 'HPE_CLOSED_CONNECTION') return;
    // A whole request is in hand: an answer now would be taken for the answer to that one.
    if (this.#open.get(socket)?.complete === true || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const code =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 'headers_too_large'
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 'timeout'
          : 'bad_request';
    this.#unreadable.add(socket);
    sendLast(socket, new Refusal(code).answer);
  }

  #logger(request: IncomingMessage, response: ServerResponse): (answer: Answer | undefined) => void {
    const {onAnswered} = this.#options;
    if (onAnswered === undefined) return () => {};
    const startMs = performance.now();
    const client = request.socket.remoteAddress;
    return (answer) =>
      onAnswered({
        client,
        method: request.method,
        path: shownPath(request.url),
        status: response.headersSent ? response.statusCode : undefined,
        ms: performance.now() - startMs,
        added: answer?.added ?? 0,
        error: answer?.code,
      });
  }
}
