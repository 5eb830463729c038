/**
 * What a stream holds is somebody's data, and on a terminal data can be an
 * attack: an escape sequence moves the cursor, sets the clipboard or hides
 * text. Invariant: what `escapeForTerminal` returns has no character that a
 * terminal acts upon and none that changes the direction of text. In a pipe
 * nothing is escaped; there bytes pass unchanged.
 */

// C0, DEL and C1; soft hyphen; zero-width and bidi controls; line and paragraph separators; BOM.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const NAMED: Record<string, string> = {'\n': '\\n', '\r': '\\r', '\t': '\\t'};

/** Text that is safe to show, each unsafe character as `\n`, `\x1b` or `\u202e`. */
export const escapeForTerminal = (text: string): string => text.replace(UNSAFE, (char) => NAMED[char] ?? codeOf(char));

/** The same for a JSON text, which stays the same JSON: only its strings can hold such characters. */
export const escapeJsonForTerminal = (json: string): string =>
  json.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

function codeOf(char: string): string {
  const code = char.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}
