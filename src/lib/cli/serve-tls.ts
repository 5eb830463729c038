/** The certificate of `serve`, from the files that its flags name. */
import type {TlsPair} from '../http/tls-pair.js';
import {readNamedFile} from './environment.js';
import {readPrivateFile} from './private-file.js';

export interface TlsFlags {
  'tls-cert'?: string;
  'tls-key'?: string;
}

/** Undefined without the flags. Throws a configuration failure when a file cannot be read; `warn` is told of a key that all may read. */
export function readTlsPair(
  {'tls-cert': cert, 'tls-key': key}: TlsFlags,
  warn: (text: string) => void,
): TlsPair | undefined {
  if (cert === undefined || key === undefined) return undefined;
  return {cert: readNamedFile(cert), key: readPrivateFile(key, warn)};
}
