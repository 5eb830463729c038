/** `--grep`: a text, or `/re/flags`, that is part of a name or a value. Invariant: a text is searched for as bytes. */
import {usageError} from '../errors.js';
import type {RangeTest} from './byte-range.js';
import type {Condition} from './expression.js';
import type {FieldOffsets} from './field-reference.js';
import {isInSlashes, regexTest} from './text-pattern.js';

/** Of each name and each value. */
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
  return (fields) => {
    const {bytes, offsets, first} = fields;
    const end = endOf(fields);
    for (let at = first; at < end; at += OFFSETS) if (test(bytes, offsets[at]!, offsets[at + 1]!)) return true;
    return false;
  };
}

/**
 * All parts are searched at once, with what lies between them, and so are the records of a page: where the text comes next
 * is known for all of them up to there.
 */
function withText(wanted: Buffer): (fields: FieldOffsets) => boolean {
  let page: unknown;
  // From here on there is none before `next`.
  let from = 0;
  let next = -1;
  return (fields) => {
    const {bytes, offsets, first, fieldCount} = fields;
    if (fieldCount === 0) return false;
    const start = offsets[first]!;
    const end = offsets[endOf(fields) - 1]!;
    const isKnown = fields.page !== undefined && fields.page === page && from <= start && start <= next;
    let found = isKnown ? next : indexOf(bytes, wanted, start);
    if (!isKnown) from = start;
    page = fields.page;
    for (let at = first; found < end; ) {
      while (offsets[at + 1]! < found + wanted.length && at < endOf(fields) - OFFSETS) at += OFFSETS;
      next = found;
      if (found >= offsets[at]! && found + wanted.length <= offsets[at + 1]!) return true;
      found = indexOf(bytes, wanted, found + 1);
    }
    next = found;
    return false;
  };
}

function indexOf(bytes: Buffer, wanted: Buffer, from: number): number {
  const found = bytes.indexOf(wanted, from);
  return found === -1 ? Number.POSITIVE_INFINITY : found;
}

/** Behind the offsets of the last field. */
const endOf = ({first, fieldCount}: FieldOffsets): number => first + 2 * OFFSETS * fieldCount;
