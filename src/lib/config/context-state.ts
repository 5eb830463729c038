/** The current context and the one before it, in a file of their own, so that the configuration can be one that cannot be written. */
import {mkdirSync, readFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {StreamlogError, systemReason} from '../errors.js';
import {replaceFile} from '../replaced-file.js';

export interface ContextState {
  current: string | undefined;
  previous: string | undefined;
}

/** Throws `configuration` where the file cannot be read. */
export function readContextState(file: string): ContextState {
  try {
    const [current, previous] = readFileSync(file, 'utf8').split('\n');
    return {current: current?.trim() || undefined, previous: previous?.trim() || undefined};
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return {current: undefined, previous: undefined};
    throw new StreamlogError('configuration', `cannot read the current context, ${file}: ${systemReason(code)}`, {
      code,
    });
  }
}

/** Throws `io` where the file cannot be written. */
export async function writeContextState(
  file: string,
  {current = '', previous = ''}: Partial<ContextState>,
): Promise<void> {
  try {
    mkdirSync(dirname(file), {recursive: true, mode: 0o700});
    await replaceFile(file, `${current}\n${previous}\n`);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    throw new StreamlogError('io', `cannot keep the current context in ${file}: ${systemReason(code)}`, {code});
  }
}
