import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {BadJson} from '../../../src/lib/input/bad-json.js';
import {type Member, readMembers} from '../../../src/lib/input/json-members.js';

/** Keys and values that are no trap for JSON.parse, which is the model here. */
const word = fc.string({unit: 'grapheme'});
const {object, withoutNumbers} = fc.letrec((tie) => ({
  value: fc.oneof(
    {maxDepth: 4},
    fc.constantFrom(null, true, false),
    word,
    fc.double({noDefaultInfinity: true, noNaN: true}),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), {maxLength: 4}),
  object: fc.dictionary(word, tie('value'), {maxKeys: 5}),
  plain: fc.oneof({maxDepth: 4}, fc.constantFrom(null, true, false), word, tie('plainArray'), tie('withoutNumbers')),
  plainArray: fc.array(tie('plain'), {maxLength: 4}),
  withoutNumbers: fc.dictionary(word, tie('plain'), {maxKeys: 5}),
})) as {object: fc.Arbitrary<Record<string, unknown>>; withoutNumbers: fc.Arbitrary<Record<string, unknown>>};

const indent = fc.constantFrom('', ' ', '\t', '  ');

function refusal(text: string): BadJson {
  try {
    readMembers(text);
  } catch (error) {
    if (error instanceof BadJson) return error;
    throw error;
  }
  throw new Error(`it was accepted: ${text.slice(0, 100)}`);
}

const accepts = (text: string): boolean => {
  try {
    readMembers(text);
    return true;
  } catch (error) {
    if (error instanceof BadJson) return false;
    throw error;
  }
};

const kindOf = (value: unknown): Member['kind'] =>
  typeof value === 'string' || typeof value === 'number'
    ? (typeof value as 'string' | 'number')
    : typeof value === 'object' && value !== null
      ? 'nested'
      : (String(value) as Member['kind']);

describe('the members of a JSON object', () => {
  it('are what JSON.parse finds, in the order of the text', () => {
    fc.assert(
      fc.property(object, indent, (value, space) => {
        const text = JSON.stringify(value, null, space);
        const members = readMembers(text);
        expect(new Set(members.map(({key}) => key))).toEqual(new Set(Object.keys(value)));
        for (const {key, kind, text: source} of members) {
          const expected = Object.getOwnPropertyDescriptor(value, key)?.value;
          expect(kind).toBe(kindOf(expected));
          if (kind === 'string') expect(source).toBe(expected);
          else expect(JSON.parse(source)).toEqual(JSON.parse(JSON.stringify(expected)));
        }
      }),
    );
  });

  it('keep nested values as compact JSON', () => {
    fc.assert(
      fc.property(withoutNumbers, indent, (value, space) => {
        const [member] = readMembers(JSON.stringify({nested: value}, null, space));
        expect(member?.text).toBe(JSON.stringify(value));
      }),
    );
  });

  it('keep the source text of numbers, nested ones too', () => {
    const sources = ['12345678901234567890', '1.0', '-0', '1e400', '1E+2', '0.10', '-1e-7'];
    const text = `{${sources.map((source, index) => `"${index}": ${source} `)}, "nested": [ ${sources} ]}`;
    expect(readMembers(text).map((member) => member.text)).toEqual([...sources, `[${sources}]`]);
  });

  it('are decoded where they are strings, keys too', () => {
    const [member] = readMembers(String.raw`{"\u0041\n\"\\\/\ud83d\ude42":"\u0000\t\b"}`);
    expect(member).toMatchObject({key: 'A\n"\\/🙂', kind: 'string', text: '\0\t\b'});
  });

  it('may be named like what an object inherits', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''];
    expect(readMembers(`{${names.map((name) => `"${name}":"v"`)}}`).map(({key}) => key)).toEqual(names);
  });

  it('know the column where their value begins', () => {
    expect(readMembers('{"a":1, "bc" : "x"}').map(({column}) => column)).toEqual([6, 16]);
  });
});

