/**
 * The flags that several commands share, each with one meaning everywhere, and
 * the builders for flags that hold a number, a duration, a size or a position.
 * Values leave here parsed: a command never sees the text of a flag that means
 * something else.
 */
import {Flags} from '@oclif/core';
import {parseDuration} from '../duration.js';
import {usageError} from '../errors.js';
import {FORMAT_HELP} from '../output/format.js';
import {nameFromText} from '../records/names.js';
import {type Position, parsePosition} from '../records/position.js';
import {parseStreamId} from '../records/stream-id.js';
import {parseSize} from '../size.js';

/** The name of a stream, group or consumer, as text or as `{"$b64":"…"}`. */
export const name = Flags.custom<string>({
  helpValue: 'NAME',
  parse: async (text, _context, {name: flag}) => {
    const parsed = nameFromText(text);
    if (parsed === undefined) throw usageError(`--${flag} takes a name; it is empty`);
    return parsed;
  },
});

/** A whole number of at least `min`; nothing is clamped or rounded. */
export const wholeNumber = Flags.custom<number, {min?: number}>({
  helpValue: 'N',
  parse: async (text, _context, {min = 0, name}) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min)) throw usageError(`--${name} takes a whole number of at least ${min}, not "${text}"`);
    return value;
  },
});

/** Milliseconds. */
export const duration = Flags.custom<number>({
  helpValue: 'TIME',
  parse: async (text, _context, {name}) => {
    const ms = parseDuration(text);
    if (ms === undefined)
      throw usageError(`--${name} takes a duration such as 500ms, 30s, 15m, 1h or 7d, not "${text}"`);
    return ms;
  },
});

/** Milliseconds, or `off`. */
export const durationOrOff = Flags.custom<number | 'off'>({
  helpValue: 'TIME|off',
  parse: async (text, _context, {name}) => {
    const ms = text === 'off' ? text : parseDuration(text);
    if (ms === undefined) throw usageError(`--${name} takes a duration such as 30s or 15m, or off, not "${text}"`);
    return ms;
  },
});

/** Bytes. */
export const size = Flags.custom<number>({
  helpValue: 'SIZE',
  parse: async (text, _context, {name}) => {
    const bytes = parseSize(text);
    if (bytes === undefined) throw usageError(`--${name} takes a size such as 64KB, 100MB or 1GB, not "${text}"`);
    return bytes;
  },
});

/** Where to start. */
export const position = Flags.custom<Position>({
  helpValue: 'WHERE',
  parse: async (text) => parsePosition(text, Date.now()),
});

/** `*`, `ms-*` or a whole ID: what XADD takes. */
export const entryId = Flags.custom<string>({
  helpValue: 'ID',
  parse: async (text, _context, {name}) => {
    const anySequence = text.endsWith('-*') && parseStreamId(text.replace('-*', '-0')) !== undefined;
    const id = text === '*' || anySequence ? text : parseStreamId(text);
    if (id === undefined)
      throw usageError(`--${name} takes an ID such as 1526919030474-55 or 1526919030474-*, not "${text}"`);
    return id;
  },
});

/** Times a second; `200` and `200/s` are the same. */
export const rate = Flags.custom<number>({
  helpValue: 'N/s',
  parse: async (text, _context, {name}) => {
    const perSecond = /^\d{1,9}(\.\d+)?(\/s)?$/.test(text) ? Number(text.replace('/s', '')) : 0;
    if (perSecond <= 0) throw usageError(`--${name} takes a rate such as 200 or 0.5/s, not "${text}"`);
    return perSecond;
  },
});

