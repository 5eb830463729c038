import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {escapeForTerminal, escapeJsonForTerminal} from '../../../src/lib/output/sanitize.js';
import {text} from '../arbitraries.js';

/** What a terminal acts upon, shows in another order or not at all, as ranges of code points, apart from the code under test. */
const UNSAFE_RANGES = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x2064],
  [0x2066, 0x206f],
  [0x3164, 0x3164],
  [0xfdd0, 0xfdef],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
  [0xe0100, 0xe01ef],
] as const;

const unsafe = fc.constantFrom(...UNSAFE_RANGES).chain(([from, to]) => fc.integer({min: from, max: to}));
const hostile = fc
  .array(
    fc.oneof(
      unsafe.map((code) => String.fromCodePoint(code)),
      text,
    ),
  )
  .map((parts) => parts.join(''));
const isUnsafe = (char: string): boolean =>
  UNSAFE_RANGES.some(([from, to]) => char.codePointAt(0)! >= from && char.codePointAt(0)! <= to);

const JOINING_SCRIPTS = [
  'Arab',
  'Syrc',
  'Mong',
  'Deva',
  'Beng',
  'Guru',
  'Gujr',
  'Orya',
  'Taml',
  'Telu',
  'Knda',
  'Mlym',
  'Sinh',
  'Khmr',
];
/** A letter or mark of a script that writes joiners. */
const JOINING = new RegExp(`^(?!\\p{C})(?:${JOINING_SCRIPTS.map((script) => `\\p{sc=${script}}`).join('|')})$`, 'u');

/** The unsafe characters of `shown`, but for a joiner within a word or between two pictures, and one selector after what is drawn. */
const unsafeOf = (shown: string): string[] =>
  [...shown].filter((char, at, all) => {
    if (!isUnsafe(char)) return false;
    const before = all[at - 1] ?? '';
    if (/[\u200c\u200d]/.test(char) && JOINING.test(before) && JOINING.test(all[at + 1] ?? '')) return false;
    if (char === '\u200d') return !/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f/u.test(before);
    if (/[\u{e0100}-\u{e01ef}]/u.test(char)) return !/\p{Script=Han}/u.test(before);
    if (/[\ufe00-\ufe0f]/.test(char)) return !/[\p{L}\p{N}\p{P}\p{S}]/u.test(before);
    return true;
  });

describe('on a terminal', () => {
  it.each([
    ['OSC 52 sets the clipboard', '\u001b]52;c;cm0gLXJmIH4=\u0007', '\\x1b]52;c;cm0gLXJmIH4=\\x07'],
    ['OSC 0 renames the window', '\u001b]0;root@prod\u001b\\', '\\x1b]0;root@prod\\x1b\\'],
    ['OSC 8 hides where a link goes', '\u001b]8;;http://evil\u0007docs', '\\x1b]8;;http://evil\\x07docs'],
    ['CSI moves the cursor', 'a\u001b[2J\u001b[Hb', 'a\\x1b[2J\\x1b[Hb'],
    ['CSI colours text to hide it', '\u001b[8mhidden\u001b[0m', '\\x1b[8mhidden\\x1b[0m'],
    ['DCS asks the terminal to type', '\u001bP$q"p\u001b\\', '\\x1bP$q"p\\x1b\\'],
    ['C1 CSI does the same in one character', 'a\u009b2Jb', 'a\\x9b2Jb'],
    ['C1 OSC too', '\u009d52;c;AA==\u009c', '\\x9d52;c;AA==\\x9c'],
    ['CR overwrites what was said before', 'FAILED\rOK    ', 'FAILED\\rOK    '],
    ['backspaces rub it out', 'no\b\byes', 'no\\x08\\x08yes'],
    ['LF forges a line', 'x\nstreamlog: all fine', 'x\\nstreamlog: all fine'],
    ['bell rings', '\u0007', '\\x07'],
    ['DEL', 'a\u007fb', 'a\\x7fb'],
    ['NUL', 'a\u0000b', 'a\\x00b'],
    ['bidi override reverses text', 'user\u202etxt.exe', 'user\\u202etxt.exe'],
    ['bidi isolates reorder it', '\u2066a\u2069', '\\u2066a\\u2069'],
    ['zero-width space tells equal names apart', 'adm\u200bin', 'adm\\u200bin'],
    ['line separator', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['BOM hides at the front', '\ufeffkey', '\\ufeffkey'],
    ['tags smuggle text that nobody sees', 'a\u{e0041}\u{e007f}', 'a\\u{e0041}\\u{e007f}'],
  ])('%s: shown, not obeyed', (_, attack, shown) => expect(escapeForTerminal(attack)).toBe(shown));

  it.each([
    ['two selectors, of which one is enough', '❤\ufe0f\ufe0f', '❤\ufe0f\\ufe0f'],
    ['selectors that smuggle bytes', 'a\u{e0100}\u{e0101}', 'a\\u{e0100}\\u{e0101}'],
    ['a joiner at the end', '🙂\u200d', '🙂\\u200d'],
    ['a joiner between letters that do not join', 'ad\u200dmin', 'ad\\u200dmin'],
    ['a flag with a message', '🏴\u{e0068}\u{e0069}\u{e007f}', '🏴\\u{e0068}\\u{e0069}\\u{e007f}'],
    [
      'joiners between what is not drawn',
      '\u061c\u200c\u061c\u180e\u200d\u180e',
      '\\u061c\\u200c\\u061c\\u180e\\u200d\\u180e',
    ],
    ['a filler that looks like nothing', '\u3164', '\\u3164'],
    ['what Unicode has not assigned', '\u{ffff}\u0378', '\\uffff\\u0378'],
  ])('%s: shown', (_, attack, shown) => expect(escapeForTerminal(attack)).toBe(shown));

  it.each([
    '👨‍👩‍👧 family',
    '🏳️‍🌈',
    '👍🏽👩🏽‍🚀',
    '❤️ and ❤',
    '1️⃣',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
    '葛\u{e0100}城',
    'می\u200cخواهم',
    'क्\u200dष',
    'z\u0300\u0301',
    '',
    'plain',
    'type=login user=7',
    'Grüße, Ελλάδα, 日本語',
    'emoji 🙂 and flags 🇪🇸',
    'שלום مرحبا',
    '\\n',
  ])('leaves %j as it is', (value) => {
    expect(escapeForTerminal(value)).toBe(value);
    expect(escapeJsonForTerminal(JSON.stringify(value))).toBe(JSON.stringify(value));
  });

  it('lets no unsafe character through, and loses no other', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const shown = escapeForTerminal(value);
        expect(unsafeOf(shown)).toEqual([]);
        // Every visible character is still there, in its order.
        let at = 0;
        for (const char of [...value].filter((one) => !/\p{C}|\p{Z}|\p{Default_Ignorable_Code_Point}/u.test(one))) {
          at = shown.indexOf(char, at) + char.length;
          expect(at).toBeGreaterThanOrEqual(char.length);
        }
      }),
    );
  });

  it('escapes JSON to the same JSON', () => {
    fc.assert(
      fc.property(fc.dictionary(hostile, hostile), (value) => {
        const shown = escapeJsonForTerminal(JSON.stringify(value));
        expect(unsafeOf(shown)).toEqual([]);
        expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
