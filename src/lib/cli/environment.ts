/**
 * The process' environment, read once at the border. Empty variables count as
 * absent, as shells and container files set them so.
 */
import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {z} from 'zod/mini';
import {StreamlogError} from '../errors.js';

const Text = z.optional(
  z.pipe(
    z.transform((value) => (value === '' ? undefined : value)),
    z.optional(z.string()),
  ),
);

const Environment = z.object({
  STREAMLOG_URL: Text,
  REDIS_URL: Text,
  STREAMLOG_USERNAME: Text,
  STREAMLOG_PASSWORD: Text,
  STREAMLOG_PASSWORD_FILE: Text,
  STREAMLOG_TOKEN: Text,
  STREAMLOG_TOKEN_FILE: Text,
  XDG_STATE_HOME: Text,
  PATH: Text,
  NO_COLOR: Text,
  FORCE_COLOR: Text,
  DEBUG: Text,
});

export const environment = (): z.infer<typeof Environment> => Environment.parse(process.env);

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
