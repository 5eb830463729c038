import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {StreamlogError} from '../../src/lib/errors.js';
import {compileGlob} from '../../src/lib/glob.js';

/** The same language said as a regular expression. */
const asRegExp = (pattern: string): RegExp =>
  new RegExp(
    `^${[...pattern].map((char) => (char === '*' ? '.*' : char === '?' ? '.' : `\\u{${char.codePointAt(0)!.toString(16)}}`)).join('')}$`,
    'su',
  );

describe('a stream pattern', () => {
  it.each([
    ['events', 'events', true],
    ['events', 'events2', false],
    ['app-*', 'app-', true],
    ['app-*', 'app-a/b\nc', true],
    ['app-*', 'my-app-x', false],
    ['*', '', true],
    ['', 'x', false],
    ['?', '😀', true],
    ['?', 'ab', false],
    ['*.*', 'a.b.c', true],
    ['a*b*c', 'a-b-b-cc', true],
    ['a*b*c', 'a-c-b', false],
    ['a.c', 'abc', false],
    ['__proto__', '__proto__', true],
  ])('%j and the name %j: %s', (pattern, name, expected) => {
    expect(compileGlob(pattern)(name)).toBe(expected);
  });

  it('means what the same regular expression means', () => {
    const text = fc.string({unit: fc.constantFrom('a', 'b', '*', '?', '.', '/', '😀')});
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        expect(compileGlob(pattern)(name)).toBe(asRegExp(pattern).test(name));
      }),
      {numRuns: 1_000},
    );
  });

  it('cannot be made to take long by a name', () => {
    // Backtracking over every star would not end within the age of the universe.
    expect(compileGlob(`${'*a'.repeat(30)}*b`)('a'.repeat(2_000))).toBe(false);
  });

  it.each(['app[12]', 'a\\*'])('is refused when it is %j, which means more elsewhere', (pattern) => {
    expect(() => compileGlob(pattern)).toThrow(StreamlogError);
  });
});
