/** `\n`, `\t`, `\0`, `\r`, `\\` and `\xNN` in what a user types, where a shell passes them as they are. */
import {Buffer} from 'node:buffer';

const CHARACTERS: Record<string, string> = {'\\n': '\n', '\\t': '\t', '\\0': '\0', '\\r': '\r', '\\\\': '\\'};

/** What one escape stands for; undefined for one that is not known. */
export function escapedBytes(text: string): Buffer | undefined {
  if (/^\\x[0-9a-fA-F]{2}$/.test(text)) return Buffer.from(text.slice(2), 'hex');
  const char = CHARACTERS[text];
  return char === undefined ? undefined : Buffer.from(char);
}

/** The bytes of a text with escapes; undefined where one is not known. */
export function unescapedBytes(text: string): Buffer | undefined {
  const parts: Buffer[] = [];
  for (const [part] of text.matchAll(/\\x[0-9a-fA-F]{2}|\\.?|[^\\]+/gsu)) {
    const bytes = part.startsWith('\\') ? escapedBytes(part) : Buffer.from(part);
    if (bytes === undefined) return undefined;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
