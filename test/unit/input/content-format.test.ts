import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {contentFormat} from '../../../src/lib/input/content-format.js';
import {isBadLine} from '../../../src/lib/input/input-item.js';
import {jsonBeginning} from '../../../src/lib/input/json-beginning.js';
import {readRecords} from '../../../src/lib/input/record-reader.js';
import {chunks, cutAt, cuts} from './chunks.js';

const format = (text: string | Buffer): string => contentFormat(Buffer.from(text));
const jsonObject = fc.dictionary(fc.string(), fc.jsonValue(), {minKeys: 1, noNullPrototype: true});

describe('the format of an input is recognised by its beginning', () => {
  it.each([
    ['CSV', 'id,name\n1,bob\n2,al\n'],
    ['CSV', '\ufeffid;name;Preis (EUR)\r\n1;"a;\nb";2,50\r\n'],
    ['CSV', 'id\tname\n1\tbob\n'],
    ['CSV', '"first name"|"age"\n"x"|1\n'],
    ['CSV', ',a,b\n0,1,2\n'],
    ['CSV', 'a,b,c\n1,2\n'],
    ['CSV', 'sep=;\na;b\n'],
    ['CSV', 'id,name'],
    ['CSV', `id,long text\n${`1,${'x'.repeat(900)}\n`.repeat(17)}1234567890`],
    ['CSV', `id,long text\n${`1234567890,${'x'.repeat(1000)}\n`.repeat(30)}`],
    ['text', 'Hello, world\n'],
    ['text', '2024-01-01 10:00:00,123 INFO a\n2024-01-01 10:00:00,124 INFO b\n'],
    ['text', '[2024-01-01] [main] INFO a, b\n'],
    ['text', 'Jan  1 00:00:00 host sshd[1]: a, b\nJan  1 00:00:01 host sshd[1]: a\n'],
    ['text', '127.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 23\n'],
    ['text', 'type=login,user=7\ntype=logout,user=7\n'],
    ['text', '\u001b[31mred\u001b[0m\n'],
    ['text', Buffer.from('caf\u00e9 cr\u00e8me\n', 'latin1')],
    ['text', '"x"\n1\n'],
    ['JSON array of objects', '[{"a":1},{"b":2}]'],
    ['JSON array of objects', '[\n  {\n    "a": 1\n  }\n]\n'],
    ['JSON array of objects', '[{"a":'],
    ['JSON array of objects', '[]'],
    ['JSON array of objects', '['],
    ['JSON array of values', '[1, "two"]'],
    ['JSON over several lines', '{\n  "a": 1\n}\n'],
    ['JSON over several lines', '{"a": [\n1,'],
    ['JSON over several lines', '{\n'],
    ['JSON objects in one line', '{"a":1} {"b":2}\n'],
    ['NDJSON', '{"a":1}\n{"b":2}\n'],
    ['NDJSON', '> app@1.0.0 start\n> node app.js\n\n{"a":1}\r\n{"b":'],
    ['NDJSON', '{"a":"x\n{"b":2}\n'],
    ['NDJSON', '{"a":1,\n{"b":2}\n'],
    ['NDJSON', "{'a': 1}\n"],
    ['binary', '{\0\u0001\u0002'],
    ['NDJSON', '{"a":"\0"}\n'],
    ['binary', Buffer.from([0, 1, 2, 3, 250, 251, 0, 0, 7])],
    ['UTF-16LE', Buffer.from('{"a":1}\n', 'utf16le')],
    ['UTF-16BE', Buffer.from('a,b\n1,2\n', 'utf16le').swap16()],
  ])('%s: %j', (expected, text) => {
    expect(format(text)).toBe(expected);
  });

  it('whatever is a record begins NDJSON', () => {
    fc.assert(
      fc.property(fc.array(jsonObject, {minLength: 1, maxLength: 4}), fc.constantFrom('\n', '\r\n'), (records, end) => {
        expect(format(records.map((record) => JSON.stringify(record) + end).join(''))).toBe('NDJSON');
      }),
    );
  });

  it('JSON that was written for people is none, however it is indented and wherever it is cut', () => {
    fc.assert(
      fc.property(jsonObject, fc.integer({min: 1, max: 8}), fc.nat(), (record, indent, cut) => {
        const text = JSON.stringify(record, null, indent);
        expect(format(text.slice(0, text.indexOf('\n') + 1 + (cut % text.length)))).toBe('JSON over several lines');
        expect(format(JSON.stringify([record], null, indent))).toBe('JSON array of objects');
        expect(format(JSON.stringify([record]))).toBe('JSON array of objects');
      }),
    );
  });

  it('a table of names and values is CSV, whatever divides them', () => {
    const name = fc.stringMatching(/^[a-z][a-z_]{0,8}$/);
    const value = fc.string({unit: 'grapheme-ascii'}).map((text) => `"${text.replaceAll('"', '""')}"`);
    const table = fc.integer({min: 2, max: 5}).chain((width) =>
      fc.record({
        names: fc.array(name, {minLength: width, maxLength: width}),
        rows: fc.array(fc.array(value, {minLength: width, maxLength: width}), {minLength: 1, maxLength: 30}),
      }),
    );
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t', '|'), ({names, rows}, delimiter) => {
        expect(format([names, ...rows].map((row) => `${row.join(delimiter)}\n`).join(''))).toBe('CSV');
      }),
    );
  });
});

describe('the beginning of JSON', () => {
  it('is found in each JSON text, and in each beginning of one', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({min: 0, max: 3}), fc.nat(), (value, indent, cut) => {
        const text = JSON.stringify([value], null, indent);
        expect(jsonBeginning(`${text}x`)).toMatchObject({end: text.length, isCut: false});
        const part = text.slice(0, 1 + (cut % text.length));
        expect(jsonBeginning(part)).toMatchObject({end: part.length, isCut: part.length < text.length});
      }),
    );
  });

  it.each(['[01]', '{a:1}', "{'a':1}", '[1 2]', '{"a" 1}', '[1}', '{"a":1]', '[,', '{,', '["a\nb"]', 'x', ''])(
    'is not in %j',
    (text) => {
      expect(jsonBeginning(text)).toBeUndefined();
    },
  );
});

describe('a bad line shows how the input begins', () => {
  const options = {kind: 'ndjson', field: 'data', maxRecordBytes: 1024} as const;
  const heads = async (...parts: (string | Uint8Array)[]): Promise<(string | undefined)[]> => {
    const found: (string | undefined)[] = [];
    for await (const page of readRecords(chunks(...parts), options))
      for (let item = page.next(); item !== undefined; item = page.next())
        if (isBadLine(item)) found.push(item.head?.toString());
    return found;
  };

  it('where it is the first line, however the input arrives', async () => {
    const input = '\ufeff\n \n[\n1\n]\n';
    await fc.assert(
      fc.asyncProperty(cuts, async (where) => {
        const [first, ...others] = await heads(...cutAt(Buffer.from(input), where));
        expect(first).toMatch(/^\ufeff\n \n\[/);
        expect(others).toEqual([undefined, undefined]);
      }),
      {examples: [[[7 / 12]]]},
    );
  });

  it('and not behind a record', async () => {
    expect(await heads('{"a":1}\noops\n')).toEqual([undefined]);
    expect(await heads('{"a":1}\n', 'oops\n')).toEqual([undefined]);
    expect(await heads('{"a":[1, 2]}\noops\n')).toEqual([undefined]);
  });
});
