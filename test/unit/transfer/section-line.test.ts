import {readFileSync} from 'node:fs';
import {Ajv2020} from 'ajv/dist/2020.js';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {readRecord} from '../../../src/lib/input/record-fields.js';
import {readSectionLine, type SectionLine} from '../../../src/lib/transfer/section-line.js';
import {linesOf, section} from './sections.js';

const ajv = new Ajv2020({
  strict: true,
  strictRequired: false,
  allErrors: true,
  formats: {'date-time': /^\d{4}-\d\d-\d\dT[\d:.]+Z$/},
});
const schema = JSON.parse(readFileSync('docs/export.schema.json', 'utf8')) as object;
const isValid = ajv.compile(schema);

const read = (line: Buffer): SectionLine => readSectionLine(line.toString('utf8').slice(0, -1));

describe('a line of a section', () => {
  it('is read back as it was written, and is valid by the schema', () => {
    fc.assert(
      fc.property(section, (drawn) => {
        const {stream} = drawn.header;
        const lines = linesOf(drawn);
        for (const line of lines) {
          const json: unknown = JSON.parse(line.toString('utf8'));
          expect(isValid(json), JSON.stringify({json, errors: isValid.errors})).toBe(true);
        }
        const found = lines.map(read);
        expect(found[0]).toEqual({kind: 'header', ...drawn.header});
        const entries = drawn.entries.map(({id, fields, pending}) =>
          fields === undefined ? {kind: 'gone', stream, id, pending} : {kind: 'entry', stream, id, fields, pending},
        );
        expect(found.slice(1, 1 + entries.length)).toEqual(entries);
        const hashes = drawn.hashes.map((hash) => ({kind: 'hash', stream, ...hash}));
        expect(found.slice(1 + entries.length, -1)).toEqual(hashes);
        expect(found.at(-1)).toMatchObject({
          kind: 'end',
          stream,
          entries: entries.filter(({kind}) => kind === 'entry').length,
        });
      }),
    );
  });

  it('of an entry is an envelope to produce', () => {
    fc.assert(
      fc.property(section, (drawn) => {
        const lines = linesOf(drawn).slice(1, 1 + drawn.entries.length);
        for (const [index, {id, fields}] of drawn.entries.entries())
          if (fields !== undefined) expect(readRecord(lines[index]!.toString('utf8'))).toEqual({id, fields});
      }),
    );
  });

  it('keeps all digits of a count, and writes what the specification shows', () => {
    const line =
      '{"stream":"orders","id":"1-0","gone":true,"pending":[{"group":"g","consumer":"w1","deliveredAt":7,"deliveries":9223372036854775807}]}';
    expect(readSectionLine(line)).toMatchObject({pending: [{deliveries: 9223372036854775807n}]});
  });

  it('may have members that this version does not know', () => {
    const header =
      '{"streamlog":"export","version":1,"x":{"y":[1]},"stream":"s","at":"2026-12-01T00:50:11.412Z","whole":true,"length":0,"lastGeneratedId":"0-0","groups":[{"name":"g","lastDeliveredId":"0-0","pending":0,"z":1}]}';
    expect(readSectionLine(header)).toMatchObject({stream: 's', groups: [{name: 'g'}]});
    expect(readSectionLine('{"id":"1-0","fields":{"a":"1"},"idleMs":7}')).toMatchObject({id: '1-0', stream: undefined});
  });

  const header = {
    streamlog: 'export',
    version: 1,
    stream: 's',
    at: '2026-12-01T00:50:11.412Z',
    whole: true,
    length: 0,
    lastGeneratedId: '0-0',
    groups: [] as unknown[],
  };
  const pending = {group: 'g', consumer: 'c', deliveredAt: 1, deliveries: 1};
  it.each([
    ['a higher version', {...header, version: 2}, 'the format has version 2, and this streamlog reads up to 1'],
    ['no version', {...header, version: undefined}, '"version" is not there'],
    ['a bad time', {...header, at: 'yesterday'}, '"at" is not a time'],
    ['a bad ID', {...header, lastGeneratedId: '01-0'}, '"lastGeneratedId" is not an entry ID'],
    [
      'a group twice',
      {...header, groups: Array(2).fill({name: 'g', lastDeliveredId: '0-0', pending: 0})},
      'a group comes twice',
    ],
    ['a name that is none', {...header, stream: {$b64: '*'}}, '"stream" is not a name'],
    ['an unknown kind', {streamlog: 'other'}, '"streamlog" is none of'],
    ['no ID', {stream: 's', fields: {a: '1'}}, '"id" is not there'],
    ['an ID that is short', {stream: 's', id: '1', fields: {a: '1'}}, '"id" is not an entry ID'],
    ['no fields', {stream: 's', id: '1-0'}, 'a record has "fields"'],
    [
      'a group twice in pending',
      {stream: 's', id: '1-0', fields: {a: '1'}, pending: [pending, pending]},
      'pending once for each group',
    ],
    ['a gone entry that is not pending', {stream: 's', id: '1-0', gone: true}, 'an entry that is gone is pending'],
    [
      'deliveries that are text',
      {stream: 's', id: '1-0', gone: true, pending: [{...pending, deliveries: '1'}]},
      '"deliveries" is not a whole number',
    ],
    [
      'a hash of another kind',
      {streamlog: 'hash', stream: 's', of: 'x', key: 'k', fields: {a: '1'}},
      '"of" is "producer" or "request"',
    ],
    [
      'a short SHA-256',
      {streamlog: 'end', stream: 's', entries: 0, gone: 0, pending: 0, missing: 0, sha256: 'ab'},
      '"sha256" is not 64 hexadecimal',
    ],
  ])('with %s is refused, and invalid by the schema', (what, line, reason) => {
    expect(() => readSectionLine(JSON.stringify(line))).toThrow(reason);
    // A schema cannot tell that items are different in one member.
    if (!/twice/.test(what)) expect(isValid(JSON.parse(JSON.stringify(line)))).toBe(false);
  });

  it('has no number beyond 64 bits', () => {
    const line =
      '{"stream":"s","id":"1-0","gone":true,"pending":[{"group":"g","deliveredAt":7,"deliveries":9223372036854775808}]}';
    expect(() => readSectionLine(line)).toThrow('"deliveries" is not a number of 64 bits');
  });
});
