import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Bytes} from '../../../src/lib/records/bytes.js';
import {type Field, fieldsToJson, fieldValue, recordToJson, type StreamRecord} from '../../../src/lib/records/entry.js';
import {fields, record} from '../arbitraries.js';

const withFields = (...pairs: Field[]): StreamRecord => ({stream: 'events', id: '1-0', fields: pairs});
const parsed = (value: StreamRecord): Record<string, unknown> => JSON.parse(recordToJson(value));

/** The inverse, written naively: which fields does this JSON hold? */
function fieldsIn({fields, pairs}: Record<string, unknown>): Field[] {
  const entries = (pairs ?? Object.entries(fields as object)) as [unknown, unknown][];
  return entries.map(([name, value]) => [toBytes(name), toBytes(value)]);
}
const toBytes = (value: unknown): Bytes =>
  typeof value === 'string' ? value : Buffer.from((value as {$b64: string}).$b64, 'base64');

/** JavaScript objects put integer keys first, so only the set of fields can be compared where there are some. */
const sorted = (pairs: readonly Field[]): string[] => pairs.map((pair) => JSON.stringify(pair)).sort();

describe('the JSON of a record', () => {
  it('has the documented shape', () => {
    expect(recordToJson({stream: 'events', id: '1526919030474-55', fields: [['type', 'login']]})).toBe(
      '{"stream":"events","id":"1526919030474-55","fields":{"type":"login"}}',
    );
  });

  it('adds group, consumer and deliveries where they are known', () => {
    expect(recordToJson({...withFields(['a', '1']), group: 'billing', consumer: 'w1', deliveries: 2})).toBe(
      '{"stream":"events","id":"1-0","fields":{"a":"1"},"group":"billing","consumer":"w1","deliveries":2}',
    );
  });

  it('keeps the order of fields, of those that look like numbers too', () => {
    expect(recordToJson(withFields(['2', 'b'], ['z', ''], ['1', 'a']))).toContain('{"2":"b","z":"","1":"a"}');
  });

  it('turns to pairs when a name is repeated, so that nothing is dropped', () => {
    expect(parsed(withFields(['tag', 'a'], ['x', '1'], ['tag', 'b']))).toEqual({
      stream: 'events',
      id: '1-0',
      pairs: [
        ['tag', 'a'],
        ['x', '1'],
        ['tag', 'b'],
      ],
    });
  });

  it('turns to pairs when a name is not text', () => {
    const name = Buffer.from([0xff, 0x00]);
    expect(parsed(withFields([name, 'v'])).pairs).toEqual([[{$b64: '/wA='}, 'v']]);
  });

  it('keeps an object when only a value is not text', () => {
    expect(parsed(withFields(['jpeg', Buffer.from([0xff, 0xd8])])).fields).toEqual({jpeg: {$b64: '/9g='}});
  });

  it('treats __proto__ and other names of Object as names', () => {
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];
    const found = parsed(withFields(...names.map((name): Field => [name, 'v']))).fields as object;
    expect(Object.keys(found)).toEqual(names);
    expect(Object.getPrototypeOf(found)).toBe(Object.prototype);
    expect(parsed(withFields(['__proto__', '1'], ['__proto__', '2'])).pairs).toHaveLength(2);
  });

  it('holds exactly the record, whatever names and values are', () => {
    fc.assert(
      fc.property(record, (value) => {
        const json = recordToJson(value);
        expect(json).not.toContain('\n');
        const found: Record<string, unknown> = JSON.parse(json);
        expect(sorted(fieldsIn(found))).toEqual(sorted(value.fields));
        if ('pairs' in found) expect(fieldsIn(found)).toEqual(value.fields);
        const {stream, id, group, consumer, deliveries} = value;
        expect(found).toMatchObject(JSON.parse(JSON.stringify({stream, id, group, consumer, deliveries})));
        expect(Object.keys(found).length).toBe(Object.keys(value).length);
      }),
    );
  });
});

describe('the fields alone', () => {
  it('are the same JSON as in the record', () => {
    fc.assert(
      fc.property(fields, (pairs) => {
        const {fields: object, pairs: array} = JSON.parse(recordToJson(withFields(...pairs)));
        expect(JSON.parse(fieldsToJson(pairs))).toEqual(object ?? array);
      }),
    );
  });

  it('gives the first value of a name, and none of what an object inherits', () => {
    const pairs: Field[] = [
      ['a', '1'],
      ['a', '2'],
      ['', 'empty'],
    ];
    expect(fieldValue(pairs, 'a')).toBe('1');
    expect(fieldValue(pairs, '')).toBe('empty');
    expect(fieldValue(pairs, 'toString')).toBeUndefined();
  });
});
