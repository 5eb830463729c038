/** What property tests draw from: IDs near every edge, and the strings that people and attackers put into streams. */
import fc from 'fast-check';
import {type Bytes, decodeBytes} from '../../src/lib/records/bytes.js';
import type {Field, StreamRecord} from '../../src/lib/records/entry.js';

const MAX_PART = 2n ** 64n - 1n;

const idPart = fc.oneof(
  fc.bigInt({min: 0n, max: MAX_PART}),
  fc.bigInt({min: 0n, max: 3n}),
  fc.bigInt({min: MAX_PART - 3n, max: MAX_PART}),
  fc.constantFrom(2n ** 53n, 2n ** 53n + 1n, 9n, 10n, 99n, 100n),
);

export const idParts = fc.tuple(idPart, idPart);
export const streamId = idParts.map(([ms, sequence]) => `${ms}-${sequence}`);

/** Any text, and often the kind that breaks things. */
export const text = fc.oneof(
  fc.string({unit: 'binary'}),
  fc.string(),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'toString',
    '1',
    '0',
    '"',
    '\\',
    'a\u0000b',
    '\ufeffbom',
    '🙂',
    '\u202e',
  ),
);

export const rawBytes = fc.uint8Array({maxLength: 40}).map((array) => Buffer.from(array));

/** What a Redis string comes out as: text mostly, else bytes that are not UTF-8. */
export const bytes: fc.Arbitrary<Bytes> = fc.oneof({weight: 3, arbitrary: text}, rawBytes.map(decodeBytes));

export const fields: fc.Arbitrary<Field[]> = fc.array(fc.tuple(bytes, bytes), {maxLength: 6});

export const record: fc.Arbitrary<StreamRecord> = fc.record(
  {stream: text, id: streamId, fields, group: text, consumer: text, deliveries: fc.nat()},
  {requiredKeys: ['stream', 'id', 'fields']},
);
