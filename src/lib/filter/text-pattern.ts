/**
 * Regular expressions of JavaScript, as `/re/flags` or alone. They are for patterns of one's own: one that backtracks may
 * take for ever over a single value. Invariant: a value is matched as text, in which each byte that is not UTF-8 is a
 * character of its own, and a test remembers nothing of the one before.
 */
import {decodeName} from '../records/names.js';
import type {RangeTest} from './byte-range.js';

const IN_SLASHES = /^\/(.*)\/([a-zA-Z]*)$/s;
const REPLACEMENT = '\ufffd';
/** g and y go on where the last match ended, and d costs time. */
const FLAGS = /^[imsuv]*$/;

export const isInSlashes = (text: string): boolean => IN_SLASHES.test(text);

/** A test for texts in which the regular expression is found. Throws, in a few words, why it is none. */
export function regexTest(text: string): RangeTest {
  const [, source = text, flags = ''] = IN_SLASHES.exec(text) ?? [];
  if (!FLAGS.test(flags))
    throw new RangeError(`the flags of a regular expression are i, m, s, u and v, not "${flags}"`);
  const regex = compiled(source, flags);
  return (bytes, start, end) => {
    const text = bytes.toString('utf8', start, end);
    // Perhaps for a byte that is not UTF-8.
    return regex.test(text.includes(REPLACEMENT) ? decodeName(bytes.subarray(start, end)) : text);
  };
}

function compiled(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const reason = (error as Error).message.replace(/^Invalid regular expression: /, '').replace(/^\/.*\/\w*: /s, '');
    throw new RangeError(`not a regular expression: ${reason.toLowerCase()}`);
  }
}
