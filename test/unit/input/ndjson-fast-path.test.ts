import {isUtf8} from 'node:buffer';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {NdjsonFastPath} from '../../../src/lib/input/ndjson-fast-path.js';
import {readJsonFields} from '../../../src/lib/input/record-fields.js';
import type {Field} from '../../../src/lib/records/entry.js';
import {text} from '../arbitraries.js';

const fastPath = new NdjsonFastPath();

/** The fields that the scanner finds in a line, undefined where it refuses. What follows would end any line that is cut off. */
function scan(line: Uint8Array | string): readonly Field[] | undefined {
  const before = Buffer.from('{"type":"before"}\n');
  const bytes = Buffer.concat([before, Buffer.from(line as string), Buffer.from('\n"]}\n"}\n')]);
  const end = fastPath.scan(bytes, before.length);
  if (end === -1) return undefined;
  expect(end).toBe(bytes.indexOf('\n', before.length));
  return fastPath.record.fields;
}

/** What json-members.ts and its callers make of the line, undefined where they refuse. */
function readGenerally(line: Uint8Array): readonly Field[] | undefined {
  if (!isUtf8(line)) return undefined;
  try {
    return readJsonFields(Buffer.from(line).toString());
  } catch {
    return undefined;
  }
}

/** Fails where the scanner takes a line and the general reader refuses it or finds something else. */
function expectOneMeaning(line: Buffer): boolean {
  const found = isUtf8(line) && !line.includes('\n') ? scan(line) : undefined;
  if (found !== undefined) expect(found).toEqual(readGenerally(line));
  return found !== undefined;
}

/** JSON as people and programs write it: of any shape, with space at some places, and with some characters escaped. */
const json = fc
  .record({
    value: fc.dictionary(
      fc.oneof(text, fc.constantFrom('a', 'b', 'aa', 'ab')),
      fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.jsonValue()),
      {maxKeys: 8},
    ),
    indent: fc.constantFrom('', '', '', ' ', '\t'),
    escaped: fc.constantFrom(/\0/g, /[^\0-\x7f]/gu, /e/g),
  })
  .map(({value, indent, escaped}) =>
    JSON.stringify(value, null, indent)
      .replaceAll('\n', indent)
      .replace(escaped, (character) =>
        [...Array(character.length).keys()]
          .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
          .join(''),
      ),
  );

/** One byte taken away, put in or changed, mostly to one that means something in JSON. */
const mutation = fc.record({
  at: fc.nat(),
  removed: fc.integer({min: 0, max: 2}),
  put: fc.oneof(
    fc.constantFrom(...'"\\{}[]:,-+.eE0129tfnu \t\r'.split('').map((character) => character.charCodeAt(0))),
    fc.integer({min: 0, max: 255}),
  ),
});

function mutate(line: Buffer, {at, removed, put}: {at: number; removed: number; put: number}): Buffer {
  const place = at % (line.length + 1);
  return Buffer.concat([line.subarray(0, place), Buffer.of(put), line.subarray(place + removed)]);
}

describe('one meaning: what the scanner takes, the general reader finds as well', () => {
  it('in JSON of any shape', () => {
    fc.assert(
      fc.property(json, (line) => {
        expectOneMeaning(Buffer.from(line));
      }),
      {numRuns: 1_000},
    );
  });

  it('in JSON with a few bytes changed', () => {
    fc.assert(
      fc.property(json, fc.array(mutation, {minLength: 1, maxLength: 3}), (line, mutations) => {
        expectOneMeaning(mutations.reduce(mutate, Buffer.from(line)));
      }),
      {numRuns: 5_000},
    );
  });

  it('in bytes of JSON in any order', () => {
    const tokens = '{ } [ ] : , "a" "b" "" 1 - 0 . e E+ true null \\ " \\u d800 \\"'.split(' ');
    const token = fc.constantFrom(' ', ...tokens);
    fc.assert(
      fc.property(fc.array(token, {maxLength: 12}), (parts) => {
        expectOneMeaning(Buffer.from(`{"a":${parts.join('')}`));
        expectOneMeaning(Buffer.from(parts.join('')));
      }),
      {numRuns: 5_000},
    );
  });

  it('in every number that is one, and some that are none', () => {
    for (const number of ['0', '-0', '10', '1.0', '0.5e+7', '1E9', '-1e-9', '12345678901234567890']) {
      expect(scan(`{"n":${number}}`)).toEqual([['n', number]]);
    }
    for (const none of ['', '-', '+1', '01', '-01', '.5', '1.', '1.e1', '1e', '1e+', '0x1', 'NaN', 'Infinity', '1_0']) {
      expect(scan(`{"n":${none}}`)).toBeUndefined();
      expect(readGenerally(Buffer.from(`{"n":${none}}`))).toBeUndefined();
    }
  });

  it('up to the depth that is allowed', () => {
    const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(scan(nested(255))).toEqual(readGenerally(Buffer.from(nested(255))));
    expect(scan(nested(256))).toBeUndefined();
    expect(readGenerally(Buffer.from(nested(256)))).toBeUndefined();
  });
});

