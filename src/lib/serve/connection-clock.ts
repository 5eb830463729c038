/**
 * How long a connection may take over what it does, for connections that an
 * HTTP server was handed and did not accept itself: of those, neither Node nor
 * Bun keeps the time. Invariant: a connection is asking, being answered or
 * idle, and only while it is being answered may it take as long as it likes.
 */
import type {IncomingMessage, Server, ServerResponse} from 'node:http';
import type {Socket} from 'node:net';
import type {TimeLimits} from './connection-limits.js';

interface Connection {
  /** The newest request that has no answer yet. */
  request: IncomingMessage | undefined;
  sinceMs: number;
  /** When the last answer had gone; undefined before the first request. */
  bytesBefore: number | undefined;
}

export class ConnectionClock {
  readonly #http: Server;
  readonly #times: TimeLimits;
  readonly #connections = new Map<Socket, Connection>();
  readonly #timer: NodeJS.Timeout;

  constructor(http: Server, times: TimeLimits) {
    this.#http = http;
    this.#times = times;
    this.#timer = setInterval(() => this.#look(), times.connectionsCheckingInterval).unref();
    for (const event of ['request', 'checkContinue', 'checkExpectation'])
      http.prependListener(event, (request, response) => this.#asked(request, response));
  }

  add(socket: Socket): void {
    this.#connections.set(socket, {request: undefined, sinceMs: performance.now(), bytesBefore: undefined});
    socket.once('close', () => this.#connections.delete(socket));
  }

  /** Ends connections that ask nothing at this moment. */
  closeIdle(): void {
    for (const [socket, connection] of this.#connections) if (isIdle(socket, connection)) socket.destroy();
  }

  /** Ends all connections, and the watch. */
  closeAll(): void {
    clearInterval(this.#timer);
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #asked(request: IncomingMessage, response: ServerResponse): void {
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

  #look(): void {
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

  /** As the server does by itself with a connection of its own. */
  #refuse(socket: Socket): void {
    const error: NodeJS.ErrnoException = new Error('the request did not arrive in time');
    error.code = 'ERR_HTTP_REQUEST_TIMEOUT';
    this.#http.emit('clientError', error, socket);
  }
}

const isIdle = ({bytesRead}: Socket, {request, bytesBefore}: Connection): boolean =>
  request === undefined && bytesRead === (bytesBefore ?? 0);
