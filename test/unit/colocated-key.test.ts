/** Names of keys beside a stream: each its own, and in the slot of the stream, for names that no sane person gives. */
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {colocatedKey, deadLetterKey, isReservedKey, type KeyKind, ownerOfKey} from '../../src/lib/colocated-key.js';
import {decodeName, encodeName} from '../../src/lib/records/names.js';

/** As the specification of Redis Cluster has it; the package that ioredis goes by takes `{}}` for a hash tag. */
function slotOfKey(key: string): number {
  let hashed = Buffer.from(encodeName(key) as string);
  const open = hashed.indexOf('{');
  const close = open === -1 ? -1 : hashed.indexOf('}', open);
  if (close > open + 1) hashed = hashed.subarray(open + 1, close);
  let crc = 0;
  for (const byte of hashed) {
    for (let bit = 7; bit >= 0; bit--) {
      const carry = (crc >> 15) ^ ((byte >> bit) & 1);
      crc = ((crc << 1) & 0xffff) ^ (carry ? 0x1021 : 0);
    }
  }
  return crc & 16_383;
}

/** Pieces of our own names, so that one name is often made of another. */
const piece = fc.constantFrom(
  '{',
  '}',
  '{}',
  'a',
  'e',
  ':',
  ':dead',
  ':%:',
  '%7D',
  '%',
  'producer',
  ':streamlog:',
  '0',
  '8411',
  'ü',
  '\0',
  ' ',
  '\n',
);
const text = fc.array(piece, {maxLength: 7}).map((pieces) => pieces.join(''));
const bytes = fc.uint8Array({maxLength: 6}).map((array) => decodeName(Buffer.from(array)));
const name: fc.Arbitrary<string> = fc.oneof({weight: 5, arbitrary: text}, {weight: 1, arbitrary: bytes});
const kind = fc.constantFrom<KeyKind>('producer', 'request');
/** A name and what a name may be made of it, which is where two of them meet. */
const derived: fc.Arbitrary<[string, string]> = fc.oneof(
  fc.tuple(name, name),
  text.map((stream): [string, string] => [stream, `{${stream}}`]),
  text.chain((stream) =>
    fc.constantFrom<[string, string]>(
      [stream, deadLetterKey(stream)],
      [`{${stream}}:`, deadLetterKey(stream)],
      [deadLetterKey(stream).replace(/:dead$/, ''), stream],
    ),
  ),
);

describe('a key of ours', () => {
  it('is in the slot of its stream, and reserved', () => {
    fc.assert(
      fc.property(kind, name, fc.array(name, {maxLength: 2}), (what, stream, parts) => {
        const key = colocatedKey(what, stream, ...parts);
        expect(slotOfKey(key)).toBe(slotOfKey(stream));
        expect(isReservedKey(key)).toBe(true);
      }),
      {numRuns: 3_000},
    );
  });

  it('is that of one kind, stream and list of parts only', () => {
    const all = new Map<string, string>();
    fc.assert(
      fc.property(kind, derived, fc.array(name, {maxLength: 2}), (what, streams, parts) => {
        for (const stream of streams) {
          const of = JSON.stringify([what, stream, parts]);
          const key = colocatedKey(what, stream, ...parts);
          expect(all.get(key) ?? of).toBe(of);
          all.set(key, of);
        }
      }),
      {numRuns: 5_000},
    );
  });

  it('says whose it is', () => {
    fc.assert(
      fc.property(kind, name, fc.array(name, {maxLength: 2}), (what, stream, parts) => {
        expect(ownerOfKey(colocatedKey(what, stream, ...parts))).toEqual({kind: what, stream});
        expect(ownerOfKey(deadLetterKey(stream))).toBeUndefined();
      }),
      {numRuns: 3_000},
    );
    expect(ownerOfKey('{other}:streamlog:producer:events:p')).toBeUndefined();
  });

  it('of a well-named stream can be read', () => {
    expect(colocatedKey('producer', 'events', 'orders-2026-01')).toBe(
      '{events}:streamlog:producer:events:orders-2026-01',
    );
    expect(colocatedKey('producer', '{events}', 'p')).toBe('{events}:streamlog:producer:%7Bevents%7D:p');
    expect(colocatedKey('producer', 'app:{eu}:x', 'a:b')).toBe('{eu}:streamlog:producer:app%3A%7Beu%7D%3Ax:a%3Ab');
  });
});

describe('the dead letter stream', () => {
  it.each([
    ['events', '{events}:dead'],
    ['{events}', '{events}::dead'],
    ['orders:{eu}', 'orders:{eu}:dead'],
    ['{eu}:orders', '{eu}:orders:dead'],
    ['{', '{{}:dead'],
    ['a{b', '{a{b}:dead'],
  ])('of %s is %s', (stream, expected) => {
    expect(deadLetterKey(stream)).toBe(expected);
  });

  it('is another stream in the same slot, and ends as the pattern that finds it says', () => {
    fc.assert(
      fc.property(name, (stream) => {
        const dead = deadLetterKey(stream);
        expect(slotOfKey(dead)).toBe(slotOfKey(stream));
        expect(dead).not.toBe(stream);
        expect(dead.endsWith(':dead')).toBe(true);
      }),
      {numRuns: 3_000},
    );
  });

  it('is its own for each stream', () => {
    const all = new Map<string, string>();
    fc.assert(
      fc.property(derived, (streams) => {
        for (const stream of streams) {
          const of = JSON.stringify(stream);
          const dead = deadLetterKey(stream);
          expect(all.get(dead) ?? of).toBe(of);
          all.set(dead, of);
        }
      }),
      {numRuns: 5_000},
    );
  });

  it('is none of the keys of ours', () => {
    fc.assert(
      fc.property(kind, derived, (what, [a, b]) => {
        fc.pre(!isReservedKey(a));
        expect(deadLetterKey(a)).not.toBe(colocatedKey(what, b, 'dead'));
      }),
      {numRuns: 2_000},
    );
  });
});
