/** JSON without the space between its tokens, and otherwise as it is written: numbers keep their digits, and keys that come twice stay. */

/** A string, or space. A string is matched in runs, as a group for each character would overflow the stack of the matcher. */
const STRING_OR_SPACE = /"[^"\\]*(?:\\.[^"\\]*)*"|[ \t\r\n]+/gs;

/** Undefined where `text` is not JSON, or too deep to tell. */
export function compactJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return text.replace(STRING_OR_SPACE, (token) => (token.startsWith('"') ? token : ''));
  } catch {
    return undefined;
  }
}
