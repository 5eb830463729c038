/**
 * How to connect, from flags, variables and files. Invariant: one function, `chooseServer`, decides which server it is, and says
 * where its address came from.
 */
import type {Interfaces} from '@oclif/core';
import type {FileReading} from '../input/whole-file.js';
import {runningLocalServer} from '../local/local-server.js';
import type {ConnectionSettings} from '../stream-client.js';
import {environment, stateDirectory} from './environment.js';
import type {serviceConnectionFlags} from './flags.js';
import {readNamedFile, readPasswordFile, readPrivateFile} from './named-file.js';

/** The values of `serviceConnectionFlags`. */
export type ConnectionFlags = Interfaces.InferredFlags<typeof serviceConnectionFlags>;

export const DEFAULT_URL = 'redis://127.0.0.1:6379';

/** How to connect: a flag wins over its variable. Throws a configuration failure if a named file cannot be read. */
export async function connectionSettings(flags: ConnectionFlags, reading: FileReading): Promise<ConnectionSettings> {
  const env = environment();
  const secret = async (path: string | undefined, otherwise: string | undefined): Promise<string | undefined> =>
    path === undefined ? otherwise : readPasswordFile(path, reading);
  return {
    ...chooseServer(flags),
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

/** The server, and where its address came from, for messages. */
export interface ServerChoice {
  url: string;
  source: string;
}

/** The first of the sources that names one (docs/connecting.md). */
export function chooseServer({url}: ConnectionFlags): ServerChoice {
  const {STREAMLOG_URL, REDIS_URL} = environment();
  if (url !== undefined) return {url, source: '--url'};
  if (STREAMLOG_URL !== undefined) return {url: STREAMLOG_URL, source: 'STREAMLOG_URL'};
  if (REDIS_URL !== undefined) return {url: REDIS_URL, source: 'REDIS_URL'};
  const local = runningLocalServer(stateDirectory());
  if (local !== undefined) return {url: local.url, source: 'the private server'};
  return {url: DEFAULT_URL, source: 'the default'};
}

/** Whether another server may replace this one (Sentinel, Cluster). */
export const mayFailOver = (flags: ConnectionFlags): boolean =>
  /^\w+\+(sentinel|cluster):/i.test(chooseServer(flags).url);

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
