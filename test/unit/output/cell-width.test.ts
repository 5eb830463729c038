import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {cellsOf, cutEnd, cutMiddle, fold} from '../../../src/lib/output/cell-width.js';

const FAMILY = '👨‍👩‍👧';
const ENGLAND = '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}';
/** Characters of a reader's, with the cells that they take, from Unicode's charts and UTS #51. */
const CHARACTERS: [character: string, cells: number][] = [
  ['a', 1],
  [' ', 1],
  ['é', 1],
  ['e\u0301', 1],
  ['z\u0300\u0301\u0302\u0303', 1],
  ['日', 2],
  ['ｱ', 1],
  ['Ａ', 2],
  ['　', 2],
  ['한', 2],
  ['\u1112\u1161\u11ab', 2],
  ['か\u3099', 2],
  ['م', 1],
  ['ש\u05b8', 1],
  ['ก\u0e49', 1],
  ['🙂', 2],
  ['👍🏽', 2],
  [FAMILY, 2],
  ['🏳️‍🌈', 2],
  ['❤', 1],
  ['❤️', 2],
  ['✂︎', 1],
  ['1️⃣', 2],
  ['🇪🇸', 2],
  ['🇪', 1],
  [ENGLAND, 2],
  ['…', 1],
  ['☰', 2],
  ['𠀋', 2],
  ['𝕏', 1],
];

const characters = fc.array(fc.constantFrom(...CHARACTERS), {maxLength: 30});
/** As they stand beside each other: half of a flag would join the next one, and so would a mark. */
const apart = characters.map((list) => list.filter(([one], at) => one !== '🇪' || !list[at + 1]?.[0].startsWith('🇪')));
const textOf = (list: readonly (readonly [string, number])[]): string => list.map(([one]) => one).join('');
const sumOf = (list: readonly (readonly [string, number])[]): number => list.reduce((sum, [, cells]) => sum + cells, 0);

describe('the width of a text', () => {
  it.each(CHARACTERS)('%j takes %i', (character, cells) => expect(cellsOf(character)).toBe(cells));

  it('is the sum of those of its characters', () => {
    fc.assert(
      fc.property(apart, (list) => {
        expect(cellsOf(textOf(list))).toBe(sumOf(list));
      }),
    );
  });

  it('does not count colours', () => expect(cellsOf('\u001b[1m日本\u001b[22m')).toBe(4));

  it('counts emoji that terminals do not know as their parts', () => expect(cellsOf('🙂\u200d🙂\u200d🙂')).toBe(6));
});

/** Whether `part` is made of whole characters of `list`, from its beginning. */
const startsWhole = (list: readonly (readonly [string, number])[], part: string): boolean =>
  list.some((_, count) => textOf(list.slice(0, count)) === part) || textOf(list) === part;

describe('a text that is cut', () => {
  it('fits, keeps what fits, and no character is cut in two', () => {
    fc.assert(
      fc.property(apart, fc.nat(40), (list, cells) => {
        const text = textOf(list);
        const end = cutEnd(text, cells);
        const middle = cutMiddle(text, cells);
        for (const cut of [end, middle]) expect(cellsOf(cut)).toBeLessThanOrEqual(cells);
        if (sumOf(list) <= cells) {
          expect([end, middle]).toEqual([text, text]);
        } else if (cells > 0) {
          expect(end.endsWith('…')).toBe(true);
          expect(startsWhole(list, end.slice(0, -1))).toBe(true);
          // Only a wide character can have been too much for the room.
          expect(cellsOf(end)).toBeGreaterThanOrEqual(cells - 1);
          expect(cellsOf(middle)).toBeGreaterThanOrEqual(cells - 2);
        }
      }),
    );
  });

  it('keeps beginning and end', () => {
    expect(cutMiddle('orders:eu-west-1:2026', 12)).toBe('orders…:2026');
    expect(cutMiddle('日本語の長い名前', 8)).toBe('日本…前');
    expect(cutEnd(`${FAMILY}${FAMILY}${FAMILY}`, 5)).toBe(`${FAMILY}${FAMILY}…`);
  });
});

describe('a text that is folded', () => {
  it('loses nothing but blanks, and fits', () => {
    fc.assert(
      fc.property(apart, fc.integer({min: 2, max: 40}), (list, cells) => {
        const lines = fold(textOf(list), cells);
        for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(cells);
        expect(lines.join('').replaceAll(' ', '')).toBe(textOf(list).replaceAll(' ', ''));
      }),
    );
  });

  it('breaks after a blank where there is one', () => {
    expect(fold('1526919030474-55  (3m ago)', 20)).toEqual(['1526919030474-55', '(3m ago)']);
    expect(fold('/a/very/long/path', 7)).toEqual(['/a/very', '/long/p', 'ath']);
    expect(fold('', 7)).toEqual(['']);
  });
});
