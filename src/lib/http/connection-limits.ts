/**
 * How much of this process one client, or all of them, may take up by
 * connections alone. Invariant: each limit holds in Node and in Bun, whatever
 * accepts the connection; where one of them does not keep a limit by itself,
 * another file here says so and keeps it.
 */
import type {Server, ServerOptions} from 'node:http';
import {MAX_HEADERS} from './framing.js';

/** In milliseconds. A header, and a whole request, have to arrive within these; looked at every `connectionsCheckingInterval`. */
export interface TimeLimits {
  headersTimeout: number;
  requestTimeout: number;
  /** Between an answer and the first byte of the next request. */
  keepAliveTimeout: number;
  connectionsCheckingInterval: number;
}

export const TIME_LIMITS: TimeLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
};

/** Without a byte in either direction. */
export const SILENCE_MS = 60_000;
export const MAX_CONNECTIONS = 1_024;
const MAX_REQUESTS_PER_CONNECTION = 1_000;

/** For `createServer`. */
export const serverOptions = (times: TimeLimits): ServerOptions => ({
  ...times,
  maxHeaderSize: 8_192,
  // A missing Host is answered by us, as everything else is.
  requireHostHeader: false,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
});

/** Sets what can only be set on a server that is there. */
export function limitConnections(server: Server): void {
  server.maxHeadersCount = MAX_HEADERS;
  server.timeout = SILENCE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  server.maxRequestsPerSocket = MAX_REQUESTS_PER_CONNECTION;
}
