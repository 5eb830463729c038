/** The configuration of this process: where its files are, and what they say. Invariant: without files nothing of it is loaded. */
import {isAbsolute, join} from 'node:path';
import type {Config} from '../config/config.js';
import {type ConfigFiles, type ConfigPaths, findConfigFiles} from '../config/config-files.js';
import type {FileReading} from '../input/whole-file.js';
import type {CommandIndex} from './command-index.js';
import {environment, homeDirectory, optionalStateDirectory, stateDirectory} from './environment.js';

export type {Config} from '../config/config.js';

export function configPaths(): ConfigPaths {
  const {STREAMLOG_CONFIG, XDG_CONFIG_HOME} = environment();
  const home = homeDirectory();
  const state = optionalStateDirectory();
  const base =
    XDG_CONFIG_HOME !== undefined && isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : home && join(home, '.config');
  const directory = base && join(base, 'streamlog');
  return {
    file: STREAMLOG_CONFIG ?? (directory && join(directory, 'config.toml')),
    isNamed: STREAMLOG_CONFIG !== undefined,
    directory: STREAMLOG_CONFIG === undefined && directory !== undefined ? join(directory, 'config.d') : undefined,
    stateFile: state && join(state, 'context'),
  };
}

/** Where the current context is. Throws `configuration` where there is no home directory. */
export const contextStateFile = (): string => join(stateDirectory(), 'context');

export function configFiles(): ConfigFiles {
  return findConfigFiles(configPaths(), workingDirectory());
}

function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** What the files say; undefined where there are none. Throws `configuration`. */
export async function loadConfig(index: CommandIndex, reading: FileReading): Promise<Config | undefined> {
  const files = configFiles();
  if (files.user.length === 0 && files.project === undefined) return undefined;
  return (await import('./config-reading.js')).readFiles(files, index, reading);
}