describe('the scanner takes', () => {
  it.each<[string, string, Field[]]>([
    [
      'strings, of which it keeps every character',
      '{"a":"\ufeffé🙂\u2028 \u007f","":""}',
      [
        ['a', '\ufeffé🙂\u2028 \u007f'],
        ['', ''],
      ],
    ],
    [
      'strings with escapes, among others',
      '{"a":"\\u0041\\u00e9\\u20ac\\ud7ff\\ufeff","b":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000x","c":["\\n"],"d":"plain","e":"\\\\"}',
      [
        ['a', 'A\u00e9\u20ac\ud7ff\ufeff'],
        ['b', '"\\/\b\f\n\r\t\u0000x'],
        ['c', '["\\n"]'],
        ['d', 'plain'],
        ['e', '\\'],
      ],
    ],
    [
      'numbers and words as they are written',
      '{"a":1.50,"b":true,"c":false}',
      [
        ['a', '1.50'],
        ['b', 'true'],
        ['c', 'false'],
      ],
    ],
    [
      'nested values that are compact',
      '{"a":{"x":[1,null,"\\n \\u00e9",{}],"x":2},"b":[]}',
      [
        ['a', '{"x":[1,null,"\\n \\u00e9",{}],"x":2}'],
        ['b', '[]'],
      ],
    ],
    [
      'space between its tokens',
      ' {\t"a" :\t1 , "b": "2" } \t\r',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    [
      'names that begin or end alike',
      '{"id":1,"uid":2,"i":3,"ix":4,"__proto__":5}',
      [
        ['id', '1'],
        ['uid', '2'],
        ['i', '3'],
        ['ix', '4'],
        ['__proto__', '5'],
      ],
    ],
  ])('%s', (_, line, fields) => {
    expect(scan(line)).toEqual(fields);
    expect(readGenerally(Buffer.from(line))).toEqual(fields);
  });

  it('most of what programs write, or it would be of no use', () => {
    const flat = fc.dictionary(
      fc.stringMatching(/^[a-z_]{1,12}$/),
      fc.oneof(fc.stringMatching(/^[^"\\\0-\x1f\ud800-\udfff]*$/), fc.integer(), fc.boolean()),
      {minKeys: 1, maxKeys: 40},
    );
    fc.assert(fc.property(flat, (object) => expectOneMeaning(Buffer.from(JSON.stringify(object)))));
  });
});

describe('the scanner leaves to others', () => {
  const many = (count: number): string =>
    `{${Array.from({length: count}, (_, index) => `"field${index}":${index}`).join(',')}}`;

  it.each([
    ['an escape that there is not', '{"a":"\\x41"}'],
    ['a surrogate that is escaped in a string', '{"a":"\\ud83d\\ude00"}'],
    ['an escape in a name', '{"\\u0041":1}'],
    ['null', '{"a":null}'],
    ['an object without fields', '{}'],
    ['a key that comes twice', '{"a":1,"b":2,"a":3}'],
    ['space in a nested value', '{"a":[1, 2]}'],
    ['a surrogate that is escaped', '{"a":["\\ud83d\\ude00"]}'],
    ['more fields than it has room for', many(65)],
    ['a long line that it would have to copy', `{"a":"\\n${'x'.repeat(1024 * 1024)}"}`],
    ['a long name', `{"${'x'.repeat(129)}":1}`],
    ['an array', '[{"a":1}]'],
    ['text behind the object', '{"a":1}x'],
    ['a control character', '{"a":"\u0000"}'],
    ['a control character in a nested string', '{"a":["\u0000"]}'],
    ['a string that does not end', '{"a":"'],
    ['a nested string that does not end', '{"a":["'],
    ['an empty line', ''],
  ])('%s', (_, line) => {
    expect(scan(line)).toBeUndefined();
  });

  it('nothing that has just the size it has room for', () => {
    expect(scan(many(64))).toHaveLength(64);
    expect(scan(`{"${'x'.repeat(128)}":1}`)).toHaveLength(1);
  });
});
