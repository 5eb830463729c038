/** The flags that several commands share, each with one meaning everywhere. */
import {Flags} from '@oclif/core';
import {usageError} from '../errors.js';
import {FORMAT_HELP} from '../output/format.js';
import {SHAPES} from '../output/shape.js';
import {duration, name} from './flag-values.js';

const CONNECTION = {helpGroup: 'CONNECTION'};
const OUTPUT = {helpGroup: 'OUTPUT'};

/** Which server, and as which user: for commands that reconnect by themselves. */
export const serviceConnectionFlags = {
  url: Flags.string({
    ...CONNECTION,
    char: 'u',
    helpValue: 'URL',
    summary:
      'HOST:PORT, redis://, rediss:// (TLS), valkey://, unix://, redis+sentinel://HOST,HOST/NAME or redis+cluster://HOST,HOST ' +
      '(env: STREAMLOG_URL, REDIS_URL)',
  }),
  context: Flags.string({
    ...CONNECTION,
    char: 'C',
    helpValue: 'NAME',
    summary: 'a server of the configuration, by its name; see streamlog context (env: STREAMLOG_CONTEXT)',
  }),
  username: Flags.string({...CONNECTION, helpValue: 'NAME', summary: 'Redis user (env: STREAMLOG_USERNAME)'}),
  'password-file': Flags.string({
    ...CONNECTION,
    helpValue: 'PATH',
    summary: 'file with the password (env: STREAMLOG_PASSWORD_FILE, or the password in STREAMLOG_PASSWORD)',
  }),
  cacert: Flags.string({...CONNECTION, helpValue: 'PATH', summary: 'CA certificates to trust; turns TLS on'}),
  cert: Flags.string({...CONNECTION, helpValue: 'PATH', dependsOn: ['key'], summary: 'client certificate'}),
  key: Flags.string({...CONNECTION, helpValue: 'PATH', dependsOn: ['cert'], summary: 'key of the client certificate'}),
  sni: Flags.string({
    ...CONNECTION,
    helpValue: 'NAME',
    defaultHelp: async () => 'the host',
    summary: 'server name for TLS',
  }),
  'sentinel-username': Flags.string({
    ...CONNECTION,
    helpValue: 'NAME',
    summary: 'user of the sentinels (env: STREAMLOG_SENTINEL_USERNAME)',
  }),
  'sentinel-password-file': Flags.string({
    ...CONNECTION,
    helpValue: 'PATH',
    summary:
      'file with their password (default: that of the server; env: STREAMLOG_SENTINEL_PASSWORD_FILE, or the password in STREAMLOG_SENTINEL_PASSWORD)',
  }),
  'map-address': Flags.string({
    ...CONNECTION,
    helpValue: 'ANNOUNCED=REACHABLE',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'connect to REACHABLE where a cluster or sentinel announces ANNOUNCED (both HOST:PORT)',
  }),
  silence: duration({
    ...CONNECTION,
    default: 4_000,
    summary: 'close a connection whose server owes a reply for this long',
  }),
  'connect-timeout': duration({...CONNECTION, default: 4_000, summary: 'give up connecting after this long'}),
  trace: Flags.boolean({
    ...CONNECTION,
    summary: 'print each command that is sent to Redis, and its time, on standard error',
  }),
};

/** The same for commands that end soon. */
export const connectionFlags = {
  ...serviceConnectionFlags,
  'retry-for': duration({
    ...CONNECTION,
    defaultHelp: async () => '5s with sentinels or a cluster',
    summary: 'retry for this long while the server is away, except what may have changed data',
  }),
};

export const outputFlag = (summary: string, usual: string) =>
  Flags.option({options: SHAPES, helpValue: SHAPES.join('|')})({
    ...OUTPUT,
    char: 'o',
    exclusive: ['json'],
    defaultHelp: async () => usual,
    summary,
  });

/** For commands that write, which a context may refuse. */
export const writeFlag = {
  write: Flags.boolean({...CONNECTION, summary: 'write although the context is read-only'}),
};

