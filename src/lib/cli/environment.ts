/**
 * The environment: every variable that streamlog reads, what handlers get of it, and the connection
 * that flags and variables name. An empty variable counts as absent, since shells and container
 * files set them so. Blanks around a value are removed: files of secrets often end with a newline.
 */
import {homedir} from 'node:os';
import {join} from 'node:path';
import type {Interfaces} from '@oclif/core';
import type {FileReading} from '../input/whole-file.js';
import {runningLocalServer} from '../local/local-server.js';
import {urlWithoutPassword} from '../redact.js';
import type {ConnectionSettings} from '../stream-client.js';
import type {serviceConnectionFlags} from './flags.js';
import {readNamedFile, readPasswordFile, readPrivateFile} from './named-file.js';

/** What programs that streamlog starts get: a `secret` is not passed on, a `url` only without its password. */
const VARIABLES = {
  STREAMLOG_URL: 'url',
  REDIS_URL: 'url',
  STREAMLOG_USERNAME: 'public',
  STREAMLOG_PASSWORD: 'secret',
  STREAMLOG_PASSWORD_FILE: 'public',
  STREAMLOG_SENTINEL_USERNAME: 'public',
  STREAMLOG_SENTINEL_PASSWORD: 'secret',
  STREAMLOG_SENTINEL_PASSWORD_FILE: 'public',
  STREAMLOG_TOKEN: 'secret',
  STREAMLOG_TOKEN_FILE: 'public',
  XDG_STATE_HOME: 'public',
  PATH: 'public',
  NO_COLOR: 'public',
  FORCE_COLOR: 'public',
  TERM: 'public',
  DEBUG: 'public',
} as const satisfies Record<string, 'public' | 'secret' | 'url'>;

type Environment = Partial<Record<keyof typeof VARIABLES, string>>;

export function environment(): Environment {
  const found: Environment = {};
  for (const name of Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]) {
    const value = process.env[name]?.trim();
    if (value) found[name] = value;
  }
  return found;
}

/** The environment for a handler: without our secrets, but with the names of files that hold one. */
export function environmentForOthers(all: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passed: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(all)) {
    if (value === undefined || isSecret(name)) continue;
    const harmless = kindOf(name) === 'url' ? urlWithoutPassword(value) : value;
    if (harmless !== undefined) passed[name] = harmless;
  }
  return passed;
}

const kindOf = (name: string): 'public' | 'secret' | 'url' | undefined =>
  Object.hasOwn(VARIABLES, name) ? VARIABLES[name as keyof typeof VARIABLES] : undefined;

/** A variable with such a name may be one of an earlier or a later version. */
const isSecret = (name: string): boolean =>
  kindOf(name) === 'secret' || (kindOf(name) === undefined && SECRET_NAME.test(name));

const SECRET_NAME = /^STREAMLOG_.*(PASSWORD|PASSPHRASE|TOKEN|SECRET)S?$/;

/** Where streamlog keeps files between runs: `$XDG_STATE_HOME/streamlog` (XDG Base Directory Specification). */
export const stateDirectory = (): string =>
  join(environment().XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'streamlog');

/** The values of `serviceConnectionFlags`. */
export type ConnectionFlags = Interfaces.InferredFlags<typeof serviceConnectionFlags>;

export const DEFAULT_URL = 'redis://127.0.0.1:6379';

/** How to connect: a flag wins over its variable. Throws a configuration failure if a named file cannot be read. */
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

/** Whether another server may replace this one (Sentinel, Cluster). */
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
