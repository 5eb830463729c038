/** Reads configuration files. Loaded where there is one. Invariant: a file that holds a password and that everyone can read is warned of. */
import {isUtf8} from 'node:buffer';
import {type Config, type ConfigText, readConfig} from '../config/config.js';
import type {ConfigFiles} from '../config/config-files.js';
import {StreamlogError} from '../errors.js';
import {type FileReading, readWholeFile} from '../input/whole-file.js';
import {urlWithoutPassword} from '../redact.js';
import type {CommandIndex} from './command-index.js';
import {warnIfReadable} from './named-file.js';

const MOST_BYTES = 1024 * 1024;

/** What `files` say; `changed` stands for the file of its name. Throws `configuration`. */
export async function readFiles(
  {user, project}: ConfigFiles,
  {commands}: CommandIndex,
  reading: FileReading,
  changed?: ConfigText,
): Promise<Config> {
  const read = async (file: string): Promise<ConfigText> =>
    file === changed?.file ? changed : readText(file, reading);
  const texts: ConfigText[] = [];
  for (const file of user) texts.push(await read(file));
  const config = readConfig(texts, project === undefined ? undefined : await read(project), Object.keys(commands));
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
