/**
 * Data can attack a terminal: an escape sequence moves the cursor, sets the clipboard or hides text.
 * Invariant: escaped text has no character that a terminal acts upon, none that changes the direction of text (Unicode
 * UAX #9), and none that is not drawn, but within an emoji or a word that needs it. In a pipe, nothing is escaped.
 */

// Controls (C0, DEL, C1); format characters (bidi, zero-width, tags, BOM) and others that are not drawn; line and paragraph
// separators; what is not assigned; bytes of names that are not UTF-8 (names.ts).
const UNSAFE = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Cn}\p{Default_Ignorable_Code_Point}]`;

/** Before a character that can be seen. */
const DRAWN = String.raw`(?!\p{C}|\p{Default_Ignorable_Code_Point})`;

/** What is not drawn, and belongs to what stands before it: joiners and variation selectors. */
const KEPT = [
  // Emoji of several, such as a family.
  String.raw`\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?(?:\u200d\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)+`,
  // England, Scotland, Wales.
  String.raw`\u{1f3f4}\u{e0067}\u{e0062}(?:\u{e0065}\u{e006e}\u{e0067}|\u{e0073}\u{e0063}\u{e0074}|\u{e0077}\u{e006c}\u{e0073})\u{e007f}`,
  // One selector for a character, such as ❤ in colour.
  String.raw`${DRAWN}[\p{L}\p{N}\p{P}\p{S}][\ufe00-\ufe0f]`,
  String.raw`\p{Script=Han}[\u{e0100}-\u{e01ef}]`,
  // Joiners within words of the scripts that have them (RFC 5892, A.1 and A.2).
  ...['Arabic', 'Syriac', 'Mongolian', 'Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu']
    .concat('Kannada', 'Malayalam', 'Sinhala', 'Khmer')
    .map((script) => String.raw`(?<=${DRAWN}\p{Script=${script}})[\u200c\u200d](?=${DRAWN}\p{Script=${script}})`),
].join('|');

let unsafeOrKept: RegExp | undefined;
/** Made when it is needed. */
const pattern = (): RegExp => {
  unsafeOrKept ??= new RegExp(`(${KEPT})|${UNSAFE}`, 'gu');
  return unsafeOrKept;
};
const NAMED: Record<string, string> = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};
const PLAIN = /^[ -~]*$/;

/** Text that is safe to show, each unsafe character as `\n`, `\x1b` or `\u202e`. */
export const escapeForTerminal = (text: string): string =>
  PLAIN.test(text) ? text : text.replace(pattern(), (char, kept) => kept ?? NAMED[char] ?? codeOf(char));

/** The same for JSON, which keeps its meaning: only strings can have such characters. */
export const escapeJsonForTerminal = (json: string): string =>
  PLAIN.test(json) ? json : json.replace(pattern(), (char, kept) => kept ?? char.split('').map(codeUnitOf).join(''));

/** `escapeForTerminal` for a text with a cell of its own: a combining mark at its beginning would be drawn over what stands before it. */
export function escapeForCell(text: string): string {
  const safe = escapeForTerminal(text);
  return /^\p{M}/u.test(safe) ? `◌${safe}` : safe;
}

function codeOf(char: string): string {
  const code = char.codePointAt(0)!;
  const byte = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
  if (byte < 0x100) return `\\x${byte.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? codeUnitOf(char) : `\\u{${code.toString(16)}}`;
}

/** JSON writes a character beyond U+FFFF as two of these (RFC 8259, 7). */
const codeUnitOf = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
