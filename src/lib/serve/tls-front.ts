/**
 * TLS in front of an HTTP server: shakes hands and hands the connection on. Not
 * node:https, whose server cannot change its certificate under Bun. Invariant:
 * a connection is known to the clock for as long as it lives, and a handshake
 * that fails leaves nothing behind.
 */
import type {Server} from 'node:http';
import {createServer, type Server as TlsServer} from 'node:tls';
import {ConnectionClock} from './connection-clock.js';
import {HARD_MAX_CONNECTIONS, type TimeLimits} from './connection-limits.js';
import {checkTlsCertificate, type TlsCertificate} from './tls-certificate.js';

/**
 * Mozilla's intermediate configuration (guideline 5.7): TLS 1.3 as it is, and of 1.2 what has forward secrecy and an
 * AEAD; no RSA key exchange, no CBC, no SHA-1.
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
const SETTINGS = {minVersion: 'TLSv1.2', ciphers: CIPHERS, ALPNProtocols: ['http/1.1']} as const;

export class TlsFront {
  readonly listener: TlsServer;
  readonly #clock: ConnectionClock;

  /** Throws a configuration failure when the pair is bad. */
  constructor(http: Server, pair: TlsCertificate, times: TimeLimits) {
    checkTlsCertificate(pair);
    this.#clock = new ConnectionClock(http, times);
    const options = {...pair, ...SETTINGS, handshakeTimeout: times.headersTimeout, noDelay: true};
    this.listener = createServer(options, (socket) => {
      this.#clock.add(socket);
      socket.setTimeout(times.silence, () => socket.destroy());
      http.emit('connection', socket);
    });
    this.listener.maxConnections = HARD_MAX_CONNECTIONS;
    this.listener.on('tlsClientError', (_, socket) => socket.destroy());
  }

  /** For connections from now on. Throws a configuration failure, and keeps the one it has. */
  replace(pair: TlsCertificate): void {
    checkTlsCertificate(pair);
    this.listener.setSecureContext({...pair, ...SETTINGS});
  }

  closeIdleConnections(): void {
    this.#clock.closeIdle();
  }

  closeAllConnections(): void {
    this.#clock.closeAll();
  }
}
