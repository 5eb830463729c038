/**
 * The limits of connections: how many, how much each may send unread, and how
 * long each may take. Invariant: each limit holds under Node and under Bun,
 * whatever accepts the connection.
 */
import type {IncomingMessage, Server, ServerOptions, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import {MAX_HEADERS} from './request-head.js';

/** In milliseconds; checked every `connectionsCheckingInterval`. */
export interface TimeLimits {
  /** For a whole header, */
  headersTimeout: number;
  /** and for a whole request. */
  requestTimeout: number;
  /** Between an answer and the first byte of the next request. */
  keepAliveTimeout: number;
  /** Without a byte in either direction, as when a client does not read its answers. */
  silence: number;
  connectionsCheckingInterval: number;
}

export const TIME_LIMITS: TimeLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  silence: 60_000,
  connectionsCheckingInterval: 2_000,
};

export const MAX_CONNECTIONS = 1_024;
/** Requests of one connection whose answers the client has not taken. Further pipelined requests wait. */
export const MAX_UNDER_WAY = 16;
/** Pipelined requests that wait, of one address and of all: some kilobytes each. */
export const MAX_WAITING_EACH = 2_048;
export const MAX_WAITING = 4_096;
/** Unsent bytes of answers: with so many, the next request of the connection waits. */
export const MAX_UNSENT_BYTES_EACH = 64 * 1024;
/** The same of all connections: beyond it, the connection with the most unsent bytes is closed. */
export const MAX_UNSENT_BYTES = 48 * 1024 * 1024;
/**
 * Requests on one connection. Not `maxRequestsPerSocket` (https://nodejs.org/api/http.html#servermaxrequestspersocket):
 * with TLS and unsent answers, Node reads on beyond it and fails with HPE_PAUSED.
 */
export const MAX_REQUESTS_PER_CONNECTION = 1_000;
/** The runtime closes connections beyond this number without choosing: above what may arrive before we can choose. */
export const HARD_MAX_CONNECTIONS = 2 * MAX_CONNECTIONS;

/** For `createServer`. */
export const serverOptions = ({silence: _, ...times}: TimeLimits): ServerOptions => ({
  ...times,
  maxHeaderSize: 8_192,
  // A missing Host gets our own answer.
  requireHostHeader: false,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
});

/** Sets what `createServer` has no option for. */
export function limitConnections(server: Server, {silence}: TimeLimits): void {
  server.maxHeadersCount = MAX_HEADERS;
  server.timeout = silence;
  server.maxConnections = HARD_MAX_CONNECTIONS;
}

interface TimedConnection {
  /** The newest request without an answer. */
  request: IncomingMessage | undefined;
  sinceMs: number;
  /** How many bytes had been read when the last answer was sent; undefined before the first request. */
  bytesBefore: number | undefined;
}

/**
 * Keeps the time limits of connections that an HTTP server did not accept itself but got by its `connection` event
 * (https://nodejs.org/api/http.html#event-connection). Neither Node nor Bun does that: oven-sh/bun#35285.
 */
export class ConnectionClock {
  readonly #http: Server;
  readonly #times: TimeLimits;
  readonly #connections = new Map<Socket, TimedConnection>();
  readonly #timer: NodeJS.Timeout;

  constructor(http: Server, times: TimeLimits) {
    this.#http = http;
    this.#times = times;
    this.#timer = setInterval(() => this.#check(), times.connectionsCheckingInterval).unref();
    for (const event of ['request', 'checkContinue', 'checkExpectation'])
      http.prependListener(event, (request, response) => this.#onRequest(request, response));
  }

  add(socket: Socket): void {
    this.#connections.set(socket, {request: undefined, sinceMs: performance.now(), bytesBefore: undefined});
    socket.once('close', () => this.#connections.delete(socket));
  }

  /** Closes connections without a request. */
  closeIdle(): void {
    for (const [socket, connection] of this.#connections) if (isIdle(socket, connection)) socket.destroy();
  }

  /** Closes all connections, and stops the clock. */
  closeAll(): void {
    clearInterval(this.#timer);
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) return;
    connection.request = request;
    connection.sinceMs = performance.now();
    response.once('close', () => {
      if (connection.request !== request) return;
      connection.request = undefined;
      connection.sinceMs = performance.now();
      connection.bytesBefore = request.socket.bytesRead;
    });
  }

  #check(): void {
    for (const [socket, connection] of this.#connections) {
      const ms = performance.now() - connection.sinceMs;
      if (connection.bytesBefore !== undefined && isIdle(socket, connection)) {
        if (ms > this.#times.keepAliveTimeout) socket.destroy();
      } else if (connection.request === undefined) {
        if (ms > this.#times.headersTimeout) this.#refuse(socket);
      } else if (!connection.request.complete && ms > this.#times.requestTimeout) {
        this.#refuse(socket);
      }
    }
  }

  /** As the server does with a connection that it accepted. */
  #refuse(socket: Socket): void {
    const error: NodeJS.ErrnoException = new Error('the request did not arrive in time');
    error.code = 'ERR_HTTP_REQUEST_TIMEOUT';
    this.#http.emit('clientError', error, socket);
  }
}

const isIdle = ({bytesRead}: Socket, {request, bytesBefore}: TimedConnection): boolean =>
  request === undefined && bytesRead === (bytesBefore ?? 0);