/** Which server, and as whom, for what goes on when a connection is lost. */
export const serviceConnectionFlags = {
  url: Flags.string({
    char: 'u',
    helpGroup: 'CONNECTION',
    helpValue: 'URL',
    summary:
      'redis://, rediss:// (TLS), unix://, redis+sentinel://h1,h2/name, redis+cluster://h1,h2, valkey:// for redis:// ' +
      '[env: STREAMLOG_URL, REDIS_URL]',
  }),
  username: Flags.string({helpGroup: 'CONNECTION', helpValue: 'NAME', summary: 'Redis user [env: STREAMLOG_USERNAME]'}),
  'password-file': Flags.string({
    helpGroup: 'CONNECTION',
    helpValue: 'PATH',
    summary: 'file that holds the password [env: STREAMLOG_PASSWORD_FILE, or STREAMLOG_PASSWORD itself]',
  }),
  cacert: Flags.string({helpGroup: 'CONNECTION', helpValue: 'PATH', summary: 'certificates to trust; turns TLS on'}),
  cert: Flags.string({helpGroup: 'CONNECTION', helpValue: 'PATH', dependsOn: ['key'], summary: 'our own certificate'}),
  key: Flags.string({
    helpGroup: 'CONNECTION',
    helpValue: 'PATH',
    dependsOn: ['cert'],
    summary: 'the key of our certificate',
  }),
  sni: Flags.string({
    helpGroup: 'CONNECTION',
    helpValue: 'NAME',
    summary: 'server name that TLS asks for and the certificate must hold [default: the host]',
  }),
  'sentinel-username': Flags.string({
    helpGroup: 'CONNECTION',
    helpValue: 'NAME',
    summary: 'user of the sentinels [env: STREAMLOG_SENTINEL_USERNAME]',
  }),
  'sentinel-password-file': Flags.string({
    helpGroup: 'CONNECTION',
    helpValue: 'PATH',
    summary:
      'file that holds their password [env: STREAMLOG_SENTINEL_PASSWORD_FILE, or STREAMLOG_SENTINEL_PASSWORD itself; ' +
      'default: that of the server]',
  }),
  'map-address': Flags.string({
    helpGroup: 'CONNECTION',
    helpValue: 'ANNOUNCED=REACHABLE',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'connect to REACHABLE (host:port) where a cluster or sentinel announces ANNOUNCED',
  }),
  silence: duration({
    helpGroup: 'CONNECTION',
    default: 4_000,
    defaultHelp: async () => '4s',
    summary: 'leave a server that owes an answer and says nothing for this long',
  }),
  'connect-timeout': duration({helpGroup: 'CONNECTION', default: 4_000, summary: 'give up connecting after this long'}),
};

/** The same for commands that are over soon. */
export const connectionFlags = {
  ...serviceConnectionFlags,
  'retry-for': duration({
    helpGroup: 'CONNECTION',
    defaultHelp: async () => '5s with sentinels or a cluster',
    summary: 'how long to ask again while a server is away; what may have changed data is not asked again',
  }),
};

/** How much to say, and in which shape. */
export const commonFlags = {
  json: Flags.boolean({helpGroup: 'OUTPUT', summary: 'print JSON on a terminal too'}),
  quiet: Flags.boolean({char: 'q', helpGroup: 'OUTPUT', summary: 'no notes on standard error'}),
  verbose: Flags.boolean({
    char: 'v',
    helpGroup: 'OUTPUT',
    exclusive: ['quiet'],
    summary: 'more notes on standard error',
  }),
};

/** For commands that print records. */
export const recordFlags = {
  ...commonFlags,
  format: Flags.string({
    char: 'f',
    helpGroup: 'OUTPUT',
    helpValue: 'TEMPLATE',
    exclusive: ['json'],
    summary: `print this instead: ${FORMAT_HELP}`,
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
    summary: 'the stream; repeat it for several',
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
  'dry-run': Flags.boolean({default: false, summary: 'show what would happen; change nothing'}),
};

/** What `produce` and `serve` give to each XADD. Read by `addOptions`. */
export const addFlags = {
  maxlen: wholeNumber({exclusive: ['minid', 'max-age'], summary: 'trim to this many entries with each add (MAXLEN)'}),
  minid: position({
    exclusive: ['max-age'],
    helpValue: 'ID|@TIME',
    summary: 'trim what is before this with each add (MINID)',
  }),
  'max-age': duration({summary: 'trim what is older than this with each add'}),
  approx: Flags.boolean({summary: 'trim whole nodes only (~): much cheaper'}),
  'no-create': Flags.boolean({summary: 'fail when there is no such stream (NOMKSTREAM)'}),
};
