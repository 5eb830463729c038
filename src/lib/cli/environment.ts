/**
 * The process' environment, read once at the border. Empty variables count as
 * absent, as shells and container files set them so. Blanks and line ends around a
 * value do not belong to it: files of secrets end with a newline as often as not.
 */
import {homedir} from 'node:os';
import {join} from 'node:path';
import {urlWithoutPassword} from '../redact.js';

/**
 * Every variable that streamlog reads, and what programs that it starts for
 * others get of it: a `secret` is not passed on, a `url` only without its
 * password. Whoever adds one has to say so here.
 */
const VARIABLES = {
  STREAMLOG_URL: 'url',
  REDIS_URL: 'url',
  STREAMLOG_USERNAME: 'public',
  STREAMLOG_PASSWORD: 'secret',
  STREAMLOG_PASSWORD_FILE: 'public',
  STREAMLOG_SENTINEL_USERNAME: 'public',
  STREAMLOG_SENTINEL_PASSWORD: 'secret',
  STREAMLOG_SENTINEL_PASSWORD_FILE: 'public',
  STREAMLOG_TOKEN: 'secret',
  STREAMLOG_TOKEN_FILE: 'public',
  XDG_STATE_HOME: 'public',
  PATH: 'public',
  NO_COLOR: 'public',
  FORCE_COLOR: 'public',
  TERM: 'public',
  DEBUG: 'public',
} as const satisfies Record<string, 'public' | 'secret' | 'url'>;

type Environment = Partial<Record<keyof typeof VARIABLES, string>>;

export function environment(): Environment {
  const found: Environment = {};
  for (const name of Object.keys(VARIABLES) as (keyof typeof VARIABLES)[]) {
    const value = process.env[name]?.trim();
    if (value) found[name] = value;
  }
  return found;
}

/** All of the environment but our secrets, for the programs of others. Names of files that hold one stay. */
export function environmentForOthers(all: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passed: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(all)) {
    if (value === undefined || isSecret(name)) continue;
    const harmless = kindOf(name) === 'url' ? urlWithoutPassword(value) : value;
    if (harmless !== undefined) passed[name] = harmless;
  }
  return passed;
}

const kindOf = (name: string): 'public' | 'secret' | 'url' | undefined =>
  Object.hasOwn(VARIABLES, name) ? VARIABLES[name as keyof typeof VARIABLES] : undefined;

/** One with such a name that a later version reads, or an earlier one read, is none of a handler's business either. */
const isSecret = (name: string): boolean =>
  kindOf(name) === 'secret' || (kindOf(name) === undefined && SECRET_NAME.test(name));

const SECRET_NAME = /^STREAMLOG_.*(PASSWORD|PASSPHRASE|TOKEN|SECRET)S?$/;

/** Where streamlog keeps what must outlive it: `$XDG_STATE_HOME/streamlog`. */
export const stateDirectory = (): string =>
  join(environment().XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'streamlog');
