/**
 * Data can attack a terminal: an escape sequence moves the cursor, sets the clipboard or hides text.
 * Invariant: escaped text has no character that a terminal acts upon, and none that changes the
 * direction of text (Unicode UAX #9). In a pipe, nothing is escaped.
 */

// Controls (C0, DEL, C1); format characters (bidi, zero-width, tags, BOM); line and paragraph separators; bytes
// of names that are not UTF-8 (names.ts).
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
const NAMED: Record<string, string> = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};

/** Text that is safe to show, each unsafe character as `\n`, `\x1b` or `\u202e`. */
export const escapeForTerminal = (text: string): string => text.replace(UNSAFE, (char) => NAMED[char] ?? codeOf(char));

/** The same for JSON, which keeps its meaning: only strings can have such characters. */
export const escapeJsonForTerminal = (json: string): string =>
  json.replace(UNSAFE, (char) => char.split('').map(codeUnitOf).join(''));

function codeOf(char: string): string {
  const code = char.codePointAt(0)!;
  const byte = code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : code;
  if (byte < 0x100) return `\\x${byte.toString(16).padStart(2, '0')}`;
  return code < 0x10000 ? codeUnitOf(char) : `\\u{${code.toString(16)}}`;
}

/** JSON writes a character beyond U+FFFF as two of these (RFC 8259, 7). */
const codeUnitOf = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
