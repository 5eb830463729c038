import {isUtf8} from 'node:buffer';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {readJsonArray, readJsonFields} from '../../../src/lib/input/record-fields.js';
import type {EntryFields} from '../../../src/lib/records/raw-fields.js';
import {FlatRecord} from '../../../src/lib/records/raw-fields.js';
import {type MediaType, readBodyRecords} from '../../../src/lib/serve/body-records.js';
import {Refusal} from '../../../src/lib/serve/responses.js';

const parse = async (text: string | Buffer, type: MediaType = 'json', maxRecords = 10) => {
  const records: unknown[] = [];
  const add = (fields: EntryFields) => records.push(fields instanceof FlatRecord ? fields.fields : fields);
  const {single} = readBodyRecords(Buffer.from(text as string), type, {maxRecords}, {add});
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

  it.each([
    '',
    '  ',
    '"text"',
    '7',
    'null',
    '{}',
    '[{}]',
    '[[]]',
    '{"a":null}',
    '{"a":"\\ud800"}',
    '{"a":1}{"a":2}',
    '{"a":1}\n{"a":2}',
    '{"a":1}\n{"a":2}\n',
    '\n{"a":1}\r\n{"a":2}',
    '{"a":1}\nx',
    '{"a":1}\n\0',
    '{"a":1}\n\n]',
    '{"a":1}\n\ufeff',
    '{"a":1}\n,',
  ])('%j is refused', async (text) => {
    expect(await refusal(text)).toMatchObject({code: 'bad_json'});
  });

  it('may have space and newlines around it, and nothing else', async () => {
    expect(await parse('\r\n {"a":1}\n\t\n')).toEqual({single: true, records: [[['a', '1']]]});
    expect(await refusal('{"a":1}\n{"a":2}\n')).toEqual({
      code: 'bad_json',
      message: expect.stringContaining('application/x-ndjson'),
      line: 2,
      column: 1,
    });
  });

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

/** The records of a body as the general reader alone finds them, undefined where it refuses. */
function readGenerally(body: Buffer, type: MediaType): object | undefined {
  if (!isUtf8(body)) return undefined;
  const text = body.toString().replace(/^\ufeff/, '');
  const records: unknown[] = [];
  try {
    if (type === 'ndjson') {
      for (const line of text.split('\n')) if (!/^[ \t\r]*$/.test(line)) records.push(readJsonFields(line));
      return records.length === 0 ? undefined : {single: false, records};
    }
    if (!/^[ \t\r\n]*\[/.test(text)) return {single: true, records: [readJsonFields(text)]};
    readJsonArray(text, (fields) => records.push(fields));
    return records.length === 0 ? undefined : {single: false, records};
  } catch {
    return undefined;
  }
}

describe('any body', () => {
  const pieces = [
    '{"a":1}',
    '{"b":"x\\n"}',
    '{ "c" : [1, 2] }',
    '{"a":1,"a":2}',
    '{"d":null}',
    '{"e":"\\ud83d\\ude00"}',
  ];
  const space = ['\n', '\r\n', ' ', '\t', '', '', '\n\n'];
  const odd = ['\0', '\ufeff', '[', ']', ',', '{', '}', 'x', '"', '\u2028', '\v', '{}', '7', 'null', '#'];
  const body = fc
    .array(
      fc.oneof(
        {weight: 4, arbitrary: fc.constantFrom(...pieces).map((text) => Buffer.from(text))},
        {weight: 3, arbitrary: fc.constantFrom(...space).map((text) => Buffer.from(text))},
        {weight: 1, arbitrary: fc.constantFrom(...odd).map((text) => Buffer.from(text))},
        {weight: 1, arbitrary: fc.uint8Array({maxLength: 3}).map((bytes) => Buffer.from(bytes))},
      ),
      {maxLength: 8},
    )
    .map((parts) => Buffer.concat(parts));

  it.each(['json', 'ndjson'] as const)('as %s has the records that the general reader finds, or is refused', (type) => {
    fc.assert(
      fc.property(body, (bytes) => {
        let found: object | undefined;
        try {
          const records: unknown[] = [];
          const add = (fields: EntryFields) => records.push(fields instanceof FlatRecord ? fields.fields : fields);
          const {single} = readBodyRecords(bytes, type, {maxRecords: 100}, {add});
          found = {single, records};
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
        expect(found).toEqual(readGenerally(bytes, type));
      }),
      {numRuns: 5_000},
    );
  });
});
