/** Records for filters: names and values that are alike, so that conditions hold for some of them, and hostile ones. */
import fc from 'fast-check';
import {decodeBytes} from '../../../src/lib/records/bytes.js';
import type {Field} from '../../../src/lib/records/entry.js';
import {type RawRecord, RawRecordBatch} from '../../../src/lib/records/raw-record.js';

export const NAMES = [
  'type',
  'a',
  'a.b',
  'a.b.c',
  'data',
  '__proto__',
  'constructor',
  '',
  '%id',
  'a=b',
  '"',
  'ż',
  '\\',
];

/** Numbers as people and machines write them, and texts that are nearly numbers. */
export const numeral = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({min: -(10n ** 40n), max: 10n ** 40n}).map(String),
  fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      fc.stringMatching(/^[019]{0,3}\.?[019]{0,3}$/),
      fc.constantFrom('', 'e2', 'E-3', 'e+1'),
    )
    .map((parts) => parts.join('')),
  fc.constantFrom(
    '9007199254740993',
    '9007199254740992',
    '1e400',
    '-0',
    '0.0',
    '1.0',
    '1',
    '',
    '.',
    '-',
    '1_0',
    ' 1',
    '0x1',
    'NaN',
  ),
);

const key = fc.constantFrom('a', 'b', 'c', 'b.c', '__proto__', '0', '1', '', 'ż', 'q"');

/** JSON as text, with odd spaces, escapes, keys that come twice, and numbers of any length. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{value: string}>((tie) => ({
  value: fc.oneof(
    {maxDepth: 5, withCrossShrink: true},
    fc.constantFrom('true', 'false', 'null', '"a"', '"\\u0061"', '""', '"\\ud800"', '1', '-0.5e1', '9007199254740993'),
    fc.string().map((text) => JSON.stringify(text)),
    fc.array(tie('value'), {maxLength: 3}).map((items) => `[${items.join(' ,')}]`),
    fc
      .array(fc.tuple(key, tie('value')), {maxLength: 4})
      .map((members) => `{ ${members.map(([name, value]) => `${JSON.stringify(name)}\t:\n${value}`).join(',')}}`),
  ),
})).value;

/** The same, and what is nearly JSON. */
export const nearlyJson = fc.oneof(
  {weight: 4, arbitrary: jsonText},
  {
    weight: 1,
    arbitrary: fc
      .tuple(jsonText, fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', '0', ' x'))
      .map(([text, at, odd]) => {
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + odd + text.slice(cut + 1);
      }),
  },
);

export const rawValue: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom('paid', 'open', 'pa', '', 'a|b', 'żółw', '🙂', 'a*b', '1-0').map((text) => Buffer.from(text)),
  numeral.map((text) => Buffer.from(text)),
  nearlyJson.map((text) => Buffer.from(text)),
  fc.uint8Array({maxLength: 6}).map((array) => Buffer.from(array)),
  fc.string({unit: 'binary'}).map((text) => Buffer.from(text)),
);

export const rawName: fc.Arbitrary<Buffer> = fc.oneof(
  {weight: 6, arbitrary: fc.constantFrom(...NAMES).map((name) => Buffer.from(name))},
  {weight: 1, arbitrary: fc.uint8Array({maxLength: 3}).map((array) => Buffer.from(array))},
);

export type RawField = readonly [name: Buffer, value: Buffer];
export const rawFields: fc.Arbitrary<RawField[]> = fc.array(fc.tuple(rawName, rawValue), {maxLength: 5});

export const decoded = (fields: readonly RawField[]): Field[] =>
  fields.map(([name, value]) => [decodeBytes(name), decodeBytes(value)]);

/** A record as it comes from Redis, between others. */
export const rawRecord = (id: string, fields: readonly RawField[]): RawRecord => rawRecords([{id, fields}])[0]!;

/** Records that came together. */
export function rawRecords(entries: readonly {id: string; fields: readonly RawField[]}[]): RawRecord[] {
  const pieces: Buffer[] = [Buffer.from('paid\r\n')];
  const offsets: number[] = [];
  let length = pieces[0]!.length;
  let lastAt = 0;
  const add = (bytes: Buffer): void => {
    const head = Buffer.from(`$${bytes.length}\r\n`);
    offsets.push(length + head.length, length + head.length + bytes.length);
    pieces.push(head, bytes, Buffer.from('\r\n'));
    length += head.length + bytes.length + 2;
  };
  for (const {id, fields} of entries) {
    lastAt = offsets.length;
    add(Buffer.from(id));
    offsets.push(fields.length);
    for (const field of fields) field.forEach(add);
  }
  pieces.push(Buffer.from('"}0]paid'));
  const batch = new RawRecordBatch(Buffer.concat(pieces), Int32Array.from(offsets), {count: entries.length, lastAt});
  return batch.records({stream: 'events'});
}
