import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {compileFormat, isoTime} from '../../../src/lib/output/format.js';
import type {StreamRecord} from '../../../src/lib/records/entry.js';
import {record as anyRecord} from '../arbitraries.js';

const record: StreamRecord = {
  stream: 'orders',
  id: '1526919030474-55',
  fields: [
    ['type', 'login'],
    ['first name', 'Ada'],
    ['', 'empty name'],
    ['type', 'second'],
  ],
  group: 'billing',
  consumer: 'w1',
  deliveries: 3,
};
const format = (template: string, value = record): string => compileFormat(template)(value).toString('latin1');

describe('a template', () => {
  it.each([
    ['%t', 'orders'],
    ['%o', '1526919030474-55'],
    ['%T', '1526919030474'],
    ['%d', '2018-05-21T16:10:30.474Z'],
    ['%s', '[["type","login"],["first name","Ada"],["","empty name"],["type","second"]]'],
    ['%f{type}', 'login'],
    ['%f{first name}', 'Ada'],
    ['%f{}', 'empty name'],
    ['%f{absent}', ''],
    ['%f{toString}', ''],
    ['%g', 'billing'],
    ['%c', 'w1'],
    ['%D', '3'],
    ['%%', '%'],
    ['100%%', '100%'],
    ['%%t', '%t'],
    ['%%%t', '%orders'],
    ['%t%o', 'orders1526919030474-55'],
    ['\\n', '\n'],
    ['\\t', '\t'],
    ['\\r', '\r'],
    ['\\0', '\0'],
    ['\\\\', '\\'],
    ['\\\\n', '\\n'],
    ['\\x41\\x7a', 'Az'],
    ['\\xff\\xFE', '\xff\xfe'],
    ['\\x410', 'A0'],
    ['%o\\t%f{type}\\n', '1526919030474-55\tlogin\n'],
    ['', ''],
    ['plain, with a real\nnewline', 'plain, with a real\nnewline'],
  ])('%j gives %j', (template, output) => expect(format(template)).toBe(output));

  it('adds nothing: no newline that was not asked for', () => expect(format('%o')).not.toContain('\n'));

  it('keeps text beyond ASCII, its own and the record’s', () => {
    const value: StreamRecord = {stream: 'ströme', id: '1-0', fields: [['ключ', '🙂']]};
    expect(compileFormat('→ %t %f{ключ}')(value).toString('utf8')).toBe('→ ströme 🙂');
  });

  it('leaves empty what is not known', () => {
    expect(format('[%g|%c|%D]', {stream: 's', id: '1-0', fields: []})).toBe('[||]');
  });

  it('prints the number of an ID that is no date as it is', () => {
    const value: StreamRecord = {stream: 's', id: '18446744073709551615-0', fields: []};
    expect(format('%T %d', value)).toBe('18446744073709551615 18446744073709551615');
  });

  it.each(['%x', '%', 'a%', '% ', '%f', '%f{', '%f{name', '%F{a}', '%S', '%🙂', '%\n'])(
    'with the unknown token of %j is a usage error',
    (template) =>
      expect(() => compileFormat(template)).toThrow(
        expect.objectContaining({kind: 'usage', message: expect.stringContaining('unknown token "%')}),
      ),
  );

  it.each(['\\', 'a\\', '\\q', '\\x', '\\x4', '\\xg1', '\\x4g', '\\u0041', '\\🙂', '\\N'])(
    'with the unknown escape of %j is a usage error',
    (template) =>
      expect(() => compileFormat(template)).toThrow(
        expect.objectContaining({kind: 'usage', message: expect.stringContaining('unknown escape "\\')}),
      ),
  );
});

describe('in a pipe', () => {
  it('passes the bytes of a field unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (array) => {
        const value = Buffer.from(array);
        const output = compileFormat('%f{blob}\\xff')({stream: 's', id: '1-0', fields: [['blob', value]]});
        expect(output.equals(Buffer.concat([value, Buffer.from([0xff])]))).toBe(true);
      }),
    );
  });

  it('escapes nothing', () => {
    expect(format('%f{a}', {stream: 's', id: '1-0', fields: [['a', '\u001b[2J\n']]})).toBe('\u001b[2J\n');
  });
});

describe('on a terminal', () => {
  const shown = (template: string, value: StreamRecord): string =>
    compileFormat(template, true)(value).toString('utf8');

  it('escapes all that comes out of a record, newlines too', () => {
    const attack = '\u001b]52;c;AA==\u0007\nforged\t\u009b2J';
    const value: StreamRecord = {stream: attack, id: '1-0', fields: [['a', attack]], group: attack, consumer: attack};
    const safe = '\\x1b]52;c;AA==\\x07\\nforged\\t\\x9b2J';
    for (const token of ['%t', '%f{a}', '%g', '%c']) expect(shown(token, value)).toBe(safe);
  });

  it('leaves the template to its author: tabs, newlines and colours', () => {
    const value: StreamRecord = {stream: 's', id: '1-0', fields: []};
    expect(shown('\\x1b[31m%t\\x1b[0m\\t%o\\n', value)).toBe('\u001b[31ms\u001b[0m\t1-0\n');
  });

  it('keeps %s JSON', () => {
    const value: StreamRecord = {stream: 's', id: '1-0', fields: [['a\u009b', '\u202e\u{e0041}']]};
    expect(shown('%s', value)).toBe('{"a\\u009b":"\\u202e\\udb40\\udc41"}');
    expect(JSON.parse(shown('%s', value))).toEqual({'a\u009b': '\u202e\u{e0041}'});
  });

  it('shows nothing unsafe of any record', () => {
    fc.assert(
      fc.property(anyRecord, (value) => {
        expect(shown('%t %o %T %d %s %f{a} %g %c %D', value)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

it('shows the last time that is a date, and the number after it', () => {
  expect(isoTime('8640000000000000')).toBe('+275760-09-13T00:00:00.000Z');
  expect(isoTime('8640000000000001')).toBe('8640000000000001');
});
