import fc from 'fast-check';
import {expect, it} from 'vitest';
import {compactJson} from '../../../src/lib/records/compact-json.js';
import {jsonText, nearlyJson} from '../filter/records.js';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

it('means the same, in one line without space between its tokens', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      const compact = compactJson(text)!;
      expect(JSON.parse(compact)).toEqual(JSON.parse(text));
      expect(compact.replace(/"(?:\\.|[^"\\])*"/g, '')).not.toMatch(/\s/);
      expect(compactJson(compact)).toBe(compact);
    }),
  );
});

it('is undefined for what is not JSON', () => {
  fc.assert(
    fc.property(nearlyJson, (text) => {
      expect(compactJson(text) === undefined).toBe(!isJson(text));
    }),
  );
});

it('keeps numbers of any length, keys that come twice and long strings', () => {
  expect(compactJson(' { "a" : 9007199254740993 , "a" : 1.0 } ')).toBe('{"a":9007199254740993,"a":1.0}');
  const long = JSON.stringify(' "x" \\ '.repeat(500_000));
  expect(compactJson(` ${long}\n`)).toBe(long);
});
