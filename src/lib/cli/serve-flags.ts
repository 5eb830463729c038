/** The flags of `serve`, and what those mean that speak of names and clients. */
import {Flags} from '@oclif/core';
import {isReservedKey} from '../colocated-key.js';
import {compileGlob} from '../glob.js';
import {LOG_FORMATS} from '../serve/access-log.js';
import {addFlags, commonFlags, duration, rate, serviceConnectionFlags, size, wholeNumber} from './flags.js';

const {quiet} = commonFlags;
const READING = {helpGroup: 'READING'};

export const serveFlags = {
  listen: Flags.string({
    default: '127.0.0.1:8080',
    helpValue: 'HOST:PORT',
    summary: 'where; port 0 takes a free one; a unix socket is unix:PATH',
  }),
  'socket-mode': Flags.string({
    default: '600',
    helpValue: 'MODE',
    summary: 'permissions of the unix socket; 660 lets its group in',
  }),
  'tls-cert': Flags.string({
    helpValue: 'PATH',
    dependsOn: ['tls-key'],
    summary: 'certificate in PEM, for https; SIGHUP reads it again',
  }),
  'tls-key': Flags.string({helpValue: 'PATH', dependsOn: ['tls-cert'], summary: 'its private key in PEM'}),
  'allow-host': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'HOST',
    summary: 'another name by which this server may be called; repeat it for several',
  }),
  'allow-stream': Flags.string({
    default: ['*'],
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GLOB',
    summary: 'streams that may be added to, with * and ?; repeat it for several',
  }),
  token: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'TEXT',
    summary: 'bearer token to ask for; other users of this machine can see it, so better [env: STREAMLOG_TOKEN]',
  }),
  'token-file': Flags.string({
    helpValue: 'PATH',
    summary: 'file with the tokens, one a line [env: STREAMLOG_TOKEN_FILE]',
  }),
  'insecure-no-auth': Flags.boolean({summary: 'let other machines in without a token'}),
  'max-body': size({default: 1024 * 1024, summary: 'largest body'}),
  'max-records': wholeNumber({default: 10_000, min: 1, summary: 'most records in one batch'}),
  null: Flags.string({helpValue: 'TEXT', summary: 'store this for null, which is refused otherwise'}),
  'max-inflight': wholeNumber({default: 1_000, min: 1, summary: 'most requests waiting for Redis; beyond, 503'}),
  'rate-limit': rate({summary: 'most requests a second of one token, or of one address without tokens; beyond, 429'}),
  timeout: duration({
    default: 5_000,
    defaultHelp: async () => '5s',
    summary: 'how long a request waits for Redis; then 503, outcome unknown',
  }),
  'idempotency-ttl': duration({
    default: 86_400_000,
    defaultHelp: async () => '1d',
    summary: 'how long a request with an Idempotency-Key is remembered',
  }),
  hold: duration({
    default: 5_000,
    defaultHelp: async () => '5s',
    summary:
      'keep confirmed requests with an Idempotency-Key this long, up to 16MB, to add them again after a failover',
  }),
  drain: duration({default: 30_000, summary: 'how long the first SIGTERM or SIGINT waits for what is in hand'}),
  'log-format': Flags.option({
    options: LOG_FORMATS,
    default: 'off',
    summary: 'a line on standard error for each request',
  })(),
  'allow-read': Flags.string({
    ...READING,
    default: [],
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GLOB',
    summary: 'streams that may be read, with * and ?; repeat it for several [default: none]',
  }),
  'max-readers': wholeNumber({...READING, default: 100, min: 1, summary: 'most readers at a time; beyond, 503'}),
  ...addFlags,
  ...serviceConnectionFlags,
  quiet,
};

/** Whether a name matches one of `globs`. Names of streamlog's own keys match only themselves. Throws a usage error. */
export function matchesAny(globs: readonly string[]): (name: string) => boolean {
  const patterns = globs.map(compileGlob);
  return (name) => globs.includes(name) || (!isReservedKey(name) && patterns.some((matches) => matches(name)));
}
