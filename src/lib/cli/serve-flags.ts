/** The flags of `serve`, and the stream names, tokens and certificate that they stand for. */
import {Flags} from '@oclif/core';
import {isReservedKey} from '../colocated-key.js';
import {StreamlogError} from '../errors.js';
import {compileGlob} from '../glob.js';
import type {FileReading} from '../input/whole-file.js';
import {LOG_FORMATS} from '../serve/access-log.js';
import {AuthTokens} from '../serve/clients.js';
import {isLoopback, type ListenAddress} from '../serve/listen.js';
import type {TlsCertificate} from '../serve/tls-front.js';
import {environment} from './environment.js';
import {duration, rate, size, wholeNumber} from './flag-values.js';
import {commonFlags, serviceConnectionFlags, writeFlag} from './flags.js';
import {readNamedFile, readPrivateFile} from './named-file.js';
import {addFlags} from './produce-flags.js';

const {quiet, verbose} = commonFlags;
const READING = {helpGroup: 'READING'};

export const serveFlags = {
  listen: Flags.string({
    default: '127.0.0.1:8080',
    helpValue: 'HOST:PORT',
    summary: 'address to listen on; port 0 takes any free port; unix:PATH is a unix socket',
  }),
  'socket-mode': Flags.string({
    default: '600',
    helpValue: 'MODE',
    summary: 'permissions of the unix socket; with 660, its group can connect',
  }),
  'tls-cert': Flags.string({
    helpValue: 'PATH',
    dependsOn: ['tls-key'],
    summary: 'certificate in PEM, to serve https; reloaded on SIGHUP',
  }),
  'tls-key': Flags.string({helpValue: 'PATH', dependsOn: ['tls-cert'], summary: 'private key of --tls-cert, in PEM'}),
  'allow-host': Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'HOST',
    summary: 'another host name of this server; repeat for several',
  }),
  'allow-stream': Flags.string({
    default: ['*'],
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GLOB',
    summary: 'streams that clients may add to, with * and ?; repeat for several',
  }),
  token: Flags.string({
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'TEXT',
    summary:
      'bearer token to require; other users of this machine can see it, so prefer the variable (env: STREAMLOG_TOKEN)',
  }),
  'token-file': Flags.string({
    helpValue: 'PATH',
    summary: 'file with one token per line (env: STREAMLOG_TOKEN_FILE)',
  }),
  'insecure-no-auth': Flags.boolean({summary: 'serve other machines without a token'}),
  'max-body': size({default: 1024 * 1024, summary: 'maximum size of a request body'}),
  'max-records': wholeNumber({default: 10_000, min: 1, summary: 'maximum records per batch'}),
  null: Flags.string({helpValue: 'TEXT', summary: 'store TEXT for a null value; refused by default'}),
  'max-inflight': wholeNumber({default: 1_000, min: 1, summary: 'maximum requests waiting for Redis; 503 above it'}),
  'rate-limit': rate({summary: 'maximum requests per second per token, or per address without tokens; 429 above it'}),
  timeout: duration({
    default: 5_000,
    summary: 'how long a request waits for Redis; then 503, result unknown',
  }),
  'idempotency-ttl': duration({
    default: 86_400_000,
    summary: 'how long a request with an Idempotency-Key is remembered',
  }),
  hold: duration({
    default: 5_000,
    summary:
      'how long confirmed requests with an Idempotency-Key are kept (up to 16MB), to add them again after a failover',
  }),
  drain: duration({default: 30_000, summary: 'grace period for requests in flight after the first SIGTERM or SIGINT'}),
  'log-format': Flags.option({
    options: LOG_FORMATS,
    default: 'off',
    summary: 'access log on standard error, one line per request',
  })(),
  'allow-read': Flags.string({
    ...READING,
    default: [],
    multiple: true,
    multipleNonGreedy: true,
    helpValue: 'GLOB',
    summary: 'streams that clients may read, with * and ?; repeat for several',
  }),
  'max-readers': wholeNumber({...READING, default: 100, min: 1, summary: 'maximum readers at a time; 503 above it'}),
  ...addFlags,
  ...serviceConnectionFlags,
  ...writeFlag,
  quiet,
  verbose,
};

