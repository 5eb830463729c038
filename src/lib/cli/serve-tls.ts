/** The certificate of `serve`, from the files that its flags name, and its renewal by SIGHUP. */
import type {TlsPair} from '../http/tls-pair.js';
import type {HttpServer} from '../http-server.js';
import type {Notes} from '../output/notes.js';
import {readNamedFile} from './environment.js';

export interface TlsFlags {
  'tls-cert'?: string;
  'tls-key'?: string;
}

/** Undefined without the flags. Throws a configuration failure when a file cannot be read. */
export function readTlsPair({'tls-cert': cert, 'tls-key': key}: TlsFlags): TlsPair | undefined {
  return cert === undefined || key === undefined ? undefined : {cert: readNamedFile(cert), key: readNamedFile(key)};
}

/** Has `server` take up what the files hold at each SIGHUP; where that is bad, it keeps what it has and says so. */
export function renewTlsOnHangup(flags: TlsFlags, server: HttpServer, notes: Notes): void {
  process.on('SIGHUP', () => {
    try {
      const pair = readTlsPair(flags);
      if (pair === undefined) return;
      server.replaceTls(pair);
      notes.note('the certificate was read again');
    } catch (error) {
      notes.warn(`the old certificate stays: ${error instanceof Error ? error.message : error}`);
    }
  });
}
