/**
 * What is refused before anything is done: arguments and variables that are not what was typed,
 * and variables that make Bun run something else. Invariant: a value that changed on its way
 * here is never used.
 */
import {isUtf8} from 'node:buffer';
import {readFileSync} from 'node:fs';
import {StreamlogError, usageError} from '../errors.js';

/**
 * Both runtimes replace bytes that are not UTF-8 (nodejs/node#43672, nodejs/node#16961), which
 * makes another stream, group or value. /proc has the bytes; elsewhere than on Linux, a U+FFFD
 * is taken as it is.
 */
const REPLACED = '\ufffd';

/** Throws a usage error for an argument whose bytes are not UTF-8, and a configuration failure for such a variable of ours. */
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

/** Whether the string of `file` that `which` selects is not UTF-8; false if the file cannot be read. */
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

/**
 * Variables that Bun reads before our code, also in an executable:
 * https://bun.sh/docs/runtime/env#runtime-environment-variables and https://bun.sh/docs/bundler/executables.
 * With `BUN_BE_BUN=1` or `BUN_OPTIONS=--version`, nothing of ours runs, so that cannot be refused.
 */
const BUN_VARIABLES = /^BUN_(OPTIONS|INSPECT|INSPECT_CONNECT_TO|INSPECT_NOTIFY|INSPECT_PRELOAD)$/;

/** Throws a configuration failure if such a variable is set and not empty, and this is Bun. */
export function refuseRuntimeVariables(environment: NodeJS.ProcessEnv): void {
  if (process.versions.bun === undefined) return;
  const name = Object.keys(environment).find((one) => BUN_VARIABLES.test(one) && environment[one] !== '');
  if (name === undefined) return;
  throw new StreamlogError('configuration', `the variable ${name} changes what this program runs`, {
    hint: `unset it: env -u ${name} streamlog …`,
  });
}
