import fc from 'fast-check';
import {expect, it} from 'vitest';
import {fileNameOf} from '../../../src/lib/transfer/export-file-name.js';
import {name} from './sections.js';

it('is plain, short, and another one for each stream', () => {
  const long = fc.tuple(fc.constant('x'.repeat(250)), name).map(([prefix, rest]) => prefix + rest);
  fc.assert(
    fc.property(fc.oneof(name, long), fc.oneof(name, long), (one, other) => {
      const [first, second] = [one, other].map((stream) => fileNameOf(stream, 'gzip'));
      expect(first).toMatch(/^(?![.-])[\w.:@+,={}%~-]{0,200}\.ndjson\.gz$|^\.ndjson\.gz$/);
      expect(first === second).toBe(one === other);
    }),
  );
});

it.each([
  ['orders', 'orders.ndjson'],
  ['a/b', 'a%2Fb.ndjson'],
  ['..', '%2E..ndjson'],
  ['-rf', '%2Drf.ndjson'],
  ['a%2Fb', 'a%252Fb.ndjson'],
])('of %j is %s', (stream, file) => {
  expect(fileNameOf(stream, undefined)).toBe(file);
});
