/**
 * Which server it is, in commands that are printed: as it was typed, or not at all where a variable or the configuration says it, which the
 * reader has too. Invariant: no password is in it, and redis-cli finds the same one that was used.
 */
import {type Secret, type ServerChoice, type Sources, settingOf} from '../config/settings.js';
import type {ServerWords} from '../doctor/commands.js';
import {urlWithoutPassword} from '../redact.js';
import {shellWord} from '../shell-word.js';
import type {ConnectionFlags} from './connection-settings.js';
import {typedServer} from './typed-server.js';

export const printedServer = (flags: ConnectionFlags, sources: Sources, choice: ServerChoice): ServerWords => ({
  streamlog: typedServer(flags).map(shellWord),
  redisCli: redisCliWords(sources, choice),
});

function redisCliWords(sources: Sources, choice: ServerChoice): string[] {
  const variable = variableOf(sources, choice);
  if (variable !== undefined) return ['redis-cli', '-u', `"$${variable}"`, ...tlsWords(sources, choice)];
  const username = settingOf('username', sources, choice)?.value ?? userOf(choice.url);
  const {environment, flags} = passwordWords(settingOf('password', sources, choice)?.value, choice.url);
  return [
    ...environment,
    'redis-cli',
    ...addressWords(choice.url),
    ...(username === undefined ? [] : ['--user', shellWord(username)]),
    ...flags,
    ...tlsWords(sources, choice),
  ];
}

/** The variable whose URL redis-cli takes as it is, with the password in it. */
function variableOf(sources: Sources, {url, source}: ServerChoice): string | undefined {
  const isVariable = source === 'REDIS_URL' || source === 'STREAMLOG_URL';
  const hasPassword = /^rediss?:\/\/[^/?]*:[^/?]*@/i.test(url);
  const isReplaced =
    settingOf('password', sources, {url, source}) !== undefined ||
    settingOf('username', sources, {url, source}) !== undefined;
  return isVariable && hasPassword && !isReplaced ? source : undefined;
}

function addressWords(url: string): string[] {
  const harmless = urlWithoutPassword(url);
  if (harmless === undefined) return [];
  const full = harmless.includes('://')
    ? harmless
    : harmless.startsWith('/')
      ? `unix://${harmless}`
      : `redis://${harmless}`;
  const [, scheme = '', hosts = '', path = ''] = /^([a-z+]+):\/\/(?:[^@/]*@)?([^/?]*)([^?]*)/i.exec(full) ?? [];
  const db = /[?&]db=(\d+)/.exec(full)?.[1];
  const kind = scheme.toLowerCase();
  if (kind === 'unix')
    return ['-s', shellWord(decodeURIComponent(`${hosts}${path}`)), ...(db === undefined ? [] : ['-n', db])];
  const isTls = kind.startsWith('rediss') || kind.startsWith('valkeys');
  const [first = ''] = hosts.split(',');
  if (kind.endsWith('+sentinel')) return [...sentinelWords(first, path), ...(isTls ? ['--tls'] : [])];
  const address = `${isTls ? 'rediss' : 'redis'}://${first || '127.0.0.1'}${path === '/' ? '' : path}`;
  return [...(kind.endsWith('+cluster') ? ['-c'] : []), '-u', shellWord(address)];
}

/** The master is asked for each time the command runs. */
function sentinelWords(sentinel: string, path: string): string[] {
  const [, name = '', db = ''] = path.split('/');
  const address = /:\d+$/.test(sentinel) ? sentinel : `${sentinel}:26379`;
  const master = `$(redis-cli -u redis://${address} sentinel get-master-addr-by-name ${shellWord(decodeURIComponent(name))} | paste -sd: -)`;
  return ['-u', `"redis://${master}${db === '' ? '' : `/${db}`}"`];
}

/** Where redis-cli finds the password: its own variable, or it asks. */
function passwordWords(secret: Secret | undefined, url: string): {environment: string[]; flags: string[]} {
  if (secret === undefined) return {environment: [], flags: hasPassword(url) ? ['--askpass'] : []};
  if ('file' in secret) return {environment: [`REDISCLI_AUTH="$(cat ${shellWord(secret.file)})"`], flags: []};
  if ('command' in secret)
    return {environment: [`REDISCLI_AUTH="$(${secret.command.map(shellWord).join(' ')})"`], flags: []};
  return {environment: ['REDISCLI_AUTH="$STREAMLOG_PASSWORD"'], flags: []};
}

const hasPassword = (url: string): boolean => url.includes('@') && urlWithoutPassword(url) !== url;

const userOf = (url: string): string | undefined => {
  const user = /^[a-z+]+:\/\/([^:@/?]+)(?::[^@/?]*)?@/i.exec(url)?.[1];
  return user === undefined ? undefined : decodeURIComponent(user);
};

function tlsWords(sources: Sources, choice: ServerChoice): string[] {
  const files = (['cacert', 'cert', 'key', 'sni'] as const).flatMap((name) => {
    const value = settingOf(name, sources, choice)?.value;
    return value === undefined ? [] : [`--${name}`, shellWord(value)];
  });
  const isSaid = /^(rediss|valkeys)/i.test(choice.url);
  return files.length > 0 && !isSaid ? ['--tls', ...files] : files;
}