/** A test for names that match one of `globs`. Streamlog's own keys match only by their full name. Throws a usage error. */
export function matchesAny(globs: readonly string[]): (name: string) => boolean {
  const patterns = globs.map(compileGlob);
  return (name) => globs.includes(name) || (!isReservedKey(name) && patterns.some((matches) => matches(name)));
}

/** The flags that `serveTokens` and `readCertificate` read. */
type FlagsOf<Name extends string> = {[name in Name]?: string};
export type TokenFlags = FlagsOf<'token-file'> & {token?: string[] | undefined; 'insecure-no-auth': boolean};
export type TlsFlags = FlagsOf<'tls-cert' | 'tls-key'>;

/** Undefined without the flags. Throws a configuration failure when a file cannot be read. */
export async function readCertificate(
  {'tls-cert': cert, 'tls-key': key}: TlsFlags,
  reading: FileReading,
): Promise<TlsCertificate | undefined> {
  if (cert === undefined || key === undefined) return undefined;
  return {cert: await readNamedFile(cert, reading), key: await readPrivateFile(key, reading)};
}

/** A shorter token could be guessed. */
const MIN_TOKEN_LENGTH = 16;
const SHORT_WARNING = `a token has fewer than ${MIN_TOKEN_LENGTH} characters and could be guessed; make one: openssl rand -hex 32`;

/**
 * The tokens from flags or, without these, from the environment. Undefined when there are none; throws a configuration
 * failure when there are none and other machines can reach `address`.
 */
export async function serveTokens(
  flags: TokenFlags,
  address: ListenAddress,
  reading: FileReading,
  warn: (text: string) => void,
): Promise<AuthTokens | undefined> {
  const texts = await readTokens(flags, reading);
  if (texts !== undefined) {
    const tokens = new AuthTokens(texts);
    if (texts.some((text) => text.length < MIN_TOKEN_LENGTH)) warn(SHORT_WARNING);
    return tokens;
  }
  if (isLoopback(address) || flags['insecure-no-auth']) return undefined;
  throw new StreamlogError('configuration', 'other machines can reach this address, and no token protects it', {
    hint: 'set STREAMLOG_TOKEN or --token-file, listen on 127.0.0.1, or add --insecure-no-auth',
  });
}

/** Replaces `tokens` by those that flags and file have now. Throws a configuration failure, and then changes nothing. */
export async function reloadTokens(tokens: AuthTokens, flags: TokenFlags, reading: FileReading): Promise<void> {
  const texts = await readTokens(flags, reading);
  if (texts !== undefined) tokens.replace(texts);
}

/** Whether the tokens come from a file, which may change. */
export const hasTokenFile = ({token, 'token-file': file}: TokenFlags): boolean =>
  file !== undefined || (token === undefined && environment().STREAMLOG_TOKEN_FILE !== undefined);

async function readTokens(
  {token, 'token-file': file}: TokenFlags,
  reading: FileReading,
): Promise<string[] | undefined> {
  if (token !== undefined || file !== undefined)
    return [...(token ?? []), ...(file === undefined ? [] : await readTokenFile(file, reading))];
  const env = environment();
  if (env.STREAMLOG_TOKEN_FILE !== undefined) return readTokenFile(env.STREAMLOG_TOKEN_FILE, reading);
  return env.STREAMLOG_TOKEN === undefined ? undefined : [env.STREAMLOG_TOKEN];
}

/** One token per line; blank lines are ignored. */
const readTokenFile = async (path: string, reading: FileReading): Promise<string[]> =>
  (await readPrivateFile(path, reading)).split(/\r?\n/).filter((line) => line.trim() !== '');
