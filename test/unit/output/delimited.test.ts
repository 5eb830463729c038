import {parse} from 'csv-parse/sync';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {DelimitedLines, factCell} from '../../../src/lib/output/delimited.js';
import {decodeName} from '../../../src/lib/records/names.js';
import {text} from '../arbitraries.js';

const table = fc.integer({min: 1, max: 5}).chain((columns) => {
  const row = fc.array(
    fc.oneof(text, fc.constantFrom('', '"', ',', '\r', '\n', '\t', '\\', '\\t', '=1+1', ' ', '\r\n')),
    {
      minLength: columns,
      maxLength: columns,
    },
  );
  return fc.tuple(row, fc.array(row));
});

const UNESCAPED: Record<string, string> = {'\\t': '\t', '\\n': '\n', '\\r': '\r', '\\\\': '\\'};
/** What awk -F'\t' sees, with its escapes undone. */
const tsvRows = (lines: string): string[][] =>
  lines
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t').map((cell) => cell.replace(/\\[tnr\\]/g, (pair) => UNESCAPED[pair]!)));

describe('CSV', () => {
  it('is read back as it was', () => {
    fc.assert(
      fc.property(table, ([headings, rows]) => {
        const csv = new DelimitedLines('csv', headings, false).of(rows);
        expect(parse(csv, {bom: false, recordDelimiter: '\r\n'})).toEqual([headings, ...rows]);
      }),
    );
  });

  it('quotes as RFC 4180 says, and ends lines with CRLF', () => {
    expect(new DelimitedLines('csv', ['a', 'b'], false).of([['x,y', 'say "z"']])).toBe('a,b\r\n"x,y","say ""z"""\r\n');
  });
});

describe('TSV', () => {
  it('is read back as it was, a line for each row', () => {
    fc.assert(
      fc.property(table, ([headings, rows]) => {
        expect(tsvRows(new DelimitedLines('tsv', headings, false).of(rows))).toEqual([headings, ...rows]);
      }),
    );
  });
});

it('headings come once, also where nothing follows', () => {
  const lines = new DelimitedLines('csv', ['a'], false);
  expect([lines.of([]), lines.of([['1']]), lines.of([])]).toEqual(['a\r\n', '1\r\n', '']);
});

it('on a terminal, no cell acts on it', () => {
  fc.assert(
    fc.property(table, ([headings, rows]) => {
      for (const format of ['csv', 'tsv'] as const) {
        const shown = new DelimitedLines(format, headings, true).of(rows);
        expect(shown.split('\n')).toHaveLength(rows.length + 2);
        expect(shown.replace(/\r?\n|\t/g, '')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
      }
    }),
  );
});

it('facts: nothing for what is not known, JSON for what has parts or is no text', () => {
  expect([null, undefined, true, 0, 12n, 'a', {a: [1]}, decodeName(Buffer.from([0xff]))].map(factCell)).toEqual([
    '',
    '',
    'true',
    '0',
    '12',
    'a',
    '{"a":[1]}',
    '{"$b64":"/w=="}',
  ]);
});
