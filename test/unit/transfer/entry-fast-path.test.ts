import {isUtf8} from 'node:buffer';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {BadJson} from '../../../src/lib/input/bad-json.js';
import {EntryFastPath} from '../../../src/lib/transfer/entry-fast-path.js';
import {readSectionLine, type SectionLine} from '../../../src/lib/transfer/section-line.js';
import {linesOf, section} from './sections.js';

/** What the slow way finds; undefined where that is no entry. */
function slowly(line: Buffer): SectionLine | undefined {
  try {
    return readSectionLine(line.toString('utf8'));
  } catch (error) {
    if (error instanceof BadJson) return undefined;
    throw error;
  }
}

/** Undefined where it is not for the fast path. */
function quickly(stream: string, line: Buffer): unknown {
  try {
    const found = new EntryFastPath(stream).read(line);
    return (
      found && {kind: found.kind, stream: found.stream, id: found.id, fields: found.fields, pending: found.pending}
    );
  } catch (error) {
    if (error instanceof BadJson) return undefined;
    throw error;
  }
}

/** An edit: so many bytes at a place become these. */
const edit = fc.record({
  at: fc.nat(400),
  length: fc.nat(4),
  text: fc.oneof(
    fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      ',',
      ' ',
      ':',
      '\u0000',
      '\n',
      'é',
      ',"gone":true',
      ',"id":"1-1"',
      ',"x":null',
      '[]',
      '\\u0041',
    ),
    fc.string({maxLength: 3}),
  ),
});

describe('the fast path of entry lines', () => {
  it('finds what the slow one finds, in whatever was edited', () => {
    let accepted = 0;
    fc.assert(
      fc.property(section, fc.array(edit, {maxLength: 2}), (drawn, edits) => {
        for (const whole of linesOf(drawn)) {
          let line = whole.subarray(0, -1);
          for (const {at, length, text} of edits)
            line = Buffer.concat([line.subarray(0, at), Buffer.from(text), line.subarray(at + length)]);
          if (!isUtf8(line)) continue;
          const quick = quickly(drawn.header.stream, line);
          if (quick === undefined) continue;
          accepted++;
          expect(quick).toEqual(slowly(line));
        }
      }),
      {numRuns: 1_000},
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it('takes the usual line, and no other', () => {
    const line = (rest: string): Buffer => Buffer.from(`{"stream":"s","id":"1-0","fields":${rest}`);
    const quick = (rest: string): unknown => quickly('s', line(rest));
    expect(quick('{"a":"1","b":""}}')).toMatchObject({
      id: '1-0',
      fields: [
        ['a', '1'],
        ['b', ''],
      ],
      pending: [],
    });
    for (const rest of [
      '{"a":"1","a":"2"}}',
      '{}}',
      '{"a":"\\n"}}',
      '{"a":1}}',
      '{"a":"1"}',
      '{"a":"1"}}}',
      '{"a":"1"}},',
    ])
      expect(quick(rest), rest).toBeUndefined();
    expect(quickly('t', line('{"a":"1"}}'))).toBeUndefined();
  });
});
