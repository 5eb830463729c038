/** JSON on several lines. Invariant: only blanks and newlines between tokens change: numbers, escapes and repeated names stay. */
import {escapeJsonForTerminal} from './sanitize.js';

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs;
const INDENT = '  ';

/** `json` has to be valid. */
export function prettyJson(json: string): string {
  let text = '';
  let depth = 0;
  let previous = '';
  const newLine = (): string => `\n${INDENT.repeat(depth)}`;
  for (const [token] of json.matchAll(TOKEN)) {
    const closes = token === '}' || token === ']';
    if (closes) depth -= 1;
    const opened = previous === '{' || previous === '[';
    if (closes ? !opened : opened || previous === ',') text += newLine();
    text += token === ':' ? ': ' : token;
    if (token === '{' || token === '[') depth += 1;
    previous = token;
  }
  return text;
}

/** The same for a value that may be something else; undefined if it is not an object or an array. */
export function prettyIfJson(value: string): string | undefined {
  if (!/^\s*[[{]/.test(value)) return undefined;
  try {
    JSON.parse(value);
  } catch {
    return undefined;
  }
  return prettyJson(value);
}

/** JSON to print: on several lines if `pretty`, safe to show if for a terminal. */
export function jsonLines(json: string, pretty: boolean, terminal: boolean): string {
  const text = pretty ? prettyJson(json) : json;
  return terminal ? text.split('\n').map(escapeJsonForTerminal).join('\n') : text;
}
