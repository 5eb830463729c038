import fc from 'fast-check';
import {expect, it} from 'vitest';
import {escapeForTerminal} from '../../../src/lib/output/sanitize.js';
import {
  decodeName,
  encodeName,
  factsToJson,
  nameFromJson,
  nameFromText,
  nameToJson,
} from '../../../src/lib/records/names.js';

/** Whole characters, halves of them, and bytes that belong to none. */
const rawName = fc
  .array(
    fc.oneof(
      fc.uint8Array({minLength: 1, maxLength: 4}).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('a', 'é', '€', '🙂', '{"$b64":"AA=="}').map((text) => Buffer.from(text)),
      fc.constantFrom('🙂', '€').map((text) => Buffer.from(text).subarray(0, 2)),
      // What UTF-8 would make of U+DC80, and an overlong slash.
      fc.constantFrom(Buffer.from('edb280', 'hex'), Buffer.from('c0af', 'hex')),
    ),
    {minLength: 1, maxLength: 6},
  )
  .map((parts) => Buffer.concat(parts));

it('a name keeps its bytes, and names that differ stay different', () => {
  fc.assert(
    fc.property(rawName, rawName, (a, b) => {
      expect(Buffer.from(encodeName(decodeName(a)))).toEqual(a);
      expect(decodeName(a) === decodeName(b)).toBe(a.equals(b));
      expect(decodeName(Buffer.concat([a, Buffer.from('-'), b]))).toBe(`${decodeName(a)}-${decodeName(b)}`);
    }),
    {numRuns: 500},
  );
});

it('what output says of a name is read back as the same name, in a record and as an argument', () => {
  fc.assert(
    fc.property(rawName, (raw) => {
      const name = decodeName(raw);
      expect(nameFromJson(JSON.parse(nameToJson(name)))).toBe(name);
      expect(JSON.parse(factsToJson({name}))).toEqual({name: JSON.parse(nameToJson(name))});
      if (typeof encodeName(name) !== 'string') expect(nameFromText(nameToJson(name))).toBe(name);
    }),
    {numRuns: 500},
  );
});

it('a number beyond those of JavaScript is written with all its digits', () => {
  const text = '\\udbff7';
  expect(factsToJson({most: 2n ** 63n - 1n, least: -(2n ** 63n), few: 3, text})).toBe(
    `{"most":9223372036854775807,"least":-9223372036854775808,"few":3,"text":${JSON.stringify(text)}}`,
  );
});

it('text is a name as it stands', () => {
  for (const text of ['events', '🙂', '{"a":1}', '{"$b64":"not base64!"}', '{"$b64":', '{tag}:a'])
    expect(nameFromText(text)).toBe(text);
});

it('what is no name is refused', () => {
  for (const value of ['\udc80', 'a\ud83d', 7, null, undefined, {}, [], {$b64: 7}, {$b64: 'AA==', b: 1}])
    expect(nameFromJson(value)).toBeUndefined();
  expect(nameFromText('')).toBeUndefined();
});

it('what is text in a name stays text beside bytes that are not', () => {
  // The first and the last characters of each length.
  const text = 'a\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}';
  expect(decodeName(Buffer.concat([Buffer.from([0xff]), Buffer.from(text)]))).toBe(`\udcff${text}`);
});

it('a person sees which bytes are not text', () => {
  expect(escapeForTerminal(decodeName(Buffer.from([0x61, 0xff, 0x1b, 0x80])))).toBe('a\\xff\\x1b\\x80');
});
