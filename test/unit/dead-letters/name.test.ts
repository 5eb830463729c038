import {createRequire} from 'node:module';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {deadLetterStream, originOf, ownFields} from '../../../src/lib/dead-letters/name.js';

/** What ioredis goes by; it has no types. */
const calculateSlot = createRequire(import.meta.url)('cluster-key-slot') as (key: string) => number;

/** Names full of braces, which decide the slot. */
const name = fc.string({unit: fc.constantFrom('{', '}', 'a', 'b', ':', 'ü'), maxLength: 12});

const deadLetterOrRefusal = (stream: string): string | undefined => {
  try {
    return deadLetterStream(stream);
  } catch {
    return undefined;
  }
};

describe('the dead letter stream', () => {
  it.each([
    ['events', '{events}:dead'],
    ['orders:{eu}', 'orders:{eu}:dead'],
    ['{', '{{}:dead'],
    ['a{b', '{a{b}:dead'],
  ])('of %s is %s', (stream, expected) => {
    expect(deadLetterStream(stream)).toBe(expected);
  });

  it('is another stream in the same slot, and ends as the pattern that finds it says', () => {
    fc.assert(
      fc.property(name, (stream) => {
        const dead = deadLetterOrRefusal(stream);
        if (dead === undefined) return;
        expect(calculateSlot(dead)).toBe(calculateSlot(stream));
        expect(dead).not.toBe(stream);
        expect(dead.endsWith(':dead')).toBe(true);
      }),
      {numRuns: 2_000},
    );
  });

  it('is its own for each stream, but for a name and the same name in braces', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        const dead = deadLetterOrRefusal(a);
        fc.pre(a !== b && a !== `{${b}}` && b !== `{${a}}` && dead !== undefined);
        expect(deadLetterOrRefusal(b)).not.toBe(dead);
      }),
      {numRuns: 2_000},
    );
  });

  it('is refused only to a name with a closing brace that ends no hash tag, or without a character', () => {
    fc.assert(
      fc.property(name, (stream) => {
        fc.pre(stream !== '' && (!stream.includes('}') || /\{[^{}]+\}/.test(stream)));
        // The first brace opens the tag, so what looks like one further on is none.
        fc.pre(!/^[^{]*\{\}/.test(stream));
        expect(deadLetterOrRefusal(stream)).toBeDefined();
      }),
    );
    for (const stream of ['', '}', 'a}b', '{}', '{}a', '}{']) {
      expect(() => deadLetterStream(stream), stream).toThrow(/no hash tag/);
    }
  });
});

describe('where a dead letter came from', () => {
  const fields = [
    ['type', 'login'],
    ['_dlq_stream', 'events'],
    ['_dlq_reason', Buffer.from([0xff])],
    ['_dlq_note', 'mine'],
  ] as const;

  it('is undefined where the entry does not say, and text where it does', () => {
    expect(originOf(fields)).toMatchObject({stream: 'events', reason: '\udcff', group: undefined, deaths: undefined});
    expect(originOf([])).toMatchObject({stream: undefined});
  });

  it('is told apart from what the entry held before', () => {
    expect(ownFields(fields)).toEqual([
      ['type', 'login'],
      ['_dlq_note', 'mine'],
    ]);
  });
});
