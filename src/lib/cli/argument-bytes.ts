/**
 * Arguments and variables as the system has them: bytes. Both runtimes hand over
 * text, in which each byte that is not UTF-8 has become U+FFFD, and so another
 * stream, group or value than what was typed. Invariant: nothing that was changed
 * on its way to us is taken for what was meant; where the system does not show the
 * bytes (elsewhere than on Linux), a U+FFFD is believed.
 */
import {isUtf8} from 'node:buffer';
import {readFileSync} from 'node:fs';
import {StreamlogError, usageError} from '../errors.js';

const REPLACED = '\ufffd';

/** Throws a usage error for an argument of `argv` whose bytes are not UTF-8, and a configuration failure for such a STREAMLOG variable. */
export function refuseChangedText(argv: readonly string[], environment: NodeJS.ProcessEnv): void {
  const at = argv.findIndex((argument) => argument.includes(REPLACED));
  if (at !== -1 && isChanged('/proc/self/cmdline', (all) => all.at(at - argv.length)))
    throw usageError(
      `argument ${at + 1} is not valid UTF-8`,
      'give a value of any bytes as field=@FILE, and a name of any bytes as {"$b64":"…"}',
    );
  for (const [name, value] of Object.entries(environment)) {
    if (!/^(STREAMLOG|REDIS)_/.test(name) || value?.includes(REPLACED) !== true) continue;
    const start = `${name}=`;
    if (isChanged('/proc/self/environ', (all) => all.find((one) => one.toString('latin1').startsWith(start))))
      throw new StreamlogError('configuration', `the variable ${name} is not valid UTF-8`);
  }
}

/** Whether what `which` finds among the strings of `file` is not UTF-8. */
function isChanged(file: string, which: (all: Buffer[]) => Buffer | undefined): boolean {
  try {
    const found = which(splitAtNul(readFileSync(file)));
    return found !== undefined && !isUtf8(found);
  } catch {
    return false;
  }
}

/** Each string ends with a NUL. */
function splitAtNul(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0, end = bytes.indexOf(0); end !== -1; start = end + 1, end = bytes.indexOf(0, start))
    parts.push(bytes.subarray(start, end));
  return parts;
}
