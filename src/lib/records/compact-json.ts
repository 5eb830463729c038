/** JSON without the space between its tokens, and otherwise as it is written: numbers keep their digits, and keys that come twice stay. */

const [QUOTE, BACKSLASH] = [0x22, 0x5c] as const;

/** Undefined where `text` is not JSON, or too deep to tell. */
export function compactJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return withoutSpace(text);
  } catch {
    return undefined;
  }
}

/** The same for what is known to be JSON. */
export function withoutSpace(json: string): string {
  if (!/[ \t\r\n]/.test(json)) return json;
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = behindString(json, at);
    } else if (isSpace(code)) {
      if (at > start) parts.push(json.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(json.slice(start));
  return parts.join('');
}

/** Where the closing quote is of the string that begins at `start`. */
function behindString(json: string, start: number): number {
  let at = start + 1;
  for (let code = json.charCodeAt(at); code !== QUOTE; code = json.charCodeAt(at)) at += code === BACKSLASH ? 2 : 1;
  return at;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