describe('a text that is no JSON object', () => {
  it('is refused exactly where JSON.parse refuses it', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      ' ',
      '\n',
      '0',
      '-',
      '1.',
      'e',
      'true',
      'nul',
      '\u0000',
      '"a"',
      '"\\u12',
      'NaN',
      '\ufeff',
      "'",
      '/**/',
    );
    const edit = fc.record({
      at: fc.double({min: 0, max: 1, noNaN: true}),
      remove: fc.nat({max: 3}),
      insert: fc.oneof(fc.constant(''), pieces),
    });
    fc.assert(
      fc.property(object, indent, fc.array(edit, {maxLength: 3}), (value, space, edits) => {
        let text = JSON.stringify(value, null, space);
        for (const {at, remove, insert} of edits) {
          const place = Math.floor(at * (text.length + 1));
          text = text.slice(0, place) + insert + text.slice(place + remove);
        }
        let parsed: unknown;
        try {
          parsed = JSON.parse(text);
        } catch {
          expect(accepts(text)).toBe(false);
          return;
        }
        const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
        if (accepts(text)) expect(isObject).toBe(true);
        else if (isObject) expect(refusal(text).message).toMatch(/twice|surrogate/);
      }),
      {numRuns: 2_000},
    );
  });

  it('keeps half a surrogate pair in a nested value, whose text is ASCII there', () => {
    const nested = '{"\\ud800":["\\uDC00\\ud83d", "x"]}';
    const [member] = readMembers(`{"a": ${nested}}`);
    expect(member).toMatchObject({kind: 'nested', text: nested.replace(' ', '')});
  });

  it.each([
    ['{"a":1,}', 8, 'expected a key in double quotes'],
    ['{"a":NaN}', 6, 'expected a value'],
    ['{"a":+1}', 6, 'expected a value'],
    ['{"a":01}', 7, 'expected , or }'],
    ['{"a":.5}', 6, 'expected a value'],
    ['{"a" 1}', 6, 'expected : after a key'],
    ['{"a":1}{"b":2}', 8, 'expected the end of the line after the object'],
    ['{"a":1', 7, 'expected , or }, but the line ends'],
    ['{"a":"x', 6, 'a string does not end'],
    ['{"a":"x\\', 6, 'a string does not end'],
    ['{"a":"\\x"}', 6, 'a string has an unknown escape'],
    ['{"a":"\t"}', 7, 'a control character in a string must be escaped'],
    ['{"a":"\\ud800"}', 6, 'half a surrogate pair cannot be stored as UTF-8'],
    ['{"\\udc00":1}', 2, 'half a surrogate pair cannot be stored as UTF-8'],
    ['{"a":["\\udc0"]}', 7, 'a string has an unknown escape'],
    ['{"a":1, "b":2, "a":3}', 16, 'the same key comes twice'],
    ['{a:1}', 2, 'expected a key in double quotes'],
    ['[1]', 1, 'a record is a JSON object'],
    ['null', 1, 'a record is a JSON object'],
    ['', 1, 'it is empty'],
  ])('is refused with the column: %s', (text, column, reason) => {
    const {message, column: found} = refusal(text);
    expect(message).toContain(reason);
    expect(found).toBe(column);
  });

  it('is never quoted in the reason, which may end up in a log', () => {
    expect(refusal('{"password":"s3cret", oops}').message).not.toMatch(/s3cret|oops/);
  });
});

describe('depth', () => {
  const nested = (depth: number, open: string, close: string): string =>
    `{"a":${open.repeat(depth)}1${close.repeat(depth)}}`;

  it('ends at 256, the object itself included', () => {
    expect(readMembers(nested(255, '[', ']'))).toHaveLength(1);
    expect(readMembers(nested(255, '{"b":', '}'))).toHaveLength(1);
    expect(refusal(nested(256, '[', ']')).message).toContain('nested more than 256 deep');
    expect(refusal(nested(256, '{"b":', '}')).message).toContain('nested more than 256 deep');
  });

  it('is no way to exhaust the stack', () => {
    expect(refusal(`{"a":${'['.repeat(5_000_000)}`).message).toContain('deep');
    expect(refusal(`{"a":${'{"b":'.repeat(1_000_000)}`).message).toContain('deep');
  });

  it('does not count what stands side by side', () => {
    expect(readMembers(`{"a":[${'[],'.repeat(10_000)}[]]}`)).toHaveLength(1);
  });
});
