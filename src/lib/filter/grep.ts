/** `--grep`: a text, or `/re/flags`, that is part of a name or a value. Invariant: a text is searched for as bytes. */
import {usageError} from '../errors.js';
import {type RangeTest, rangeIncludes} from './byte-range.js';
import type {Condition} from './expression.js';
import type {FieldOffsets} from './field-reference.js';
import {isInSlashes, regexTest} from './text-pattern.js';

const OFFSETS = 2;

/** Throws a usage error. */
export function parseGrep(text: string): Condition {
  if (text === '') throw usageError('--grep takes a text, or /a regular expression/; it is empty');
  return {text, holds: isInSlashes(text) ? withRegex(text) : withText(Buffer.from(text))};
}

function withRegex(text: string): (fields: FieldOffsets) => boolean {
  let test: RangeTest;
  try {
    test = regexTest(text);
  } catch (error) {
    throw usageError(`--grep ${text}: ${(error as Error).message}`);
  }
  return (fields) => somePart(fields, test);
}

/** All parts are searched at once, with what lies between them, and one by one only where that has it. */
function withText(wanted: Buffer): (fields: FieldOffsets) => boolean {
  const test: RangeTest = (bytes, start, end) => rangeIncludes(bytes, start, end, wanted);
  return (fields) => {
    const {bytes, offsets, first, fieldCount} = fields;
    if (fieldCount === 0) return false;
    const end = offsets[first + 2 * OFFSETS * fieldCount - 1]!;
    return test(bytes, offsets[first]!, end) && somePart(fields, test);
  };
}

/** Whether `test` holds for a name or a value. */
function somePart({bytes, offsets, first, fieldCount}: FieldOffsets, test: RangeTest): boolean {
  const end = first + 2 * OFFSETS * fieldCount;
  for (let at = first; at < end; at += OFFSETS) if (test(bytes, offsets[at]!, offsets[at + 1]!)) return true;
  return false;
}
