/** The configuration of this process: where its files are, and what they say. Invariant: without files nothing of it is loaded. */
import {isUtf8} from 'node:buffer';
import {isAbsolute, join} from 'node:path';
import type {Config, ConfigText} from '../config/config.js';
import {type ConfigFiles, type ConfigPaths, findConfigFiles} from '../config/config-files.js';
import {StreamlogError} from '../errors.js';
import {type FileReading, readWholeFile} from '../input/whole-file.js';
import {urlWithoutPassword} from '../redact.js';
import {environment, homeDirectory, optionalStateDirectory, stateDirectory} from './environment.js';
import {warnIfReadable} from './named-file.js';

export type {Config} from '../config/config.js';

const MOST_BYTES = 1024 * 1024;
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

/**
 * What the files say; undefined where there are none. `commands` are the IDs of all commands, and `changed` stands for the file of
 * its name. Throws `configuration`.
 */
export async function loadConfig(
  commands: readonly string[],
  reading: FileReading,
  {user, project} = configFiles(),
  changed?: ConfigText,
): Promise<Config | undefined> {
  if (user.length === 0 && project === undefined) return undefined;
  const read = async (file: string): Promise<ConfigText> =>
    file === changed?.file ? changed : readText(file, reading);
  const texts: ConfigText[] = [];
  for (const file of user) texts.push(await read(file));
  const {readConfig} = await import('../config/config.js');
  const config = readConfig(texts, project === undefined ? undefined : await read(project), commands);
  for (const file of user) if (file !== changed?.file && holdsPassword(config, file)) warnIfReadable(file, reading);
  return config;
}

/** Throws `configuration`. */
export async function readText(file: string, reading: FileReading): Promise<ConfigText> {
  let bytes: Buffer;
  try {
    bytes = await readWholeFile(file, reading);
  } catch (error) {
    if (!(error instanceof StreamlogError)) throw error;
    throw new StreamlogError('configuration', error.message, {code: error.code});
  }
  const refusal = bytes.length > MOST_BYTES ? 'it is larger than 1 MB' : isUtf8(bytes) ? undefined : 'it is not UTF-8';
  if (refusal !== undefined) throw new StreamlogError('configuration', `cannot read ${file}: ${refusal}`);
  return {file, text: bytes.toString('utf8').replace(/^\ufeff/, '')};
}

const holdsPassword = ({contexts}: Config, file: string): boolean =>
  [...contexts.values()].some((context) => context.file === file && urlWithoutPassword(context.url) !== context.url);
