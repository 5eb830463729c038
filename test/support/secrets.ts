/**
 * Passwords of every kind, the ways in which a user hands one over, and what may
 * go wrong then. Each password has a mark at both ends: it survives every
 * encoding of URLs and JSON, and is in either half of a password that was cut.
 */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {freePort, type RedisServer, startRedis} from './redis-server.js';
import type {Finished} from './run-cli.js';

const MARK = 'zQ9x';

/** What URLs, shells, terminals, JSON and our own messages take for something else. */
const AWKWARD = [
  ...['', '%', '%41', '%zz', '@', ':', '://', '/', '//', '?', '#', '&', ' ', '"', "'", '\\', '\n', '\t', ',', '=', '|'],
  ...['a@b:c', 'p/w?x#y', '"}]', '\u001b[31m', '$(id)', '\n    at x', '🙂', 'ünïcödé', '\u202e', '--json', '[::1]'],
];

/** A password with something awkward in it, or with anything at all but NUL, which no environment can hold. */
export const password: fc.Arbitrary<string> = fc
  .oneof(
    fc.array(fc.constantFrom(...AWKWARD), {minLength: 1, maxLength: 4}).map((parts) => parts.join('')),
    fc.string({unit: 'binary', maxLength: 12}).map((text) => text.replaceAll('\0', '')),
  )
  .map((middle) => `${MARK}${middle}${MARK}`);

/** A bearer token, which has visible ASCII characters only. */
export const token: fc.Arbitrary<string> = fc.stringMatching(/^[!-~]{0,12}$/).map((text) => `${MARK}${text}${MARK}`);

/** What of `secret` is in the output of a command. */
export const leaksOf = (secret: string, {stdout, stderr}: Pick<Finished, 'stdout' | 'stderr'>): string[] =>
  [MARK, Buffer.from(secret).toString('base64')].filter((text) => `${stdout}${stderr}`.includes(text));

/** More of the command line and the environment of a run. */
export interface Given {
  args: string[];
  env: Record<string, string>;
}

/** Redis waits for more where it is spoken to in TLS and does not know it. */
const impatient = ({args, env}: Given): Given => ({args: [...args, '--connect-timeout', '500ms'], env});

/** How the password reaches streamlog beside `place`, which is `redis://` and a host. */
export type Way = keyof typeof WAYS;

const withCredentials = (place: string, text: string): string => place.replace('://', `://default:${text}@`);
const encoded = (place: string, secret: string): string => withCredentials(place, encodeURIComponent(secret));

const WAYS = {
  '--url': ({place, secret}: Hidden): Given => ({args: ['--url', encoded(place, secret)], env: {}}),
  /** As people type it who have never heard of percent signs. */
  '--url, as it is': ({place, secret}: Hidden): Given => ({args: ['--url', withCredentials(place, secret)], env: {}}),
  STREAMLOG_URL: ({place, secret}: Hidden): Given => ({args: [], env: {STREAMLOG_URL: encoded(place, secret)}}),
  REDIS_URL: ({place, secret}: Hidden): Given => ({args: [], env: {REDIS_URL: encoded(place, secret)}}),
  STREAMLOG_PASSWORD: ({place, secret}: Hidden): Given => ({
    args: ['--url', place],
    env: {STREAMLOG_PASSWORD: secret},
  }),
  '--password-file': (hidden: Hidden): Given => ({
    args: ['--url', hidden.place, '--password-file', fileOf(hidden)],
    env: {},
  }),
  /** A context whose URL has it. */
  'context url': (hidden: Hidden): Given => inContext(hidden, encoded(hidden.place, hidden.secret)),
  /** A context whose command prints it, on standard error too. */
  'context command': (hidden: Hidden): Given => {
    const command = JSON.stringify(['sh', '-c', `cat '${fileOf(hidden)}' >&2; cat '${fileOf(hidden)}'`]);
    return inContext(hidden, hidden.place, `password_command = ${command}`);
  },
  STREAMLOG_PASSWORD_FILE: (hidden: Hidden): Given => ({
    args: ['--url', hidden.place],
    env: {STREAMLOG_PASSWORD_FILE: fileOf(hidden)},
  }),
};

export const way: fc.Arbitrary<Way> = fc.constantFrom(...(Object.keys(WAYS) as Way[]));

interface Hidden {
  place: string;
  secret: string;
  directory: string;
}

function fileOf({secret, directory}: Hidden): string {
  const path = join(directory, `password-${Buffer.from(secret).toString('hex').slice(0, 100)}`);
  writeFileSync(path, `${secret}\n`);
  return path;
}

let contexts = 0;

function inContext({directory}: Hidden, url: string, more = ''): Given {
  const config = join(directory, `config-${contexts++}.toml`);
  writeFileSync(config, `[context.secret]\nurl = ${JSON.stringify(url)}\n${more}\n`, {mode: 0o600});
  return {args: ['--context', 'secret'], env: {STREAMLOG_CONFIG: config}};
}

export interface Case extends Given {
  what: string;
  /** Where it is the same for every command and every way. */
  code?: number;
  /** Of the environment; without it, as it comes. */
  debug?: string;
}

export interface SecretScene {
  /** What may happen to a `secret` that is handed over in this way; the server takes it from now on. */
  cases(secret: string, way: Way): Promise<Case[]>;
  stop(): Promise<void>;
}

/** A server whose password changes, and a port where nobody listens. */
export async function startSecretScene(): Promise<SecretScene> {
  const server: RedisServer = await startRedis({tcp: true, password: 'to begin with'});
  await server.redis.xadd('events', '*', 'a', '1');
  await server.redis.xgroup('CREATE', 'events', 'streamlog', '0');
  const closed = `redis://127.0.0.1:${await freePort()}`;
  return {
    async cases(secret, chosen) {
      await server.redis.config('SET', 'requirepass', secret);
      const give = (place: string, given = secret): Given =>
        WAYS[chosen]({place, secret: given, directory: server.directory});
      const sure = (code: number): number | undefined => (chosen === '--url, as it is' ? undefined : code);
      const right = give(server.url);
      const more = (...args: string[]): Given => ({...right, args: [...right.args, ...args]});
      return [
        {what: 'the right password', ...right, debug: '*'},
        {what: 'a wrong password', ...give(server.url, `${secret}-`), code: sure(77), debug: 'ioredis:*'},
        {what: 'a server that is not there', ...give(closed)},
        {what: 'a URL that is none', ...give(`${server.url}x`), code: 78},
        {what: 'a server without TLS', ...impatient(give(server.url.replace('redis', 'rediss')))},
        {what: 'an unknown flag', ...more('--nonsense'), code: 2},
        {what: 'the flags of another program', ...more(`--password=${secret}`, `-a${secret}`), code: 2},
        {what: 'the URL in the wrong place', args: [withCredentials(server.url, secret)], env: {}},
      ];
    },
    stop: () => server.stop(),
  };
}
