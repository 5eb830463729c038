import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {BadJson} from '../../../src/lib/input/bad-json.js';
import {readJsonArray, readJsonFields} from '../../../src/lib/input/record-fields.js';
import type {Field} from '../../../src/lib/records/entry.js';

function read(json: string): Field[][] {
  const records: Field[][] = [];
  readJsonArray(json, (fields) => records.push(fields));
  return records;
}

/** Why and where `json` is refused, and how many records came before. */
function refusal(json: string): {reason: string; column: number; before: number} {
  let before = 0;
  try {
    readJsonArray(json, () => before++);
  } catch (error) {
    if (error instanceof BadJson) return {reason: error.message, column: error.column, before};
    throw error;
  }
  throw new Error('it was accepted');
}

describe('an array of records', () => {
  it('keeps the source text of numbers, which JSON.parse would change', () => {
    expect(read(' [ {"n":12345678901234567890, "m":1.0} ,\n{"n":1e400}] ')).toEqual([
      [
        ['n', '12345678901234567890'],
        ['m', '1.0'],
      ],
      [['n', '1e400']],
    ]);
  });

  it('reads each element as it would be read alone', () => {
    const objects = fc.array(
      fc.dictionary(fc.string({unit: 'grapheme', minLength: 1}), fc.string({unit: 'grapheme'}), {minKeys: 1}),
    );
    fc.assert(
      fc.property(objects, fc.constantFrom('', ' ', '\n\t'), (elements, space) => {
        const texts = elements.map((element) => JSON.stringify(element));
        const array = `[${space}${texts.join(`${space},${space}`)}${space}]`;
        expect(read(array)).toEqual(texts.map((text) => readJsonFields(text)));
      }),
    );
  });

  it('may be empty', () => {
    expect(read('[]')).toEqual([]);
    expect(read(' [ ] ')).toEqual([]);
  });

  it('takes __proto__ for a field like any other', () => {
    expect(read('[{"__proto__":"x","constructor":"y"}]')).toEqual([
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ],
    ]);
  });

  it.each([
    ['a number among the records', '[{"a":1},2]', 'a record is a JSON object: {"field":"value"}', 10, 1],
    ['an array among the records', '[{"a":1},[{"b":2}]]', 'a record is a JSON object: {"field":"value"}', 10, 1],
    ['a comma too many', '[{"a":1},]', 'a record is a JSON object: {"field":"value"}', 10, 1],
    ['no comma', '[{"a":1}{"a":2}]', 'expected , or ]', 9, 1],
    ['an error inside a record', '[{"a":1},{"b":}]', 'expected a value', 15, 1],
    ['a record without fields', '[{"a":1},{}]', 'an entry needs at least one field', 10, 1],
    ['something behind the array', '[{"a":1}] x', 'expected nothing after the array', 11, 1],
    ['an object', '{"a":1}', 'expected an array of records', 1, 0],
  ])('is refused with %s, saying where', (_, json, reason, column, before) => {
    expect(refusal(json)).toEqual({reason, column, before});
  });

  it('is refused when it does not end', () => {
    expect(refusal('[{"a":1}').before).toBe(1);
    expect(refusal('[').before).toBe(0);
    expect(refusal('[{"a":1},').before).toBe(1);
  });

  it('can be stopped half-way by whoever takes the records', () => {
    let taken = 0;
    expect(() =>
      readJsonArray('[{"a":1},{"a":2},{"a":3},broken', () => {
        if (++taken === 2) throw new RangeError('enough');
      }),
    ).toThrow(RangeError);
    expect(taken).toBe(2);
  });
});
