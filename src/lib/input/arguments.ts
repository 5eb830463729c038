/**
 * `field=value` on the command line → fields. The first `=` divides, so a value
 * may hold more of them; `field=@path` takes the value from a file, and
 * `field=@@text` is the way to write a value that begins with an @.
 */
import {readFileSync} from 'node:fs';
import {decodeBytes} from '../bytes.js';
import type {Field} from '../entry.js';
import {StreamlogError, usageError} from '../errors.js';

/** Throws a usage error for an argument without `=`, `io` for a file that cannot be read. */
export const readFieldArguments = (args: readonly string[]): Field[] => args.map(readFieldArgument);

function readFieldArgument(arg: string): Field {
  const equals = arg.indexOf('=');
  if (equals === -1) {
    throw usageError(
      `"${arg}" is no field=value`,
      'write streamlog produce type=login user=7, or pipe NDJSON lines in',
    );
  }
  const name = arg.slice(0, equals);
  const value = arg.slice(equals + 1);
  if (value.startsWith('@@')) return [name, value.slice(1)];
  return [name, value.startsWith('@') ? readFile(value.slice(1)) : value];
}

function readFile(path: string): Field[1] {
  try {
    return decodeBytes(readFileSync(path));
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    throw new StreamlogError('io', `cannot read ${path}: ${code ?? 'unknown error'}`, {
      code,
      hint: 'a value that begins with @ is written as field=@@value',
    });
  }
}
