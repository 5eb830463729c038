/**
 * Files that the configuration names: certificates, passwords, tokens, keys.
 * Invariant: one that holds a secret and that everybody on this machine may read
 * is not taken without a word.
 */
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

/** The text of a file with a secret. Throws a configuration failure; `warn` is told where everybody may read it. */
export async function readPrivateFile(path: string, reading: FileReading): Promise<string> {
  const text = await readNamedFile(path, reading);
  const mode = statSync(path, {throwIfNoEntry: false})?.mode ?? 0;
  if ((mode & READABLE_BY_ALL) !== 0)
    reading.warn(`everybody on this machine can read ${path}; chmod 600 or 640 would keep it`);
  return text;
}

/** The same, without the line ends behind it. */
export const readPasswordFile = async (path: string, reading: FileReading): Promise<string> =>
  (await readPrivateFile(path, reading)).replace(/[\r\n]+$/, '');
