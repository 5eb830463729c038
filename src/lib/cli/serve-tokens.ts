/** The tokens of `serve` from flags, file and environment, and the refusal to serve a network without one. */
import {StreamlogError} from '../errors.js';
import {isLoopback, type ListenAddress} from '../http/listen-address.js';
import {Tokens} from '../http/tokens.js';
import {environment, readSecretFile} from './environment.js';

export interface TokenFlags {
  token?: string[];
  'token-file'?: string;
  'insecure-no-auth': boolean;
}

/**
 * Flags win over the environment. Undefined when none was given, which is a
 * configuration failure for an address that other machines can reach.
 */
export function serveTokens(flags: TokenFlags, address: ListenAddress): Tokens | undefined {
  const texts = givenTokens(flags);
  if (texts !== undefined) return new Tokens(texts);
  if (isLoopback(address) || flags['insecure-no-auth']) return undefined;
  throw new StreamlogError('configuration', 'other machines can reach this address, and no token protects it', {
    hint: 'set STREAMLOG_TOKEN or --token-file, listen on 127.0.0.1, or add --insecure-no-auth',
  });
}

function givenTokens({token, 'token-file': file}: TokenFlags): string[] | undefined {
  if (token !== undefined || file !== undefined)
    return [...(token ?? []), ...(file === undefined ? [] : readTokenFile(file))];
  const env = environment();
  if (env.STREAMLOG_TOKEN_FILE !== undefined) return readTokenFile(env.STREAMLOG_TOKEN_FILE);
  return env.STREAMLOG_TOKEN === undefined ? undefined : [env.STREAMLOG_TOKEN];
}

/** One token a line; blank lines are passed over. */
const readTokenFile = (path: string): string[] =>
  readSecretFile(path)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