export const commonFlags = {
  output: outputFlag('print in this shape', 'table on a terminal, json in a pipe'),
  json: Flags.boolean({...OUTPUT, summary: 'short for -o json'}),
  quiet: Flags.boolean({...OUTPUT, char: 'q', summary: 'print no notes on standard error'}),
  verbose: Flags.boolean({...OUTPUT, char: 'v', exclusive: ['quiet'], summary: 'print more notes on standard error'}),
};

const formatHint = (word: string): string =>
  /^(table|json|csv|tsv)$/.test(word)
    ? `-o ${word}, or --output, prints in that shape`
    : `a template is like '%o %s\\n'; a stream is named by position or by -s, and tail follows by itself`;

/** For commands that print records. */
export const recordFlags = {
  ...commonFlags,
  pretty: Flags.boolean({...OUTPUT, default: false, summary: 'each field on lines of its own, JSON indented'}),
  full: Flags.boolean({...OUTPUT, default: false, summary: 'do not cut lines to the width of the terminal'}),
  utc: Flags.boolean({...OUTPUT, default: false, summary: 'times on a terminal in UTC, not local'}),
  format: Flags.string({
    ...OUTPUT,
    char: 'f',
    helpValue: 'TEMPLATE',
    exclusive: ['json', 'output', 'pretty'],
    summary: `print each record by this template: ${FORMAT_HELP}`,
    parse: async (text) => {
      // `tail -f orders`, `get -f json`: as other programs have it, and every record would be this word.
      if (/^[a-z][\w.:-]+$/i.test(text))
        throw usageError(`--format takes a template, and "${text}" names no part of a record`, formatHint(text));
      return text;
    },
  }),
};

const streamText = {char: 's', env: 'STREAMLOG_STREAM', helpValue: 'NAME'} as const;

export const streamFlag = {
  stream: name({...streamText, default: 'events', summary: 'the stream'}),
};
export const streamsFlag = {
  stream: name({
    ...streamText,
    default: ['events'],
    multiple: true,
    multipleNonGreedy: true,
    summary: 'the stream; repeat for several',
  }),
};
/** What stands for other characters in a GLOB (https://redis.io/docs/latest/commands/keys/). */
export const GLOB_HELP = '*, ?, [a-z]; \\ escapes';
/** Instead of names; `namedStreams` refuses both. */
export const matchFlag = {
  match: Flags.string({helpValue: 'GLOB', summary: `all streams whose names match: ${GLOB_HELP}`}),
};
/** For commands that look at all streams when none is named. */
export const someStreamsFlag = {
  stream: name({
    ...streamText,
    multiple: true,
    multipleNonGreedy: true,
    summary: 'only this stream; repeat for several',
  }),
};
export const groupFlag = {
  group: name({
    char: 'g',
    env: 'STREAMLOG_GROUP',
    default: 'streamlog',
    helpValue: 'NAME',
    summary: 'the consumer group',
  }),
};
export const dryRunFlag = {
  'dry-run': Flags.boolean({default: false, summary: 'show what would happen, and change nothing'}),
};

/** What was typed for a flag; undefined for a default or a variable. `raw` is of oclif's parser (https://github.com/oclif/core/blob/main/src/interfaces/parser.ts). */
export const typedText = (
  flag: string,
  raw: readonly {type: string; flag?: string | undefined; input: string}[],
): string | undefined => raw.find((token) => token.type === 'flag' && token.flag === flag)?.input;

/** The streams that are named; undefined where `--match` says which. Throws a usage error for both. */
export function namedStreams(
  {stream, match}: {stream: readonly string[]; match?: string | undefined},
  raw: readonly {type: string; flag?: string}[],
): readonly string[] | undefined {
  if (match === undefined) return [...new Set(stream)];
  if (raw.some(({type, flag}) => type === 'arg' || flag === 'stream'))
    throw usageError('give --match or streams, not both');
  return undefined;
}
