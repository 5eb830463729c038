import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {describeBadLine, type InputItem, isBadLine} from '../../../src/lib/input/input-item.js';
import {type InputOptions, readRecords} from '../../../src/lib/input/record-reader.js';
import {recordToJson} from '../../../src/lib/records/entry.js';
import {record} from '../arbitraries.js';
import {allItems, chunks, cutAt, cuts} from './chunks.js';

const options = (given: Partial<InputOptions> = {}): InputOptions => ({
  kind: 'ndjson',
  field: 'data',
  maxRecordBytes: 1024 ** 2,
  ...given,
});

const read = (input: string | Uint8Array, given?: Partial<InputOptions>): Promise<InputItem[]> =>
  allItems(readRecords(chunks(input), options(given)));

/** The one item of the input, as people see it when it is bad. */
async function refusal(input: string | Uint8Array, given?: Partial<InputOptions>): Promise<string> {
  const [item, ...more] = await read(input, given);
  expect(more).toEqual([]);
  if (item === undefined || !isBadLine(item)) throw new Error(`it was accepted: ${JSON.stringify(item)}`);
  return describeBadLine(item);
}

describe('NDJSON', () => {
  it('is a record a line, whatever ends the lines', async () => {
    expect(await read('{"a":1}\r\n{"b":"x"}\n{"c":""}')).toEqual([
      {line: 1, fields: [['a', '1']]},
      {line: 2, fields: [['b', 'x']]},
      {line: 3, fields: [['c', '']]},
    ]);
  });

  it('may have blank lines, which count as lines', async () => {
    expect(await read('\n \t\r\n{"a":1}\n\n')).toEqual([{line: 3, fields: [['a', '1']]}]);
  });

  it('may begin with a byte order mark; behind the beginning it is data', async () => {
    expect(await read('\ufeff{"a":"\ufeff"}\n')).toEqual([{line: 1, fields: [['a', '\ufeff']]}]);
    expect(await refusal('\ufeff\ufeff{"a":1}\n')).toMatch(/^line 1 column 1: /);
  });

  it('names line, column, reason and what is there, never the whole line', async () => {
    const [, bad] = await read(`{"a":1}\n{"a":1, oops ${'x'.repeat(1_000)}}\n`);
    if (bad === undefined || !isBadLine(bad)) throw new Error('it was accepted');
    expect(describeBadLine(bad)).toMatch(/^line 2 column 9: expected a key in double quotes, near "oops x{19}"$/);
  });

  it.each([
    ['Latin-1', Buffer.from('{"a":"caf\u00e9"}\n', 'latin1'), 'line 1: it is not valid UTF-8; --input text'],
    ['a cut character', Buffer.from('{"a":"\u20ac"}\n').subarray(0, 8), 'line 1: it is not valid UTF-8'],
    ['a NUL byte in a string', '{"a":"\0"}\n', 'line 1 column 7: a control character'],
    ['a NUL byte between tokens', '{"a":\0}\n', 'line 1 column 6: expected a value'],
    [
      'a line that is too long',
      `{"a":"${'x'.repeat(2 * 1024 ** 2)}"}\n`,
      'line 1: 2097160 bytes are more than --max-record-bytes',
    ],
    ['a record in a wrapping array', '[{"a":1}]\n', 'line 1 column 1: a record is a JSON object'],
    ['null for a field', '{"a":null}\n', 'line 1 column 6: null cannot be stored; say with --null'],
    ['no fields', '{}\n', 'line 1 column 1: an entry needs at least one field'],
  ])('refuses %s', async (_, input, text) => {
    expect(await refusal(input)).toContain(text);
  });

  it('stores --null where it is given', async () => {
    expect(await read('{"a":null}\n', {nullText: 'NULL'})).toEqual([{line: 1, fields: [['a', 'NULL']]}]);
  });
});

describe('text', () => {
  it('is a line in one field, byte for byte: CR, NUL, space and what is not UTF-8 stay', async () => {
    const input = Buffer.concat([Buffer.from(' a\tb \r\n\0\n'), Buffer.from([0xff, 0x0a])]);
    expect(await read(input, {kind: 'text', field: 'subject'})).toEqual([
      {line: 1, fields: [['subject', ' a\tb \r']]},
      {line: 2, fields: [['subject', '\0']]},
      {line: 3, fields: [['subject', Buffer.from([0xff])]]},
    ]);
  });

  it('passes over empty lines and a byte order mark', async () => {
    expect(await read('\ufeff\n\nx\n', {kind: 'text'})).toEqual([{line: 3, fields: [['data', 'x']]}]);
  });

  it('refuses a line that is too long', async () => {
    expect(await refusal('123456\n', {kind: 'text', maxRecordBytes: 5})).toBe(
      'line 1: 6 bytes are more than --max-record-bytes (5)',
    );
  });
});

describe('envelope', () => {
  it('reads what every command prints, however it is cut into chunks', async () => {
    const records = fc.array(
      record.filter(({fields}) => fields.length > 0),
      {maxLength: 5},
    );
    await fc.assert(
      fc.asyncProperty(records, cuts, async (originals, where) => {
        const printed = Buffer.from(originals.map((original) => `${recordToJson(original)}\n`).join(''));
        const items = await allItems(readRecords(chunks(...cutAt(printed, where)), options({kind: 'envelope'})));
        expect(items).toEqual(originals.map(({id, fields}, index) => ({line: index + 1, id, fields})));
      }),
    );
  });

  it('says what to do with plain NDJSON', async () => {
    expect(await refusal('{"a":1}\n', {kind: 'envelope'})).toContain('is this --input ndjson?');
  });
});

it('every line comes out exactly once, in its order, good, bad or blank', async () => {
  const lineOf = fc.constantFrom('{"a":1}', 'oops', '', '  ', '{"a":null}', '"x"', '{"b":"é"}');
  await fc.assert(
    fc.asyncProperty(fc.array(lineOf, {maxLength: 20}), cuts, async (lines, where) => {
      const input = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const items = await allItems(readRecords(chunks(...cutAt(input, where)), options()));
      const kinds = items.map((item) => [item.line, isBadLine(item) ? 'bad' : 'good']);
      const expected = lines.flatMap((line, index) =>
        line.trim() === '' ? [] : [[index + 1, line.startsWith('{') && !line.includes('null') ? 'good' : 'bad']],
      );
      expect(kinds).toEqual(expected);
    }),
  );
});
