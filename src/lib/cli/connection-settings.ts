/** From flags and environment to one connection: who wins over whom, and where the secrets are read. */

import type {FileReading} from '../input/whole-file.js';
import {runningLocalServer} from '../local/local-server.js';
import type {ConnectionSettings} from '../stream-client.js';
import {environment, stateDirectory} from './environment.js';
import {readNamedFile, readPasswordFile, readPrivateFile} from './named-file.js';

/** The values of `connectionFlags`. */
export interface ConnectionFlags {
  url?: string;
  username?: string;
  'password-file'?: string;
  cacert?: string;
  cert?: string;
  key?: string;
  sni?: string;
  'sentinel-username'?: string;
  'sentinel-password-file'?: string;
  'map-address'?: string[];
  'connect-timeout': number;
  silence: number;
}

export const DEFAULT_URL = 'redis://127.0.0.1:6379';

/** Throws a configuration failure when a named file cannot be read. */
export async function connectionSettings(flags: ConnectionFlags, reading: FileReading): Promise<ConnectionSettings> {
  const env = environment();
  const secret = async (path: string | undefined, otherwise: string | undefined): Promise<string | undefined> =>
    path === undefined ? otherwise : readPasswordFile(path, reading);
  return {
    url: serverUrl(flags),
    username: flags.username ?? env.STREAMLOG_USERNAME,
    password: await secret(flags['password-file'] ?? env.STREAMLOG_PASSWORD_FILE, env.STREAMLOG_PASSWORD),
    sentinelUsername: flags['sentinel-username'] ?? env.STREAMLOG_SENTINEL_USERNAME,
    sentinelPassword: await secret(
      flags['sentinel-password-file'] ?? env.STREAMLOG_SENTINEL_PASSWORD_FILE,
      env.STREAMLOG_SENTINEL_PASSWORD,
    ),
    tls: await tlsSettings(flags, reading),
    sni: flags.sni,
    mapAddress: flags['map-address'],
    connectTimeoutMs: flags['connect-timeout'],
    silenceMs: flags.silence,
  };
}

function serverUrl({url}: ConnectionFlags): string {
  const env = environment();
  return url ?? env.STREAMLOG_URL ?? env.REDIS_URL ?? runningLocalServer(stateDirectory())?.url ?? DEFAULT_URL;
}

/** Whether another server may take the place of one that is away. */
export const mayFailOver = (flags: ConnectionFlags): boolean => /^\w+\+(sentinel|cluster):/i.test(serverUrl(flags));

async function tlsSettings(
  {cacert, cert, key}: ConnectionFlags,
  reading: FileReading,
): Promise<ConnectionSettings['tls']> {
  if (cacert === undefined && cert === undefined) return undefined;
  return {
    ca: cacert === undefined ? undefined : await readNamedFile(cacert, reading),
    cert: cert === undefined ? undefined : await readNamedFile(cert, reading),
    key: key === undefined ? undefined : await readPrivateFile(key, reading),
  };
}
