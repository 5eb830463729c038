/** Files that flags and variables name: certificates, passwords, tokens, keys. A secret that every user can read is warned of. */
import {statSync} from 'node:fs';
import {isFailure, StreamlogError} from '../errors.js';
import {type FileReading, readWholeFile} from '../input/whole-file.js';

const READABLE_BY_ALL = 0o004;

/** The text of a file. Throws a configuration failure. */
export async function readNamedFile(path: string, reading: FileReading): Promise<string> {
  try {
    return (await readWholeFile(path, reading)).toString('utf8');
  } catch (error) {
    if (!isFailure(error, 'io')) throw error;
    throw new StreamlogError('configuration', error.message, {code: error.code});
  }
}

/** The text of a file with a secret. Throws a configuration failure; warns if every user can read the file. */
export async function readPrivateFile(path: string, reading: FileReading): Promise<string> {
  const text = await readNamedFile(path, reading);
  warnIfReadable(path, reading);
  return text;
}

/** Warns if every user can read the file at `path`, which holds a secret. */
export function warnIfReadable(path: string, reading: FileReading): void {
  const mode = statSync(path, {throwIfNoEntry: false})?.mode ?? 0;
  if ((mode & READABLE_BY_ALL) !== 0)
    reading.warn(`every user of this machine can read ${path}; make it private with chmod 600 or 640`);
}

/** The same, without line ends at the end. */
export const readPasswordFile = async (path: string, reading: FileReading): Promise<string> =>
  (await readPrivateFile(path, reading)).replace(/[\r\n]+$/, '');
