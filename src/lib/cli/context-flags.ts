/** The flags of `context add`, and the table of the configuration that they make. */
import {resolve} from 'node:path';
import {Flags, type Interfaces} from '@oclif/core';
import {COLORS, CONTEXT_NAME, type ContextTable} from '../config/config-schema.js';
import {usageError} from '../errors.js';
import {urlWithoutPassword} from '../redact.js';
import {wordsOf} from '../shell-word.js';
import {name} from './flag-values.js';

export const contextFlags = {
  url: Flags.string({
    char: 'u',
    required: true,
    helpValue: 'URL',
    summary: 'its URL, or host:port, as with --url of other commands',
  }),
  username: Flags.string({helpValue: 'NAME', summary: 'Redis user'}),
  'password-file': Flags.string({helpValue: 'PATH', summary: 'file with the password'}),
  'password-command': Flags.string({
    helpValue: 'COMMAND',
    exclusive: ['password-file'],
    summary: 'command that prints the password; it is run without a shell',
  }),
  'sentinel-username': Flags.string({helpValue: 'NAME', summary: 'user of the sentinels'}),
  'sentinel-password-file': Flags.string({helpValue: 'PATH', summary: 'file with their password'}),
  cacert: Flags.string({helpValue: 'PATH', summary: 'CA certificates to trust; turns TLS on'}),
  cert: Flags.string({helpValue: 'PATH', dependsOn: ['key'], summary: 'client certificate'}),
  key: Flags.string({helpValue: 'PATH', dependsOn: ['cert'], summary: 'key of the client certificate'}),
  sni: Flags.string({helpValue: 'NAME', summary: 'server name for TLS'}),
  'map-address': Flags.string({
    helpValue: 'ANNOUNCED=REACHABLE',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'connect to REACHABLE where a cluster or sentinel announces ANNOUNCED',
  }),
  stream: name({char: 's', summary: 'the stream that commands use'}),
  group: name({char: 'g', summary: 'the consumer group that commands use'}),
  readonly: Flags.boolean({summary: 'refuse commands that write, unless they have --write'}),
  production: Flags.boolean({
    summary: 'on a terminal, name it before each command that writes; --readonly and red imply it',
  }),
  color: Flags.string({helpValue: 'COLOR', options: [...COLORS], summary: 'colour of that name'}),
  description: Flags.string({helpValue: 'TEXT', summary: 'what it is'}),
};

/** The table, and what to say of it. Throws a usage error for what could not be read back. */
export function tableOf(
  context: string,
  flags: Interfaces.InferredFlags<typeof contextFlags>,
): {table: ContextTable; notes: string[]} {
  if (!CONTEXT_NAME.test(context))
    throw usageError('NAME takes letters, digits and . _ @ -, beginning with a letter or a digit');
  const command = flags['password-command'];
  const words = command === undefined ? undefined : wordsOf(command);
  if (command !== undefined && (words === undefined || words.length === 0))
    throw usageError('--password-command takes a command; a quote is open or there is none');
  const {username, sni, stream, group, color, description} = flags;
  const table: Record<string, unknown> = {
    // A socket by a path that holds in every directory.
    url: /^\.{1,2}\//.test(flags.url) ? resolve(flags.url) : flags.url,
    username,
    password_file: absolute(flags['password-file']),
    password_command: words,
    sentinel_username: flags['sentinel-username'],
    sentinel_password_file: absolute(flags['sentinel-password-file']),
    cacert: absolute(flags.cacert),
    cert: absolute(flags.cert),
    key: absolute(flags.key),
    sni,
    map_address: flags['map-address'],
    stream,
    group,
    readonly: flags.readonly || undefined,
    production: flags.production || undefined,
    color,
    description,
  };
  const given = Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined)) as ContextTable;
  const holdsPassword = urlWithoutPassword(flags.url) !== flags.url;
  return {
    table: given,
    notes: holdsPassword
      ? ['the file holds the password of the URL now; --password-file and --password-command keep it elsewhere']
      : [],
  };
}

const absolute = (path: string | undefined): string | undefined => (path === undefined ? undefined : resolve(path));
