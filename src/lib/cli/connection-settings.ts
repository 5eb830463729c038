/**
 * How to connect, from flags, variables and configuration. Invariant: which server it is, and what goes with it, is decided in
 * config/settings.ts alone.
 */
import type {Interfaces} from '@oclif/core';
import {readContextState} from '../config/context-state.js';
import {type DirectSource, type Secret, type ServerChoice, type Sources, settingOf} from '../config/settings.js';
import type {FileReading} from '../input/whole-file.js';
import {runningLocalServer} from '../local/local-server.js';
import type {ConnectionSettings} from '../stream-client.js';
import {type Config, configPaths} from './configuration.js';
import {environment, homeDirectory, optionalStateDirectory} from './environment.js';
import type {serviceConnectionFlags} from './flags.js';
import {readNamedFile, readPasswordFile, readPrivateFile} from './named-file.js';

/** The values of `serviceConnectionFlags`. */
export type ConnectionFlags = Interfaces.InferredFlags<typeof serviceConnectionFlags>;

/** What was typed of these flags. */
export type TypedFlags = Partial<ConnectionFlags> & {stream?: string | undefined; group?: string | undefined};

/** What is kept between runs and may name a server. */
type KeptServers = Pick<Sources, 'current' | 'privateServer'>;

/** Each is read when it is asked for, and once: a run has one server, whatever is kept meanwhile. */
export function keptServers(): KeptServers {
  const state = optionalStateDirectory();
  const {stateFile} = configPaths();
  return {
    current: once(() => (stateFile === undefined ? undefined : readContextState(stateFile).current)),
    privateServer: once(() => (state === undefined ? undefined : runningLocalServer(state)?.url)),
  };
}

function once<T>(read: () => T): () => T {
  let found: {value: T} | undefined;
  return () => {
    found ??= {value: read()};
    return found.value;
  };
}

/** All that may name a server, or something that goes with it. */
export const sourcesOf = (flags: TypedFlags, config: Config | undefined, kept = keptServers()): Sources => ({
  ...kept,
  flags: fromFlags(flags),
  variables: fromVariables(),
  project: config?.project,
  contexts: config?.contexts ?? new Map(),
  home: homeDirectory(),
});

function fromFlags(flags: TypedFlags): DirectSource {
  const {url, context, stream, group, username, cacert, cert, key, sni} = flags;
  return {
    ...{url, context, stream, group, username, cacert, cert, key, sni},
    password: fileOf(flags['password-file']),
    sentinelUsername: flags['sentinel-username'],
    sentinelPassword: fileOf(flags['sentinel-password-file']),
    mapAddress: flags['map-address'],
  };
}

function fromVariables(): Sources['variables'] {
  const env = environment();
  return {
    url: env.STREAMLOG_URL,
    redisUrl: env.REDIS_URL,
    context: env.STREAMLOG_CONTEXT,
    stream: env.STREAMLOG_STREAM,
    group: env.STREAMLOG_GROUP,
    username: env.STREAMLOG_USERNAME,
    password: fileOf(env.STREAMLOG_PASSWORD_FILE) ?? textOf(env.STREAMLOG_PASSWORD),
    sentinelUsername: env.STREAMLOG_SENTINEL_USERNAME,
    sentinelPassword: fileOf(env.STREAMLOG_SENTINEL_PASSWORD_FILE) ?? textOf(env.STREAMLOG_SENTINEL_PASSWORD),
  };
}

const fileOf = (file: string | undefined): Secret | undefined => (file === undefined ? undefined : {file});
const textOf = (text: string | undefined): Secret | undefined => (text === undefined ? undefined : {text});

/** How to connect to `choice`. Throws `configuration` if a named file cannot be read, or a password command fails. */
export async function connectionSettings(
  flags: Pick<ConnectionFlags, 'connect-timeout' | 'silence'>,
  sources: Sources,
  choice: ServerChoice,
  reading: FileReading,
): Promise<ConnectionSettings> {
  const {url, source} = choice;
  return {
    ...{url, source},
    username: settingOf('username', sources, choice)?.value,
    password: await secretOf(settingOf('password', sources, choice)?.value, reading),
    sentinelUsername: settingOf('sentinelUsername', sources, choice)?.value,
    sentinelPassword: await secretOf(settingOf('sentinelPassword', sources, choice)?.value, reading),
    tls: await tlsSettings(sources, choice, reading),
    sni: settingOf('sni', sources, choice)?.value,
    mapAddress: settingOf('mapAddress', sources, choice)?.value,
    connectTimeoutMs: flags['connect-timeout'],
    silenceMs: flags.silence,
  };
}

async function secretOf(secret: Secret | undefined, reading: FileReading): Promise<string | undefined> {
  if (secret === undefined) return undefined;
  if ('text' in secret) return secret.text;
  if ('file' in secret) return readPasswordFile(secret.file, reading);
  return (await import('./password-command.js')).passwordOf(secret.command, reading.stopping);
}

async function tlsSettings(
  sources: Sources,
  choice: ServerChoice,
  reading: FileReading,
): Promise<ConnectionSettings['tls']> {
  const path = (name: 'cacert' | 'cert' | 'key'): string | undefined => settingOf(name, sources, choice)?.value;
  const [cacert, cert, key] = [path('cacert'), path('cert'), path('key')];
  if (cacert === undefined && cert === undefined) return undefined;
  return {
    ca: cacert === undefined ? undefined : await readNamedFile(cacert, reading),
    cert: cert === undefined ? undefined : await readNamedFile(cert, reading),
    key: key === undefined ? undefined : await readPrivateFile(key, reading),
  };
}
