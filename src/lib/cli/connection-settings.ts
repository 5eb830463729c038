/** From flags and environment to one connection: who wins over whom, and where the secrets are read. */
import {runningLocalServer} from '../local/server.js';
import type {ConnectionSettings} from '../stream-client.js';
import {environment, readNamedFile, readSecretFile, stateDirectory} from './environment.js';

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
export function connectionSettings(flags: ConnectionFlags): ConnectionSettings {
  const env = environment();
  const passwordFile = flags['password-file'] ?? env.STREAMLOG_PASSWORD_FILE;
  const sentinelPasswordFile = flags['sentinel-password-file'] ?? env.STREAMLOG_SENTINEL_PASSWORD_FILE;
  return {
    url: flags.url ?? env.STREAMLOG_URL ?? env.REDIS_URL ?? runningLocalServer(stateDirectory())?.url ?? DEFAULT_URL,
    username: flags.username ?? env.STREAMLOG_USERNAME,
    password: passwordFile === undefined ? env.STREAMLOG_PASSWORD : readSecretFile(passwordFile),
    sentinelUsername: flags['sentinel-username'] ?? env.STREAMLOG_SENTINEL_USERNAME,
    sentinelPassword:
      sentinelPasswordFile === undefined ? env.STREAMLOG_SENTINEL_PASSWORD : readSecretFile(sentinelPasswordFile),
    tls: tlsSettings(flags),
    sni: flags.sni,
    mapAddress: flags['map-address'],
    connectTimeoutMs: flags['connect-timeout'],
    silenceMs: flags.silence,
  };
}

/** Whether another server may take the place of one that is away. */
export const mayFailOver = (flags: ConnectionFlags): boolean =>
  /^\w+\+(sentinel|cluster):/i.test(connectionSettings(flags).url);

function tlsSettings({cacert, cert, key}: ConnectionFlags): ConnectionSettings['tls'] {
  if (cacert === undefined && cert === undefined) return undefined;
  const read = (path: string | undefined): string | undefined => (path === undefined ? undefined : readNamedFile(path));
  return {ca: read(cacert), cert: read(cert), key: read(key)};
}
