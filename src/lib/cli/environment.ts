/**
 * The process' environment, read once at the border. Empty variables count as
 * absent, as shells and container files set them so.
 */
import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {StreamlogError} from '../errors.js';

const NAMES = [
  'STREAMLOG_URL',
  'REDIS_URL',
  'STREAMLOG_USERNAME',
  'STREAMLOG_PASSWORD',
  'STREAMLOG_PASSWORD_FILE',
  'STREAMLOG_TOKEN',
  'STREAMLOG_TOKEN_FILE',
  'XDG_STATE_HOME',
  'PATH',
  'NO_COLOR',
  'FORCE_COLOR',
  'DEBUG',
] as const;

type Environment = Partial<Record<(typeof NAMES)[number], string>>;

export function environment(): Environment {
  const found: Environment = {};
  for (const name of NAMES) if (process.env[name]) found[name] = process.env[name];
  return found;
}

/** Where streamlog keeps what must outlive it: `$XDG_STATE_HOME/streamlog`. */
export const stateDirectory = (): string =>
  join(environment().XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'streamlog');

/** The text of a file named by a flag or variable, without its last newline. Throws a configuration failure. */
export function readSecretFile(path: string): string {
  return readNamedFile(path).replace(/\r?\n$/, '');
}

/** The text of a file that the configuration names. Throws a configuration failure. */
export function readNamedFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new StreamlogError('configuration', `cannot read ${path}: ${code ?? 'unknown error'}`, {code});
  }
}
