import fc from 'fast-check';
import {expect, it} from 'vitest';
import {prettyIfJson, prettyJson} from '../../../src/lib/output/pretty-json.js';

it('is what JSON.stringify makes with an indent', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      expect(prettyJson(json)).toBe(JSON.stringify(JSON.parse(json), null, 2));
    }),
  );
});

it('keeps numbers, escapes, repeated names and their order', () => {
  expect(prettyJson('{"2":1.0,"1":12345678901234567890,"a":"\\u00e9\\"}","a":-0e1}')).toBe(
    '{\n  "2": 1.0,\n  "1": 12345678901234567890,\n  "a": "\\u00e9\\"}",\n  "a": -0e1\n}',
  );
});

it.each(['', 'text', '12', '"a"', '{a:1}', '[1,]', '{"a":1} x'])('%j is no JSON that has parts', (text) =>
  expect(prettyIfJson(text)).toBeUndefined(),
);
