/** The certificate of `serve`, from the files that its flags name. */

import type {FileReading} from '../input/whole-file.js';
import type {TlsCertificate} from '../serve/tls-certificate.js';
import {readNamedFile, readPrivateFile} from './named-file.js';

export interface TlsFlags {
  'tls-cert'?: string;
  'tls-key'?: string;
}

/** Undefined without the flags. Throws a configuration failure when a file cannot be read; `warn` is told of a key that all may read. */
export async function readTlsPair(
  {'tls-cert': cert, 'tls-key': key}: TlsFlags,
  reading: FileReading,
): Promise<TlsCertificate | undefined> {
  if (cert === undefined || key === undefined) return undefined;
  return {cert: await readNamedFile(cert, reading), key: await readPrivateFile(key, reading)};
}
