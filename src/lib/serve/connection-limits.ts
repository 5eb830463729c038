/**
 * How much of this process one client, or all of them, may take up by
 * connections alone. Invariant: each limit holds in Node and in Bun, whatever
 * accepts the connection; where one of them does not keep a limit by itself,
 * another file here says so and keeps it.
 */
import type {Server, ServerOptions} from 'node:http';
import {MAX_HEADERS} from './smuggling-guard.js';

/** In milliseconds. A header, and a whole request, have to arrive within these; looked at every `connectionsCheckingInterval`. */
export interface TimeLimits {
  headersTimeout: number;
  requestTimeout: number;
  /** Between an answer and the first byte of the next request. */
  keepAliveTimeout: number;
  /** Without a byte in either direction, as where a client does not read what it asked for. */
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
/** Of one connection: those whose answers the client has not taken. More that came in the same breath wait. */
export const MAX_UNDER_WAY = 16;
/** Requests that wait so, of one address and of all: some kilobytes each. */
export const MAX_WAITING_EACH = 2_048;
export const MAX_WAITING = 4_096;
/** Bytes of answers that a client has not taken: with so many, the next request of its connection waits. */
export const MAX_UNSENT_BYTES_EACH = 64 * 1024;
/** The same of all clients: beyond it, the connection ends that left the most. */
export const MAX_UNSENT_BYTES = 48 * 1024 * 1024;
/** What the runtime refuses by itself, without choosing: more than may come in one breath. */
const MORE_CONNECTIONS = 1_024;
/**
 * On one connection. Not Node's maxRequestsPerSocket: of a connection in TLS that has answers waiting, it goes on to
 * read what it has no room for, and fails with HPE_PAUSED.
 */
export const MAX_REQUESTS_PER_CONNECTION = 1_000;

/** For `createServer`. */
export const serverOptions = ({silence: _, ...times}: TimeLimits): ServerOptions => ({
  ...times,
  maxHeaderSize: 8_192,
  // A missing Host is answered by us, as everything else is.
  requireHostHeader: false,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
});

/** For whatever accepts the connections. */
export const HARD_MAX_CONNECTIONS = MAX_CONNECTIONS + MORE_CONNECTIONS;

/** Sets what can only be set on a server that is there. */
export function limitConnections(server: Server, {silence}: TimeLimits): void {
  server.maxHeadersCount = MAX_HEADERS;
  server.timeout = silence;
  server.maxConnections = HARD_MAX_CONNECTIONS;
}
