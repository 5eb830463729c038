/**
 * Names with wildcards: `*` stands for any text, `?` for one character, all
 * else for itself. Works in time proportional to pattern times name at worst,
 * since the names may be chosen by an attacker.
 */
import {usageError} from './errors.js';

/**
 * A function that says whether a name matches. Throws a usage error for `[` and
 * `\`, which other globs give a meaning that this one does not have.
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  if (/[[\\]/.test(pattern)) throw usageError('a stream pattern knows the wildcards * and ? only');
  const wanted = [...pattern];
  return (name) => matches(wanted, [...name]);
}

function matches(wanted: readonly string[], name: readonly string[]): boolean {
  let at = 0;
  // The last star seen, and how much of the name it has taken: what to change when the rest does not fit.
  let star = -1;
  let taken = 0;
  for (let index = 0; index < name.length; ) {
    if (wanted[at] === '*') {
      star = at++;
      taken = index;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === name[index])) {
      at++;
      index++;
    } else if (star !== -1) {
      at = star + 1;
      index = ++taken;
    } else return false;
  }
  while (wanted[at] === '*') at++;
  return at === wanted.length;
}
