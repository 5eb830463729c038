import {describe, expect, it} from 'vitest';
import {Refusal} from '../../../src/lib/http/answers.js';
import type {MediaType} from '../../../src/lib/http/body.js';
import {readBodyRecords} from '../../../src/lib/http/records.js';
import {FlatRecord} from '../../../src/lib/input/records.js';
import type {EntryFields} from '../../../src/lib/marked-fields.js';

const parse = async (text: string | Buffer, type: MediaType = 'json', maxRecords = 10) => {
  const records: unknown[] = [];
  const add = (fields: EntryFields) => records.push(fields instanceof FlatRecord ? fields.fields : fields);
  const {single} = readBodyRecords(Buffer.from(text as string), type, maxRecords, {add});
  return {single, records};
};

async function refusal(text: string | Buffer, type: MediaType = 'json', maxRecords = 10): Promise<object> {
  try {
    await parse(text, type, maxRecords);
  } catch (error) {
    if (error instanceof Refusal) return (error.answer.body as {error: object}).error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a JSON body', () => {
  it('that is an object is one entry', async () => {
    expect(await parse(' {"a":"1"} ')).toEqual({single: true, records: [[['a', '1']]]});
    expect(await parse('\ufeff{"a":"1"}')).toEqual({single: true, records: [[['a', '1']]]});
  });

  it('that is an array is a batch, even of one', async () => {
    expect(await parse('[{"a":1.0}]')).toEqual({single: false, records: [[['a', '1.0']]]});
  });

  it('says where it is bad: record, line and column', async () => {
    expect(await refusal('[\n {"a":1},\n {"a":}]')).toEqual({
      code: 'bad_json',
      message: 'expected a value',
      index: 1,
      line: 3,
      column: 7,
    });
    expect(await refusal('{"a":1,\n"a":2}')).toEqual({
      code: 'bad_json',
      message: 'the same key comes twice',
      line: 2,
      column: 1,
    });
  });

  it.each(['', '  ', '"text"', '7', 'null', '{}', '[{}]', '[[]]', '{"a":null}', '{"a":"\\ud800"}', '{"a":1}{"a":2}'])(
    '%j is refused',
    async (text) => {
      expect(await refusal(text)).toMatchObject({code: 'bad_json'});
    },
  );

  it('must be UTF-8', async () => {
    expect(await refusal(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toMatchObject({code: 'bad_json'});
  });

  it('nested without end is refused, not followed', async () => {
    expect(await refusal(`{"a":${'['.repeat(100_000)}`)).toMatchObject({code: 'bad_json'});
    expect(await refusal('['.repeat(100_000))).toMatchObject({code: 'bad_json'});
  });
});

describe('an NDJSON body', () => {
  it('holds one record a line; blank lines and a last line without end do not matter', async () => {
    expect(await parse('{"a":1}\r\n\n{"b":2}', 'ndjson')).toEqual({
      single: false,
      records: [[['a', '1']], [['b', '2']]],
    });
  });

  it('says which line is bad, and the how-manieth record that is', async () => {
    expect(await refusal('{"a":1}\n\n{"b":2} x\n{"c":3}\n', 'ndjson')).toMatchObject({
      code: 'bad_json',
      index: 1,
      line: 3,
      column: 9,
    });
  });

  it('that is an array is refused: it would be one line', async () => {
    expect(await refusal('[{"a":1}]', 'ndjson')).toMatchObject({code: 'bad_json', index: 0, line: 1});
  });
});

describe('a batch', () => {
  it.each([
    ['[]', 'json'],
    ['\n\n', 'ndjson'],
    ['', 'ndjson'],
  ] as const)('of nothing is refused: %j', async (text, type) => {
    expect(await refusal(text, type)).toMatchObject({code: 'no_records'});
  });

  it('of too many records is refused, whichever way it is written', async () => {
    expect(await refusal('[{"a":1},{"a":2},{"a":3}]', 'json', 2)).toMatchObject({code: 'too_many_records'});
    expect(await refusal('{"a":1}\n{"a":2}\n{"a":3}\n', 'ndjson', 2)).toMatchObject({code: 'too_many_records'});
    expect((await parse('[{"a":1},{"a":2}]', 'json', 2)).records).toHaveLength(2);
  });
});
