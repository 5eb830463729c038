import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {readCsv} from '../../../src/lib/input/csv.js';
import type {InputItem} from '../../../src/lib/input/input-item.js';
import {allItems, chunks, cutAt, cuts, itemsOf} from './chunks.js';

const read = (
  parts: (string | Uint8Array)[],
  maxBytes = 1024 ** 2,
  options: {delimiter?: number; shortRows?: 'fill' | 'reject'} = {},
): Promise<InputItem[]> => allItems(readCsv(chunks(...parts), {maxRecordBytes: maxBytes, ...options}));

/** `2: a=1 b=2` for a record and `3: reason` for a bad row. */
async function lines(csv: string | Uint8Array, maxBytes?: number): Promise<string[]> {
  return (await read([csv], maxBytes)).map((item) =>
    'reason' in item
      ? `${item.line}: ${item.reason}`
      : `${item.line}: ${item.fields.map(([name, value]) => `${name}=${value}`).join(' ')}`,
  );
}

const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;

describe('CSV', () => {
  it('names the fields by its header, repeated and odd names included', async () => {
    expect(await lines('a,b\n1,2\n,\n')).toEqual(['2: a=1 b=2', '3: a= b=']);
    expect(await lines('tag,tag,,__proto__\n1,2,3,4\n')).toEqual(['2: tag=1 tag=2 =3 __proto__=4']);
  });

  it('holds commas, quotes and newlines in values that are in quotes', async () => {
    expect(await lines('a,b\n"1,5","say ""hi"""\n"two\r\nlines",x\n3,4\n')).toEqual([
      '2: a=1,5 b=say "hi"',
      '3: a=two\r\nlines b=x',
      '5: a=3 b=4',
    ]);
  });

  it('gives back every table that was written, whatever the chunks are', async () => {
    const value = fc.oneof(fc.string({unit: 'grapheme'}), fc.constantFrom('', ',', '"', '\n', '\r\n', '""', 'é🙂'));
    const table = fc.integer({min: 1, max: 4}).chain((width) =>
      fc.record({
        header: fc.array(value, {minLength: width, maxLength: width}),
        rows: fc.array(fc.array(value, {minLength: width, maxLength: width}), {maxLength: 6}),
        lineEnd: fc.constantFrom('\n', '\r\n'),
        bom: fc.constantFrom('', '\ufeff'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(table, cuts, async ({header, rows, lineEnd, bom}, where) => {
        const csv = bom + [header, ...rows].map((row) => row.map(quoted).join(',') + lineEnd).join('');
        const items = await read(cutAt(Buffer.from(csv), where));
        expect(items.map((item) => ('fields' in item ? item.fields : item))).toEqual(
          rows.map((row) => row.map((cell, index) => [header[index], cell])),
        );
      }),
    );
  });

  it('may begin with a byte order mark, as spreadsheets write it, in front of quotes too', async () => {
    expect(await lines('\ufeffa,b\n1,2\n')).toEqual(['2: a=1 b=2']);
    expect(await lines('\ufeff"a\nb",c\n1,2\n')).toEqual(['3: a\nb=1 c=2']);
    expect(await lines('\ufeff\na\n1\n')).toEqual(['3: a=1']);
    expect(await lines('a\n\ufeff1\n')).toEqual(['2: a=\ufeff1']);
  });

  it('passes over blank lines and takes a last row without newline', async () => {
    expect(await lines('\n\r\na,b\r\n\r\n1,2')).toEqual(['5: a=1 b=2']);
  });

  it('keeps bytes that are not UTF-8, and space around values', async () => {
    expect(await lines('a,b\n 1 , 2\n')).toEqual(['2: a= 1  b= 2']);
    expect(await read([Buffer.from('caf\u00e9\n\u00ff\n', 'latin1')])).toEqual([
      {line: 2, fields: [[Buffer.from('caf\u00e9', 'latin1'), Buffer.from([0xff])]]},
    ]);
  });

  it('has no records without rows', async () => {
    expect(await lines('')).toEqual([]);
    expect(await lines('a,b\n')).toEqual([]);
  });
});

/** What spreadsheets and tables of the Unix kind write. */
const DELIMITERS = [',', ';', '\t', '|'];

/** A naive reader of one table, without limits. */
function tableOf(csv: string, delimiter: string): string[][] {
  const rows: string[][] = [[]];
  let [value, quoted] = ['', false];
  const text = csv.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quoted && char === '"' && text[at + 1] === '"') value += text[++at];
    else if (char === '"') quoted = !quoted;
    else if (quoted || (char !== delimiter && char !== '\n')) value += char;
    else {
      rows.at(-1)!.push(value);
      value = '';
      if (char === '\n') rows.push([]);
    }
  }
  return rows.slice(0, -1).filter((row) => row.length > 1 || row[0] !== '');
}

describe('the delimiter', () => {
  it('is the character that divides the names, whatever the values hold and the chunks are', async () => {
    const cell = fc.string({unit: fc.constantFrom('a', 'é', ' ', ',', ';', '\t', '|', '"', '\n'), maxLength: 6});
    const table = fc.integer({min: 2, max: 5}).chain((width) =>
      fc.record({
        rows: fc.array(fc.array(cell, {minLength: width, maxLength: width}), {minLength: 1, maxLength: 6}),
        names: fc.array(fc.stringMatching(/^[a-z]{1,5}$/), {minLength: width, maxLength: width}),
        delimiter: fc.constantFrom(...DELIMITERS),
        declared: fc.boolean(),
        bom: fc.constantFrom('', '\ufeff'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(table, cuts, async ({rows, names, delimiter, declared, bom}, where) => {
        const body = `${[names, ...rows.map((row) => row.map(quoted))].map((row) => row.join(delimiter)).join('\n')}\n`;
        const csv = `${bom}${declared ? `sep=${delimiter}\r\n` : ''}${body}`;
        const items = await read(cutAt(Buffer.from(csv), where));
        const [header, ...expected] = tableOf(body, delimiter);
        expect(items.map((item) => ('fields' in item ? item.fields : item))).toEqual(
          expected.map((row) => row.map((value, index) => [header![index], value])),
        );
      }),
    );
  });

  it('is the one that comes most often outside quotes, and a comma where there is none', async () => {
    expect(await lines('"a;b;c",d\n1,2\n')).toEqual(['2: a;b;c=1 d=2']);
    expect(await lines('Preis (EUR, netto);Menge;Datum\n1;2;3\n')).toEqual(['2: Preis (EUR, netto)=1 Menge=2 Datum=3']);
    expect(await lines('a b\n1;2\n')).toEqual(['2: a b=1;2']);
    expect(await lines('a;b,c\n1;2,3\n')).toEqual(['2: a;b=1;2 c=3']);
  });

  it('may be said by the first row, which is no header then, and which what was typed overrides', async () => {
    expect(await lines('\n"sep=|"\n\na|b\n1|2\n')).toEqual(['5: a=1 b=2']);
    expect(await lines('SEP=\t\r\na\tb,c,d\r\n1\t2')).toEqual(['3: a=1 b,c,d=2']);
    expect(await read(['sep=;\na;b|c\n1;2|3\n'], undefined, {delimiter: 0x7c})).toEqual([
      {line: 3, fields: [['a;b', '1;2'], ['c', '3']]}, // biome-ignore format: a row
    ]);
    expect(await lines('sep=;;\n1\n')).toEqual(['2: 1 values for 3 columns']);
  });

  it('may be any other character where it is given', async () => {
    expect(await read(['a\u0001b,c\n1\u0001"2\u0001\n"\n'], undefined, {delimiter: 1})).toEqual([
      {line: 2, fields: [['a', '1'], ['b,c', '2\u0001\n']]}, // biome-ignore format: a row
    ]);
  });

  it('is the same where reading goes on in the middle', async () => {
    for (const csv of ['a;b\n1;2\n3;4\n', 'sep=|\na;x|b;y\n1|2\n3|4\n']) {
      for await (const page of readCsv(chunks(csv), {maxRecordBytes: 100})) {
        page.next();
        const from = page.position!;
        const rest = readCsv(chunks(csv.slice(from.bytes)), {maxRecordBytes: 100, from, head: chunks(csv)});
        expect(await allItems(rest)).toEqual(itemsOf(page));
      }
    }
  });
});

describe('short rows', () => {
  it('are filled with empty values where that is wanted, and long ones are not cut', async () => {
    expect(await read(['a,b,c\n1\n1,2,3,4\n,\n'], undefined, {shortRows: 'fill'})).toEqual([
      {line: 2, fields: [['a', '1'], ['b', ''], ['c', '']]}, // biome-ignore format: a row
      {line: 3, reason: '4 values for 3 columns'},
      {line: 4, fields: [['a', ''], ['b', ''], ['c', '']]}, // biome-ignore format: a row
    ]);
  });

  it('are refused otherwise, with what would take them', async () => {
    for (const shortRows of [undefined, 'reject'] as const)
      expect(await read(['a,b\n1\n'], undefined, shortRows === undefined ? {} : {shortRows})).toEqual([
        {line: 2, reason: '1 values for 2 columns', hint: expect.stringContaining('--short-rows fill')},
      ]);
  });
});

describe('a bad row', () => {
  it('comes in its place, and its neighbours are untouched', async () => {
    expect(await lines('a,b\n1,2\n3\n4,5\n6,7,8\n"x"y,9\nq"z,1\n10,11\n')).toEqual([
      '2: a=1 b=2',
      '3: 1 values for 2 columns',
      '4: a=4 b=5',
      '5: 3 values for 2 columns',
      '6: a quote inside a value in quotes must be doubled',
      '7: a value that holds a quote must be in quotes',
      '8: a=10 b=11',
    ]);
  });

  it('is one that is too long; what follows in the same chunk is read', async () => {
    expect(await lines(`a\n1\n${'x'.repeat(100)}\n"${'y\n'.repeat(50)}"\n2\n`, 20)).toEqual([
      '2: a=1',
      '3: 100 bytes are more than --max-record-bytes (20)',
      '4: 102 bytes are more than --max-record-bytes (20)',
      '55: a=2',
    ]);
  });

  it('is one whose quote is not closed, which says that it took the rest along', async () => {
    expect(await lines('a,b\n1,2\n3,"4\n5,6\n')).toEqual([
      '2: a=1 b=2',
      '3: a quote is not closed, so it reaches up to the end of the input',
    ]);
  });

  it('is a header that cannot be read, and then nothing behind it can be', async () => {
    expect(await lines(`${'x'.repeat(30)}\n1\n`, 20)).toEqual([
      '1: the header cannot be read: 30 bytes are more than --max-record-bytes (20)',
    ]);
    expect(await lines('a\0,b\n1,2\n')).toEqual(['1: the header cannot be read: it holds a zero byte']);
    expect(await lines('a,b\r1,2\r3,4')).toEqual([
      '1: the header cannot be read: its lines end in CR alone; convert them to LF first',
    ]);
  });
});

it('rows leave as soon as they are whole, not when the input ends', async () => {
  let release = (): void => {};
  async function* slow(): AsyncGenerator<string> {
    yield 'a\n1\n"2\n';
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    yield '3"\n';
  }
  const pages = readCsv(slow(), {maxRecordBytes: 100});
  expect(itemsOf((await pages.next()).value!)).toEqual([{line: 2, fields: [['a', '1']]}]);
  const rest = pages.next();
  release();
  expect(itemsOf((await rest).value!)).toEqual([{line: 3, fields: [['a', '2\n3']]}]);
});
