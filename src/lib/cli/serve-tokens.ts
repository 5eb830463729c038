/** The tokens of `serve` from flags, file and environment, and the refusal to serve a network without one. */
import {StreamlogError} from '../errors.js';
import type {FileReading} from '../input/whole-file.js';
import {AuthTokens} from '../serve/auth-tokens.js';
import {isLoopback, type ListenAddress} from '../serve/listen-address.js';
import {environment} from './environment.js';
import {readPrivateFile} from './named-file.js';

/** A token with fewer characters could be guessed. */
const SHORT = 16;
const SHORT_WARNING = `a token has fewer than ${SHORT} characters, and could be guessed; make one: openssl rand -hex 32`;

export interface TokenFlags {
  token?: string[];
  'token-file'?: string;
  'insecure-no-auth': boolean;
}

/**
 * Flags win over the environment. Undefined when none was given, which is a
 * configuration failure for an address that other machines can reach.
 */
export async function serveTokens(
  flags: TokenFlags,
  address: ListenAddress,
  reading: FileReading,
  warn: (text: string) => void,
): Promise<AuthTokens | undefined> {
  const texts = await givenTokens(flags, reading);
  if (texts !== undefined) {
    const tokens = new AuthTokens(texts);
    if (texts.some((text) => text.length < SHORT)) warn(SHORT_WARNING);
    return tokens;
  }
  if (isLoopback(address) || flags['insecure-no-auth']) return undefined;
  throw new StreamlogError('configuration', 'other machines can reach this address, and no token protects it', {
    hint: 'set STREAMLOG_TOKEN or --token-file, listen on 127.0.0.1, or add --insecure-no-auth',
  });
}

/**
 * Has `tokens` be what flags and file say now. Throws a configuration failure, and then
 * they stay as they are.
 */
export async function rereadTokens(tokens: AuthTokens, flags: TokenFlags, reading: FileReading): Promise<void> {
  const texts = await givenTokens(flags, reading);
  if (texts !== undefined) tokens.replace(texts);
}

/** Whether the tokens come from a file, which may change. */
export const hasTokenFile = ({token, 'token-file': file}: TokenFlags): boolean =>
  file !== undefined || (token === undefined && environment().STREAMLOG_TOKEN_FILE !== undefined);

async function givenTokens(
  {token, 'token-file': file}: TokenFlags,
  reading: FileReading,
): Promise<string[] | undefined> {
  if (token !== undefined || file !== undefined)
    return [...(token ?? []), ...(file === undefined ? [] : await readTokenFile(file, reading))];
  const env = environment();
  if (env.STREAMLOG_TOKEN_FILE !== undefined) return readTokenFile(env.STREAMLOG_TOKEN_FILE, reading);
  return env.STREAMLOG_TOKEN === undefined ? undefined : [env.STREAMLOG_TOKEN];
}

/** One token a line; blank lines are passed over. */
const readTokenFile = async (path: string, reading: FileReading): Promise<string[]> =>
  (await readPrivateFile(path, reading)).split(/\r?\n/).filter((line) => line.trim() !== '');
