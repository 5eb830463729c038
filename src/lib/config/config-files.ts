/**
 * Which configuration files there are. Invariant: it costs a few calls of stat(2) and one of readdir(2), and nothing is read, so
 * that a run without files pays no more than that.
 */
import {readdirSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';

const PROJECT_FILE = '.streamlog.toml';

/** Where configuration may be; undefined where there is no home directory. */
export interface ConfigPaths {
  /** Of the user: `config.toml`, or what `STREAMLOG_CONFIG` names. */
  file: string | undefined;
  /** `STREAMLOG_CONFIG` names the file, so that it has to exist. */
  isNamed: boolean;
  /** More files, `*.toml`; undefined beside a file that was named. */
  directory: string | undefined;
  /** The current context. */
  stateFile: string | undefined;
}

export interface ConfigFiles {
  /** Of the user, in the order in which they are read. */
  user: string[];
  project: string | undefined;
}

/** Those that exist, for a program that runs in `workingDirectory`; undefined where that was deleted. */
export function findConfigFiles(paths: ConfigPaths, workingDirectory: string | undefined): ConfigFiles {
  const {file, isNamed, directory} = paths;
  const main = file !== undefined && (isNamed || exists(file)) ? [file] : [];
  const project = workingDirectory === undefined ? undefined : findProjectFile(workingDirectory);
  return {user: [...main, ...filesIn(directory)], project};
}

function filesIn(directory: string | undefined): string[] {
  if (directory === undefined) return [];
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.toml'))
      .sort()
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}

/** In `from`; within a git repository, else in a parent up to its root. Elsewhere parents may be those of other users. */
function findProjectFile(from: string): string | undefined {
  const directories = [from];
  while (!exists(join(directories.at(-1)!, '.git'))) {
    const parent = dirname(directories.at(-1)!);
    if (parent === directories.at(-1)) return existing(join(from, PROJECT_FILE));
    directories.push(parent);
  }
  for (const directory of directories) {
    const found = existing(join(directory, PROJECT_FILE));
    if (found !== undefined) return found;
  }
  return undefined;
}

const existing = (path: string): string | undefined => (exists(path) ? path : undefined);

/** False for what may not be looked at, as the home directory of another user. */
function exists(path: string): boolean {
  try {
    return statSync(path, {throwIfNoEntry: false}) !== undefined;
  } catch {
    return false;
  }
}
