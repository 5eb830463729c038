/**
 * TLS in front of an HTTP server: makes the handshake and passes the connection
 * on. Not node:https, whose server cannot replace its certificate under Bun
 * (oven-sh/bun#42576).
 */
import {createPrivateKey, X509Certificate} from 'node:crypto';
import type {Server} from 'node:http';
import {createSecureContext, createServer, type Server as TlsServer} from 'node:tls';
import {StreamlogError} from '../errors.js';
import {ConnectionClock, HARD_MAX_CONNECTIONS, type TimeLimits} from './connection-limits.js';

/** In PEM. */
export interface TlsCertificate {
  /** The certificate, followed by its intermediate certificates. */
  cert: string;
  key: string;
}

/**
 * Mozilla's intermediate configuration (https://wiki.mozilla.org/Security/Server_Side_TLS, 5.7): TLS 1.3, and of TLS
 * 1.2 the ciphers with forward secrecy and AEAD.
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

  /** Throws a configuration failure when the certificate or the key is bad. */
  constructor(http: Server, certificate: TlsCertificate, times: TimeLimits) {
    checkCertificate(certificate);
    this.#clock = new ConnectionClock(http, times);
    const options = {...certificate, ...SETTINGS, handshakeTimeout: times.headersTimeout, noDelay: true};
    this.listener = createServer(options, (socket) => {
      this.#clock.add(socket);
      socket.setTimeout(times.silence, () => socket.destroy());
      http.emit('connection', socket);
    });
    this.listener.maxConnections = HARD_MAX_CONNECTIONS;
    this.listener.on('tlsClientError', (_, socket) => socket.destroy());
  }

  /** For new connections. Throws a configuration failure, and then keeps the old certificate. */
  replace(certificate: TlsCertificate): void {
    checkCertificate(certificate);
    this.listener.setSecureContext({...certificate, ...SETTINGS});
  }

  closeIdleConnections(): void {
    this.#clock.closeIdle();
  }

  closeAllConnections(): void {
    this.#clock.closeAll();
  }
}

/** Throws a configuration failure, which contains nothing of the key. */
function checkCertificate({cert, key}: TlsCertificate): void {
  const certificate = attempt(() => new X509Certificate(cert), '--tls-cert names no certificate in PEM');
  const privateKey = attempt(() => createPrivateKey(key), '--tls-key names no private key in PEM without a passphrase');
  if (!certificate.checkPrivateKey(privateKey)) throw failure('--tls-key does not belong to --tls-cert');
  attempt(() => createSecureContext({cert, key}), '--tls-cert and --tls-key cannot be used for TLS');
}

function attempt<T>(work: () => T, message: string): T {
  try {
    return work();
  } catch {
    throw failure(message);
  }
}

const failure = (message: string): StreamlogError => new StreamlogError('configuration', message);
