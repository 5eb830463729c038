/** The server that `local start` and `demo` run: the Redis or Valkey of the system. */
import {accessSync, constants, statSync} from 'node:fs';
import {delimiter, resolve} from 'node:path';
import {StreamlogError} from '../errors.js';
import {environment} from './environment.js';

const NAMES = ['redis-server', 'valkey-server'];

/** The absolute path of the first server program on PATH. Throws `configuration` if there is none. */
export function serverProgram(): string {
  const directories = (environment().PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const found = NAMES.flatMap((name) => directories.map((directory) => resolve(directory, name))).find(isProgram);
  if (found !== undefined) return found;
  throw new StreamlogError('configuration', 'there is no redis-server or valkey-server on the path', {
    hint: 'install it: apt-get install redis-server, dnf install valkey, apk add valkey, or brew install redis',
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
