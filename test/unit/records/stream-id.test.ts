import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  compareStreamIds,
  earlierId,
  FIRST_ID,
  isEntryId,
  isIdIn,
  LAST_ID,
  millisecondsOf,
  parseStreamId,
  predecessorOf,
  successorOf,
  timePartOf,
} from '../../../src/lib/records/stream-id.js';
import {idParts, streamId} from '../arbitraries.js';

const MAX = 18_446_744_073_709_551_615n;

/** The naive model: an ID is one 128-bit number. */
const toNumber = (id: string): bigint => {
  const [ms, sequence] = id.split('-');
  return (BigInt(ms!) << 64n) | BigInt(sequence!);
};
const toId = (number: bigint): string => `${number >> 64n}-${number & MAX}`;
const sign = (number: number | bigint): number => (number < 0 ? -1 : number > 0 ? 1 : 0);

describe('parsing an ID', () => {
  it.each([
    ['0-0', FIRST_ID],
    ['1526919030474-55', '1526919030474-55'],
    ['18446744073709551615-18446744073709551615', LAST_ID],
    ['1526919030474', '1526919030474-0'],
    ['0', '0-0'],
    ['007-01', '7-1'],
    ['00-00', '0-0'],
  ])('reads %j as %s', (text, id) => expect(parseStreamId(text)).toBe(id));

  it.each([
    '',
    '-',
    '-1',
    '1-',
    '-1-1',
    '1-2-3',
    ' 1-1',
    '1-1 ',
    '1-1\n',
    '1 -1',
    '1e3',
    '1.5-0',
    '0x10',
    '+1-1',
    '1-+1',
    '1_000',
    '١-١',
    '*',
    '1-*',
    '$',
    '18446744073709551616-0',
    '0-18446744073709551616',
    '99999999999999999999999999-0',
  ])('refuses %j', (text) => expect(parseStreamId(text)).toBeUndefined());

  it('takes the missing sequence that it is given, as the end of a range needs it', () => {
    expect(parseStreamId('5', String(MAX))).toBe(`5-${MAX}`);
    expect(parseStreamId('5-3', String(MAX))).toBe('5-3');
  });

  it('gives equal IDs equal strings, however many zeros lead', () => {
    fc.assert(
      fc.property(idParts, ([ms, sequence]) => {
        const padded = `${String(ms).padStart(20, '0')}-${String(sequence).padStart(20, '0')}`;
        expect(parseStreamId(padded)).toBe(`${ms}-${sequence}`);
      }),
    );
  });

  it('reads nothing but IDs out of arbitrary text', () => {
    fc.assert(
      fc.property(fc.string({unit: fc.constantFrom('0', '1', '9', '-', ' ', 'e', '+'), maxLength: 24}), (text) => {
        const id = parseStreamId(text);
        if (id !== undefined) expect(parseStreamId(id)).toBe(id);
        expect(id !== undefined).toBe(
          /^\d+(-\d+)?$/.test(text) && text.split('-').every((part) => part.length <= 20 && BigInt(part) <= MAX),
        );
      }),
    );
  });
});

describe('the order of IDs', () => {
  it('is that of 128-bit numbers', () => {
    fc.assert(
      fc.property(streamId, streamId, (a, b) => {
        expect(sign(compareStreamIds(a, b))).toBe(sign(toNumber(a) - toNumber(b)));
        expect(earlierId(a, b)).toBe(toNumber(a) <= toNumber(b) ? a : b);
      }),
    );
  });

  it.each([
    ['9-0', '10-0'],
    ['1-9', '1-10'],
    ['1-18446744073709551615', '2-0'],
    // One apart, and the same as JavaScript numbers.
    ['9007199254740992-0', '9007199254740993-0'],
    [FIRST_ID, LAST_ID],
  ])('puts %s before %s', (a, b) => {
    expect(compareStreamIds(a, b)).toBeLessThan(0);
    expect(compareStreamIds(b, a)).toBeGreaterThan(0);
    expect(compareStreamIds(a, a)).toBe(0);
  });
});

describe('the neighbours of an ID', () => {
  it('are one more and one less as 128-bit numbers', () => {
    fc.assert(
      fc.property(streamId, (id) => {
        const number = toNumber(id);
        expect(successorOf(id)).toBe(id === LAST_ID ? undefined : toId(number + 1n));
        expect(predecessorOf(id)).toBe(id === FIRST_ID ? undefined : toId(number - 1n));
      }),
    );
  });

  it('carry from sequence to milliseconds and back', () => {
    expect(successorOf(`5-${MAX}`)).toBe('6-0');
    expect(predecessorOf('6-0')).toBe(`5-${MAX}`);
  });

  it('end at the first and at the last ID', () => {
    expect(predecessorOf(FIRST_ID)).toBeUndefined();
    expect(successorOf(LAST_ID)).toBeUndefined();
  });
});

it('reads the time out of an ID', () => {
  expect(millisecondsOf('1526919030474-55')).toBe(1_526_919_030_474);
  expect(timePartOf(LAST_ID)).toBe(String(MAX));
});

it('is an ID among other bytes exactly where its text alone is one', () => {
  const part = fc.oneof(
    fc.bigInt({min: 0n, max: MAX + 9n}).map(String),
    fc.constantFrom(
      '',
      '0',
      '00',
      '07',
      '7',
      '-',
      'x',
      '1 ',
      '18446744073709551615',
      '18446744073709551616',
      '99999999999999999999',
    ),
  );
  const digits = fc.constantFrom('', '1', '-', '\r\n', '99');
  fc.assert(
    fc.property(
      part,
      fc.constantFrom('-', '', '--', '\r'),
      part,
      digits,
      digits,
      (ms, dash, sequence, before, behind) => {
        const text = `${ms}${dash}${sequence}`;
        const bytes = Buffer.from(`${before}${text}${behind}`);
        expect(isIdIn(bytes, before.length, before.length + text.length)).toBe(isEntryId(text));
      },
    ),
    {numRuns: 2_000},
  );
});
