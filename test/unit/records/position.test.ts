import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type Position, parsePosition, parseTime} from '../../../src/lib/records/position.js';
import {FIRST_ID} from '../../../src/lib/records/stream-id.js';
import {streamId} from '../arbitraries.js';

const NOW = Date.parse('2026-07-01T12:00:00Z');
const START: Position = {kind: 'id', id: FIRST_ID};
const END: Position = {kind: 'end'};
const time = (iso: string): Position => ({kind: 'time', ms: Date.parse(iso)});

describe('the grammar of positions', () => {
  it.each<[text: string, position: Position]>([
    ['start', START],
    ['-', START],
    ['0', START],
    ['0-0', START],
    ['end', END],
    ['$', END],
    ['+', END],
    ['1526919030474-55', {kind: 'id', id: '1526919030474-55'}],
    ['007-01', {kind: 'id', id: '7-1'}],
    ['-1', {kind: 'last', count: 1}],
    ['-500', {kind: 'last', count: 500}],
    ['-0', END],
    ['@-1h', time('2026-07-01T11:00:00Z')],
    ['@-1h30m', time('2026-07-01T10:30:00Z')],
    ['@-100000d', {kind: 'time', ms: 0}],
    ['@0', {kind: 'time', ms: 0}],
    ['@1700000000', time('2023-11-14T22:13:20Z')],
    ['@1700000000123', time('2023-11-14T22:13:20.123Z')],
    ['@2026-01-31T12:00:00Z', time('2026-01-31T12:00:00Z')],
    ['@2026-01-31T12:00:00.25Z', time('2026-01-31T12:00:00.250Z')],
    ['@2026-01-31T12:00:00+02:00', time('2026-01-31T10:00:00Z')],
    ['@2026-01-31 12:00', time('2026-01-31T12:00:00Z')],
    ['@2026-01-31', time('2026-01-31T00:00:00Z')],
    ['@2026-01', time('2026-01-01T00:00:00Z')],
    ['@2024-02-29', time('2024-02-29T00:00:00Z')],
  ])('reads %j', (text, position) => expect(parsePosition(text, NOW)).toEqual(position));

  it.each([
    '',
    ' ',
    'START',
    'now',
    '--1',
    '-1.5',
    '-1h',
    '(1-1',
    '1-2-3',
    ' 1-1',
    '1e3',
    '18446744073709551616-0',
    '-99999999999999999999',
    '@',
    '@now',
    '@1h',
    '@-',
    '@-1',
    '@--1h',
    '@1.5',
    '@1e3',
    // Microseconds since 1970 are neither seconds nor milliseconds.
    '@1700000000000000',
    '@1969-12-31T00:00:00Z',
    '@2026-02-30',
    '@2025-02-29T00:00:00Z',
    '@2026-13-01',
    '@2026-01-31T25:00:00Z',
    '@2026-01-31T12:00:00Zzz',
    '@2026-01-31 noon',
    '@31.01.2026',
  ])('refuses %j as a usage error that quotes it', (text) => {
    expect(() => parsePosition(text, NOW)).toThrow(expect.objectContaining({kind: 'usage'}));
    expect(() => parsePosition(text, NOW)).toThrow(`"${text}"`);
  });

  it('says what would have been right', () => {
    expect(() => parsePosition('yesterday', NOW)).toThrow(
      expect.objectContaining({hint: expect.stringContaining('start, end, -N')}),
    );
    expect(() => parsePosition('@yesterday', NOW)).toThrow(
      expect.objectContaining({hint: expect.stringContaining('@-1h')}),
    );
  });

  it('reads an ID without sequence as the whole of its millisecond', () => {
    expect(parsePosition('5', NOW)).toEqual({kind: 'id', id: '5-0'});
    expect(parsePosition('5', NOW, 'start')).toEqual({kind: 'id', id: '5-0'});
    expect(parsePosition('5', NOW, 'end')).toEqual({kind: 'id', id: '5-18446744073709551615'});
    expect(parsePosition('0', NOW, 'end')).toEqual({kind: 'id', id: '0-18446744073709551615'});
  });

  it('takes every ID at either end of a range', () => {
    fc.assert(
      fc.property(streamId, fc.constantFrom('start' as const, 'end' as const), (id, bound) => {
        expect(parsePosition(id, NOW, bound)).toEqual({kind: 'id', id});
      }),
    );
  });
});

it('reads back every time that toISOString writes', () => {
  fc.assert(
    fc.property(fc.date({min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true}), (date) => {
      expect(parseTime(date.toISOString(), NOW)).toBe(date.getTime());
    }),
  );
});
