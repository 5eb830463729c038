/** Records for property tests, in both forms in which they are encoded. */
import fc from 'fast-check';
import type {Field} from '../../../src/lib/records/entry.js';
import type {EntryFields} from '../../../src/lib/records/raw-fields.js';

/** Any bytes, around the lengths at which the writer does something else, and text that is no Unicode. */
const value = fc.oneof(
  fc.uint8Array({maxLength: 40}).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(0, 9, 10, 31, 32, 33, 99, 100, 999).map((length) => Buffer.alloc(length, 'é')),
  fc.string({unit: 'binary'}),
  fc.constantFrom('', '\r\n', '$3\r\n', '\0', '\ud800', 'a\udc00b', '🙂'),
);

export const pairs = fc.array(fc.tuple(value, value), {minLength: 1, maxLength: 6});

/** What Redis has to read, as `readCommands` has it. */
export const partsOf = (fields: readonly Field[]): string[] =>
  fields.flat().map((part) => Buffer.from(part).toString('latin1'));

/** The same fields as places in one piece of memory, with other bytes around them. */
export function marked(fields: readonly Field[]): EntryFields {
  const parts = fields.flat().map((part) => Buffer.from(part));
  const marks: number[] = [];
  const pieces: Buffer[] = [];
  let length = 0;
  for (const part of parts) {
    pieces.push(Buffer.from('"'), part, Buffer.from('":'));
    marks.push(length + 1, length + 1 + part.length);
    length += part.length + 3;
  }
  return {bytes: Buffer.concat(pieces), offsets: Int32Array.from(marks), fieldCount: fields.length};
}
