/** Files that hold a secret. Invariant: one that everybody on this machine may read is not taken without a word. */
import {statSync} from 'node:fs';
import {readNamedFile} from './environment.js';

const READABLE_BY_ALL = 0o004;

/** The text of a file with a secret. Throws a configuration failure; `warn` is told where everybody may read it. */
export function readPrivateFile(path: string, warn: (text: string) => void): string {
  const text = readNamedFile(path);
  const mode = statSync(path, {throwIfNoEntry: false})?.mode ?? 0;
  if ((mode & READABLE_BY_ALL) !== 0)
    warn(`everybody on this machine can read ${path}; chmod 600 or 640 would keep it`);
  return text;
}
