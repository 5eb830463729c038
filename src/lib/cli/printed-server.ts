/**
 * Which server it is, in commands that are printed: as it was typed, or not at all where a variable or the configuration says it, which the
 * reader has too. Invariant: no password is in it.
 */
import {type Secret, type ServerChoice, type Sources, settingOf} from '../config/settings.js';
import type {ServerWords} from '../doctor/commands.js';
import {urlWithoutPassword} from '../redact.js';
import {shellWord} from '../shell-word.js';
import type {ConnectionFlags} from './connection-settings.js';
import {typedServer} from './typed-server.js';

export function printedServer(flags: ConnectionFlags, sources: Sources, choice: ServerChoice): ServerWords {
  const password = settingOf('password', sources, choice)?.value;
  const isWhole = password === undefined && settingOf('username', sources, choice) === undefined;
  const urlVariable = isWhole ? variableOf(choice) : undefined;
  const isTyped = password === undefined && urlVariable === undefined && hasPassword(choice.url);
  return {
    streamlog: typedServer(flags).map(shellWord),
    redisCli: {
      environment: password === undefined ? [] : passwordWords(password),
      flags: [...authFlags(choice.url, {isTyped, urlVariable}), ...tlsWords(sources, choice)],
      urlVariable,
    },
    lacksPassword: isTyped && flags.url !== undefined,
  };
}

/** The variable that has the URL, where redis-cli takes it as it is and finds the password in it. */
const variableOf = ({url, source}: ServerChoice): string | undefined =>
  (source === 'REDIS_URL' || source === 'STREAMLOG_URL') && /^rediss?:\/\/[^/?@]*:[^/?@]*@[^/?@]*(\/\d*)?$/i.test(url)
    ? source
    : undefined;

/** It asks for a password that was typed, and takes a user without a name for one. */
function authFlags(url: string, {isTyped, urlVariable}: {isTyped: boolean; urlVariable: string | undefined}): string[] {
  if (isTyped) return ['--askpass'];
  return urlVariable !== undefined && url.includes('://:') ? ['--user', 'default'] : [];
}

/** Where redis-cli finds the password: its own variable. */
function passwordWords(secret: Secret): string[] {
  if ('text' in secret) return ['REDISCLI_AUTH="$STREAMLOG_PASSWORD"'];
  const words = 'file' in secret ? ['cat', secret.file] : secret.command;
  return [`REDISCLI_AUTH="$(${words.map(shellWord).join(' ')})"`];
}

const hasPassword = (url: string): boolean => url.includes('@') && urlWithoutPassword(url) !== url;

/** Of what redis-cli does not learn from the address. */
const tlsWords = (sources: Sources, choice: ServerChoice): string[] =>
  (['cacert', 'cert', 'key'] as const).flatMap((name) => {
    const value = settingOf(name, sources, choice)?.value;
    return value === undefined ? [] : [`--${name}`, shellWord(value)];
  });
