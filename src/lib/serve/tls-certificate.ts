/** A certificate with its key, as PEM. Invariant: one that was checked can be served. */
import {createPrivateKey, X509Certificate} from 'node:crypto';
import {createSecureContext} from 'node:tls';
import {StreamlogError} from '../errors.js';

export interface TlsCertificate {
  /** The certificate, and behind it those between it and a root. */
  cert: string;
  key: string;
}

/** Throws a configuration failure, which holds nothing of the key. */
export function checkTlsCertificate({cert, key}: TlsCertificate): void {
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
