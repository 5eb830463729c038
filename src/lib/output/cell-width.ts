/**
 * How many cells of a terminal a text takes, and texts that are cut to fit. A wide character (Unicode UAX #11) and an emoji,
 * whatever it is made of (UTS #51), take two; a combining mark takes none.
 * Invariant: a cut text is never wider than asked, and no character of a reader's (UAX #29) is cut in two.
 */
import {stripVTControlCharacters} from 'node:util';

const ASCII = /^[ -~]*$/;
const ZERO = /[\p{M}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
// East Asian Width W and F of Unicode 17; those that are emoji have the property. Unassigned ones within a range are wide too.
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\u3247\u3250-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|(?!\p{Regional_Indicator})\p{Emoji_Presentation}/u;
/** Vowels and final consonants of Hangul, which join the consonant before them. */
const JOINING_JAMO = /[\u1160-\u11ff\ud7b0-\ud7ff]/;
const AS_EMOJI = /^\p{Emoji}\ufe0f/u;
const WITH_SKIN_TONE = /^\p{Emoji_Modifier_Base}\ufe0f?\p{Emoji_Modifier}$/u;
const JOINER = '\u200d';
// Made when it is needed, which takes 30 ms; not a literal, since TypeScript allows the flag v from ES2024 on.
const KNOWN_EMOJI = '^\\p{RGI_Emoji}$';
let knownEmoji: RegExp | undefined;
const ELLIPSIS = '…';

let segmenter: Intl.Segmenter | undefined;

/** Characters as a reader counts them. */
function charactersOf(text: string): string[] {
  if (ASCII.test(text)) return [...text];
  segmenter ??= new Intl.Segmenter('en', {granularity: 'grapheme'});
  return Array.from(segmenter.segment(text), ({segment}) => segment);
}

/** Cells that `text` takes, colours apart. */
export function cellsOf(text: string): number {
  if (ASCII.test(text)) return text.length;
  const plain = stripVTControlCharacters(text);
  return ASCII.test(plain) ? plain.length : charactersOf(plain).reduce((sum, one) => sum + cellsOfCharacter(one), 0);
}

/** Of a joined emoji that terminals do not know, the cells of its parts: it may be shown as those. */
function cellsOfCharacter(character: string): number {
  if (ASCII.test(character)) return character.length;
  if (character.includes(JOINER) && isKnownEmoji(character)) return 2;
  if (WITH_SKIN_TONE.test(character)) return 2;
  let cells = 0;
  for (const part of character) if (cells === 0 || !JOINING_JAMO.test(part)) cells += cellsOfPart(part);
  return AS_EMOJI.test(character) ? Math.max(cells, 2) : cells;
}

function isKnownEmoji(character: string): boolean {
  knownEmoji ??= new RegExp(KNOWN_EMOJI, 'v');
  return knownEmoji.test(character);
}

const cellsOfPart = (part: string): number => (ZERO.test(part) ? 0 : WIDE.test(part) ? 2 : 1);

/** The text, or its beginning and `…`. */
export function cutEnd(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  return cells < 1 ? '' : leading(charactersOf(text), cells - 1) + ELLIPSIS;
}

/** The text, or its beginning and its end with `…` between them: what tells names apart is often at their end. */
export function cutMiddle(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  if (cells < 1) return '';
  const characters = charactersOf(text);
  const room = cells - 1;
  const start = leading(characters, Math.ceil(room / 2));
  return start + ELLIPSIS + trailing(characters, room - cellsOf(start));
}

function leading(characters: readonly string[], cells: number): string {
  let left = cells;
  let end = 0;
  while (end < characters.length && cellsOfCharacter(characters[end]!) <= left)
    left -= cellsOfCharacter(characters[end++]!);
  return characters.slice(0, end).join('');
}

function trailing(characters: readonly string[], cells: number): string {
  let left = cells;
  let start = characters.length;
  while (start > 0 && cellsOfCharacter(characters[start - 1]!) <= left) left -= cellsOfCharacter(characters[--start]!);
  return characters.slice(start).join('');
}

/** The text in lines of at most `cells`, broken after a blank where that wastes less than half of a line. */
export function fold(text: string, cells: number): string[] {
  const lines: string[] = [];
  let rest = charactersOf(text);
  const width = Math.max(2, cells);
  for (;;) {
    const line = charactersOf(leading(rest, width));
    if (line.length === rest.length) return [...lines, line.join('')];
    const blank = line.lastIndexOf(' ') + 1;
    const end = rest[line.length] === ' ' ? line.length : blank > line.length / 2 ? blank : line.length;
    lines.push(rest.slice(0, Math.max(1, end)).join('').replace(/ +$/, ''));
    rest = rest.slice(Math.max(1, end));
    while (rest[0] === ' ') rest.shift();
  }
}
