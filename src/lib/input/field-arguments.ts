/**
 * Arguments on the command line → the fields of a record: one JSON object, or
 * `field=value`. The first `=` divides, so a value may hold more of them; `field=@path`
 * takes the value from a file, and `field=@@text` is a value that begins with an @.
 */

import {isFailure, StreamlogError, usageError, wrongWord} from '../errors.js';
import {decodeBytes} from '../records/bytes.js';
import type {Field} from '../records/entry.js';
import {type FileReading, readWholeFile} from './whole-file.js';

/**
 * Throws a usage error for an argument without `=`, `io` for a file that cannot be read, InputCut when one was waited for
 * until `reading.stopping` was aborted.
 */
export async function readFieldArguments(args: readonly string[], reading: FileReading): Promise<Field[]> {
  const fields: Field[] = [];
  // In turn: the same pipe may be named twice.
  for (const arg of args) fields.push(await readFieldArgument(arg, reading));
  return fields;
}

/** How a JSON object begins, and no name of a field does. */
const JSON_OBJECT = /^\s*\{\s*(?:["}]|$)/;

/** True for arguments that are one JSON object. Throws a usage error where there is one among others. */
export function isJsonArgument(args: readonly string[]): boolean {
  if (!args.some((arg) => JSON_OBJECT.test(arg))) return false;
  if (args.length === 1) return true;
  const [all, several] = [args.every((arg) => JSON_OBJECT.test(arg)), `'%s\\n' '{...}' '{...}'`];
  if (all)
    throw usageError('give one JSON object as an argument', `pipe several: printf ${several} | streamlog produce`);
  throw usageError('give one JSON object or field=value arguments, not both');
}

async function readFieldArgument(arg: string, reading: FileReading): Promise<Field> {
  const equals = arg.indexOf('=');
  if (equals === -1) {
    throw wrongWord(
      arg,
      `"${arg}" is not field=value`,
      'write streamlog produce type=login user=7, or pipe NDJSON lines in',
    );
  }
  const name = arg.slice(0, equals);
  const value = arg.slice(equals + 1);
  if (value.startsWith('@@')) return [name, value.slice(1)];
  return [name, value.startsWith('@') ? await readFile(value.slice(1), reading) : value];
}

async function readFile(path: string, reading: FileReading): Promise<Field[1]> {
  try {
    return decodeBytes(await readWholeFile(path, reading));
  } catch (error) {
    if (!isFailure(error, 'io')) throw error;
    throw new StreamlogError('io', error.message, {
      code: error.code,
      hint: 'a value that begins with @ is written as field=@@value',
    });
  }
}
