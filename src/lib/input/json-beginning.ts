/**
 * Whether a text begins with JSON, which may go on over several lines and be cut
 * off at the end of the text. It is for the beginning of an input that was taken for
 * something else; records are read by json-members.ts.
 */

export interface JsonBeginning {
  /** Where the value ends; the length of the text where it is cut off. */
  readonly end: number;
  readonly isCut: boolean;
  /** Whether a line ends within the value. */
  readonly spansLines: boolean;
}

const SPACE = /[ \t\r\n]*/y;
const TOKEN = /[{}[\],:]|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** What may become a token when more of the text is known. */
const CUT_TOKEN = /^(?:"[^\n]*|-?\d*\.?\d*[eE]?[+-]?|t(?:ru?)?|f(?:a(?:ls?)?)?|n(?:ul?)?)$/;

/** What the next token may be. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end';

/** The value that `text` begins with; undefined where it is no JSON. */
export function jsonBeginning(text: string): JsonBeginning | undefined {
  const open: string[] = [];
  let expected: Expected = 'value';
  const start = behindSpace(text, 0);
  for (let at = start; ; at = behindSpace(text, at)) {
    const token = tokenAt(text, at);
    if (token === undefined) {
      const isCut = CUT_TOKEN.test(text.slice(at));
      return isCut && at > start ? {end: text.length, isCut, spansLines: hasNewline(text, start, at)} : undefined;
    }
    const next = behindToken(token, expected, open);
    if (next === undefined) return undefined;
    at += token.length;
    if (open.length === 0) return {end: at, isCut: false, spansLines: hasNewline(text, start, at)};
    expected = next;
  }
}

/** What may come behind `token`; undefined where it may not come. `open` holds the brackets that are to be closed. */
function behindToken(token: string, expected: Expected, open: string[]): Expected | undefined {
  const inObject = open.at(-1) === '}';
  if (expected === 'colon') return token === ':' ? 'value' : undefined;
  if (expected === 'comma or end') {
    if (token === ',') return inObject ? 'key' : 'value';
    return closes(token, open) ? 'comma or end' : undefined;
  }
  if (expected === 'key' || expected === 'key or }') {
    if (token.startsWith('"')) return 'colon';
    return expected === 'key or }' && closes(token, open) ? 'comma or end' : undefined;
  }
  if (expected === 'value or ]' && closes(token, open)) return 'comma or end';
  if (token === '{' || token === '[') {
    open.push(token === '{' ? '}' : ']');
    return token === '{' ? 'key or }' : 'value or ]';
  }
  return /^[}\],:]/.test(token) ? undefined : 'comma or end';
}

function closes(token: string, open: string[]): boolean {
  if (token !== open.at(-1)) return false;
  open.pop();
  return true;
}

function tokenAt(text: string, at: number): string | undefined {
  TOKEN.lastIndex = at;
  return TOKEN.exec(text)?.[0];
}

function behindSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

const hasNewline = (text: string, start: number, end: number): boolean => text.slice(start, end).includes('\n');
