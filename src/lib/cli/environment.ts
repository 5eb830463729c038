/**
 * The environment: every variable that streamlog reads, and what handlers get of it. An empty variable counts as absent, since
 * shells and container files set them so. Blanks around a value are removed: files of secrets often end with a newline.
 */
import {homedir} from 'node:os';
import {isAbsolute, join} from 'node:path';
import {StreamlogError} from '../errors.js';
import {urlWithoutPassword} from '../redact.js';

/** What programs that streamlog starts get: a `secret` is not passed on, a `url` only without its password. */
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
  STREAMLOG_CONTEXT: 'public',
  STREAMLOG_CONFIG: 'public',
  STREAMLOG_STREAM: 'public',
  STREAMLOG_GROUP: 'public',
  XDG_CACHE_HOME: 'public',
  XDG_STATE_HOME: 'public',
  XDG_CONFIG_HOME: 'public',
  HOME: 'public',
  VISUAL: 'public',
  EDITOR: 'public',
  PATH: 'public',
  NO_COLOR: 'public',
  FORCE_COLOR: 'public',
  TERM: 'public',
  COLUMNS: 'public',
  LINES: 'public',
  LC_ALL: 'public',
  LC_CTYPE: 'public',
  LANG: 'public',
  DEBUG: 'public',
} as const satisfies Record<string, 'public' | 'secret' | 'url'>;

type Environment = Readonly<Partial<Record<keyof typeof VARIABLES, string>>>;

/** Each is read when it is asked for: most runs need few of them. */
const VALUES: Environment = Object.defineProperties(
  {},
  Object.fromEntries(
    Object.keys(VARIABLES).map((name) => [name, {enumerable: true, get: () => process.env[name]?.trim() || undefined}]),
  ),
);

export const environment = (): Environment => VALUES;

/** The environment for a handler: without our secrets, but with the names of files that hold one. */
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

/** A variable with such a name may be one of an earlier or a later version. */
const isSecret = (name: string): boolean =>
  kindOf(name) === 'secret' || (kindOf(name) === undefined && SECRET_NAME.test(name));

const SECRET_NAME = /^STREAMLOG_.*(PASSWORD|PASSPHRASE|TOKEN|SECRET)S?$/;

/** Undefined where there is none, as for a user without an account and without `HOME`. */
export function homeDirectory(): string | undefined {
  const {HOME} = environment();
  if (HOME !== undefined) return isAbsolute(HOME) ? HOME : undefined;
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

/** Where streamlog keeps files between runs: `$XDG_STATE_HOME/streamlog` (XDG Base Directory Specification); undefined without a home. */
export function optionalStateDirectory(): string | undefined {
  const home = homeDirectory();
  const base = environment().XDG_STATE_HOME ?? (home && join(home, '.local', 'state'));
  return base && join(base, 'streamlog');
}

/** The same. Throws `configuration` where there is none. */
export function stateDirectory(): string {
  const directory = optionalStateDirectory();
  if (directory !== undefined) return directory;
  throw new StreamlogError('configuration', 'there is no home directory', {hint: 'set HOME or XDG_STATE_HOME'});
}

/** Where streamlog keeps what can be found again: `$XDG_CACHE_HOME/streamlog`; undefined without a home. */
export function cacheDirectory(): string | undefined {
  const home = homeDirectory();
  const base = environment().XDG_CACHE_HOME ?? (home && join(home, '.cache'));
  return base && join(base, 'streamlog');
}
