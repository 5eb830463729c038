import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {BadJson} from '../../../src/lib/input/bad-json.js';
import {type FieldRules, readJsonFields, readRecord} from '../../../src/lib/input/record-fields.js';
import type {Bytes} from '../../../src/lib/records/bytes.js';
import {recordToJson, type StreamRecord} from '../../../src/lib/records/entry.js';
import {record} from '../arbitraries.js';

function refusal(read: () => unknown): {reason: string; column: number} {
  try {
    read();
  } catch (error) {
    if (error instanceof BadJson) return {reason: error.message, column: error.column};
    throw error;
  }
  throw new Error('it was accepted');
}

const shown = (value: Bytes): string =>
  typeof value === 'string' ? `text ${value}` : `bytes ${value.toString('hex')}`;

describe('a JSON object', () => {
  it('becomes fields in its order, each as the text that was written', () => {
    expect(readJsonFields('{"z":"s","n":1.0,"yes":true,"no":false,"list":[1, {"a": 2}],"":""}')).toEqual([
      ['z', 's'],
      ['n', '1.0'],
      ['yes', 'true'],
      ['no', 'false'],
      ['list', '[1,{"a":2}]'],
      ['', ''],
    ]);
  });

  it('keeps names that are numbers in their place, and __proto__ as a name', () => {
    expect(readJsonFields('{"b":"1","10":"2","9":"3","__proto__":"4"}')).toEqual([
      ['b', '1'],
      ['10', '2'],
      ['9', '3'],
      ['__proto__', '4'],
    ]);
  });

  it('needs a rule for null, since Redis has none', () => {
    const {reason, column} = refusal(() => readJsonFields('{"a":1,"b":null}'));
    expect(reason).toContain('--null');
    expect(column).toBe(12);
    const rules: FieldRules = {nullText: ''};
    expect(readJsonFields('{"a":null,"b":[null]}', rules)).toEqual([
      ['a', ''],
      ['b', '[null]'],
    ]);
  });

  it('needs at least one field', () => {
    expect(refusal(() => readJsonFields(' { } ')).reason).toBe('an entry needs at least one field');
  });

  it('holds {"$b64":…} as the JSON that it is: only records that streamlog printed mean bytes by it', () => {
    expect(readJsonFields('{"a":{"$b64":"/w=="}}')).toEqual([['a', '{"$b64":"/w=="}']]);
  });
});

describe('a record that streamlog printed', () => {
  const roundTrip = fc.record({...record_(), fields: fieldsOf()});

  it('is read back as it was, whatever bytes and repetitions it holds', () => {
    fc.assert(
      fc.property(roundTrip, (original) => {
        const {id, fields} = readRecord(recordToJson(original));
        expect(id).toBe(original.id);
        expect(fields.map((pair) => pair.map(shown))).toEqual(original.fields.map((pair) => pair.map(shown)));
      }),
      {numRuns: 500},
    );
  });

  it('gives text where the base64 is text, as the stream will have it', () => {
    expect(readRecord('{"fields":{"a":{"$b64":"aGk="},"b":{"$b64":""}}}').fields).toEqual([
      ['a', 'hi'],
      ['b', ''],
    ]);
    expect(readRecord('{"pairs":[[{"$b64":"aGk="},{"$b64":"/w=="}]]}').fields).toEqual([['hi', Buffer.from([0xff])]]);
  });

  it('may lack all but its fields, and hold what this version does not know', () => {
    expect(readRecord('{"later":[1],"fields":{"a":"1"},"deliveries":7}')).toEqual({
      fields: [['a', '1']],
      id: undefined,
    });
  });

  it('takes other values as an object does, and an object that only begins like bytes as JSON', () => {
    expect(readRecord('{"fields":{"n":1.0,"o":{"$b64":"%%"},"p":{"$b64":"aGk=","x":1}}}').fields).toEqual([
      ['n', '1.0'],
      ['o', '{"$b64":"%%"}'],
      ['p', '{"$b64":"aGk=","x":1}'],
    ]);
  });

  it.each(['QQ', 'QQ=', 'Q===', 'QQ==QQ==', 'QQ=Q', 'Q Q=', 'QQQ\n', 'Q-_=', 'é'.repeat(4)])(
    'takes %j for no base64',
    (text) => {
      const value = JSON.stringify({$b64: text});
      expect(readRecord(`{"fields":{"a":${value}}}`).fields).toEqual([['a', value]]);
      expect(() => readRecord(`{"pairs":[["a",${value}]]}`)).toThrow('"pairs" is a list');
    },
  );

  it.each([
    ['{"type":"login"}', 1, '"fields":{…} or "pairs":[…]'],
    ['{"fields":[]}', 11, '"fields":{…} or "pairs":[…]'],
    ['{"fields":"x"}', 11, '"fields":{…} or "pairs":[…]'],
    ['{"fields":{}}', 11, 'at least one field'],
    ['{"pairs":[]}', 10, 'at least one field'],
    ['{"pairs":[["a","\\ud800"]]}', 10, 'half a surrogate pair cannot be stored'],
    ['{"fields":{"a":"\\ud800"}}', 16, 'half a surrogate pair cannot be stored'],
    ['{"pairs":[["a"]]}', 10, '"pairs" is a list of'],
    ['{"pairs":[["a",1]]}', 10, '"pairs" is a list of'],
    ['{"pairs":[["a","b","c"]]}', 10, '"pairs" is a list of'],
    ['{"pairs":{"a":"b"}}', 10, '"pairs" is a list of'],
    ['{"id":"1-2-3","fields":{"a":"b"}}', 7, '"id" is not a valid entry ID'],
    ['{"id":12,"fields":{"a":"b"}}', 7, '"id" is not a valid entry ID'],
    ['{ "fields" : { "a" : null } }', 22, '--null'],
    ['{ "fields" : {"a":"1", "a":"2"}}', 24, 'twice'],
  ])('is refused with a reason and the column of the line: %s', (json, column, text) => {
    const {reason, column: found} = refusal(() => readRecord(json));
    expect(reason).toContain(text);
    expect(found).toBe(column);
  });
});

/** Redis has no entry without fields. */
function fieldsOf(): fc.Arbitrary<StreamRecord['fields']> {
  return record.map(({fields}) => fields).filter((fields) => fields.length > 0);
}

function record_(): {stream: fc.Arbitrary<string>; id: fc.Arbitrary<string>} {
  return {stream: record.map(({stream}) => stream), id: record.map(({id}) => id)};
}

describe('bytes in a record', () => {
  it('that are given twice are an error, and not the last of them', () => {
    const twice = '{"fields":{"a":{"$b64":"QQ==","$b64":"Qg=="}}}';
    expect(() => readRecord(twice)).toThrow('the same key comes twice');
    expect(readRecord('{"fields":{"a":{"$b64":"QQ=="}}}').fields).toEqual([['a', 'A']]);
  });
});
