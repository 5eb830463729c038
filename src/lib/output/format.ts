/**
 * `--format`: a template, compiled once. Nothing is added to it, not even a newline; `%f{name}` of an
 * absent field is empty. On a terminal, values are escaped and the template is not.
 */
import {usageError} from '../errors.js';
import {escapedBytes} from '../escapes.js';
import type {Bytes} from '../records/bytes.js';
import {fieldsToJson, fieldValue, type StreamRecord} from '../records/entry.js';
import {decodeName, encodeName} from '../records/names.js';
import {timePartOf} from '../records/stream-id.js';
import {escapeForTerminal, escapeJsonForTerminal} from './sanitize.js';

type Part = (record: StreamRecord) => Bytes;

const TOKENS: Record<string, Part> = {
  t: (record) => encodeName(record.stream),
  o: (record) => record.id,
  T: (record) => timePartOf(record.id),
  d: (record) => isoTime(timePartOf(record.id)),
  s: (record) => fieldsToJson(record.fields),
  g: (record) => encodeName(record.group ?? ''),
  c: (record) => encodeName(record.consumer ?? ''),
  D: (record) => (record.deliveries === undefined ? '' : String(record.deliveries)),
  '%': () => '%',
};

export const FORMAT_HELP =
  '%t stream, %o ID, %T ms, %d ISO time, %s fields as JSON, %f{name} one field, %g group, %c consumer, %D deliveries, %%; \\n \\t \\0 \\xNN';

/** A function from a record to its bytes; with `terminal`, to text that is safe to show. Throws a usage error for an unknown token or escape. */
export function compileFormat(template: string, terminal = false): (record: StreamRecord) => Buffer {
  const parts = parseTemplate(template, terminal);
  return (record) =>
    Buffer.concat(
      parts.map((part) => {
        const value = part(record);
        return typeof value === 'string' ? Buffer.from(value) : value;
      }),
    );
}

/** The time of an ID as ISO 8601; a number that is not a date is returned as it is. */
export const isoTime = (ms: number | string): string =>
  Number(ms) <= 8.64e15 ? new Date(Number(ms)).toISOString() : String(ms);

/** The same in the zone of the user: `2018-05-21 14:10:30.474`. */
export function localTime(ms: number | string): string {
  if (!(Number(ms) <= 8.64e15)) return String(ms);
  const date = new Date(Number(ms));
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function parseTemplate(template: string, terminal: boolean): Part[] {
  const parts: Part[] = [];
  let literal: Buffer[] = [];
  const flush = (): void => {
    if (literal.length === 0) return;
    const bytes = Buffer.concat(literal);
    parts.push(() => bytes);
    literal = [];
  };
  for (const [text] of template.matchAll(/%f\{[^}]*\}|%.?|\\x[0-9a-fA-F]{2}|\\.?|[^%\\]+/gsu)) {
    if (text.startsWith('%')) {
      flush();
      const part = tokenPart(text);
      parts.push(terminal ? shown(text, part) : part);
    } else {
      literal.push(text.startsWith('\\') ? readEscape(text) : Buffer.from(text));
    }
  }
  flush();
  return parts;
}

function tokenPart(text: string): Part {
  if (text.startsWith('%f{')) {
    const name = text.slice(3, -1);
    return (record) => fieldValue(record.fields, name) ?? '';
  }
  const part = Object.hasOwn(TOKENS, text.slice(1)) ? TOKENS[text.slice(1)] : undefined;
  if (part === undefined) throw usageError(`unknown token "${text}" in --format`, FORMAT_HELP);
  return part;
}

/** The same part for a terminal. Escaped JSON is still JSON. */
function shown(text: string, part: Part): Part {
  const escapeValue = text === '%s' ? escapeJsonForTerminal : escapeForTerminal;
  return (record) => {
    const value = part(record);
    return escapeValue(typeof value === 'string' ? value : decodeName(value));
  };
}

function readEscape(text: string): Buffer {
  const bytes = escapedBytes(text);
  if (bytes === undefined) throw usageError(`unknown escape "${text}" in --format`, FORMAT_HELP);
  return bytes;
}
