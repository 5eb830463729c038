/**
 * Variables by which the runtime of the executable is told to run something else
 * than streamlog, before or beside it. Bun reads them also in what it has built,
 * and there is no way to build it so that it does not. Invariant: where streamlog
 * comes to run at all, it does nothing while one of them is set: what it would
 * do then is not what was typed. That Bun runs nothing of ours at all, as with
 * `BUN_BE_BUN=1` or `BUN_OPTIONS=--version`, cannot be seen from here.
 */
import {StreamlogError} from '../errors.js';

/** https://bun.sh/docs/runtime/env#runtime-environment-variables and https://bun.sh/docs/bundler/executables */
const REACHING_IN = /^BUN_(OPTIONS|INSPECT|INSPECT_CONNECT_TO|INSPECT_NOTIFY|INSPECT_PRELOAD)$/;

/** Throws a configuration failure where `environment` has such a variable, and this is Bun. Empty ones do nothing there. */
export function refuseRuntimeVariables(environment: NodeJS.ProcessEnv): void {
  if (process.versions.bun === undefined) return;
  const name = Object.keys(environment).find((one) => REACHING_IN.test(one) && environment[one] !== '');
  if (name === undefined) return;
  throw new StreamlogError('configuration', `the variable ${name} changes what this program runs`, {
    hint: `unset it: env -u ${name} streamlog …`,
  });
}
