/**
 * What the beginning of an input looks like when its first line is no record: the
 * format that was meant. It only helps to say what to do next. Invariant: what
 * begins with a valid record is NDJSON.
 */
import {Buffer, isUtf8} from 'node:buffer';
import {declaredDelimiter, delimiterOf} from './csv-delimiter.js';
import {HEAD_BYTES} from './input-item.js';
import {jsonBeginning} from './json-beginning.js';

export type ContentFormat =
  | 'NDJSON'
  | 'JSON array of objects'
  | 'JSON array of values'
  | 'JSON over several lines'
  | 'JSON objects in one line'
  | 'CSV'
  | 'UTF-16LE'
  | 'UTF-16BE'
  | 'binary'
  | 'text';

const MOST_ROWS = 20;

/** The format of what begins with `head`. */
export function contentFormat(head: Buffer): ContentFormat {
  const part = head.subarray(0, HEAD_BYTES);
  const text = part.toString('utf8').replace(/^\ufeff/, '');
  return jsonFormat(text) ?? binaryFormat(part) ?? lineFormat(text) ?? (isCsv(text) ? 'CSV' : 'text');
}

function jsonFormat(text: string): ContentFormat | undefined {
  const found = /^\s*[[{]/.test(text) ? jsonBeginning(text) : undefined;
  if (found === undefined) return /^\s*\{\s*["}]/.test(text) && !/\0/.test(text.slice(0, 2)) ? 'NDJSON' : undefined;
  if (/^\s*\[/.test(text)) return /^\s*\[\s*(\{|\]|$)/.test(text) ? 'JSON array of objects' : 'JSON array of values';
  if (found.spansLines) return 'JSON over several lines';
  return /^[ \t\r]*\{/.test(text.slice(found.end)) ? 'JSON objects in one line' : 'NDJSON';
}

/** What begins as JSON does is no text; nor are records behind other lines, such as what npm prints before a log. */
function lineFormat(text: string): ContentFormat | undefined {
  const isRecord = (line: string): boolean =>
    line.startsWith('{') && jsonBeginning(line)?.end === line.trimEnd().length;
  return /^\s*\{/.test(text) || text.split('\n', MOST_ROWS).some(isRecord) ? 'NDJSON' : undefined;
}

/** Undefined for text, in UTF-8 or in an encoding of one byte for a character. */
function binaryFormat(bytes: Buffer): ContentFormat | undefined {
  let [evenZeros, oddZeros, controls] = [0, 0, 0];
  for (const [at, byte] of bytes.entries()) {
    if (byte === 0 && at % 2 === 0) evenZeros++;
    else if (byte === 0) oddZeros++;
    else if (byte < 0x20 && !TEXT_CONTROLS.has(byte)) controls++;
  }
  const pairs = Math.floor(bytes.length / 2);
  if (evenZeros === 0 && oddZeros > 0.7 * pairs) return 'UTF-16LE';
  if (oddZeros === 0 && evenZeros > 0.7 * pairs) return 'UTF-16BE';
  if (evenZeros + oddZeros > 0) return 'binary';
  return controls > 0.02 * bytes.length && !isUtf8(bytes) ? 'binary' : undefined;
}

/** Tab, the ends of lines and of pages, backspace, and the escape of colours. */
const TEXT_CONTROLS = new Set([0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1b]);

/** What a column is called: a few words, in quotes or not. */
const NAME = /^"?(?=[\p{L}_#$@%])[^\p{Cc}:=[\]{}<>"]{1,40}"?$/u;
const SENTENCE = /(?:\S+\s+){5}/;
/** Where nothing but a first line is known, a sentence with a comma is not taken for names. */
const PLAIN_NAME = /^"?[\p{L}_][\p{L}\p{N}_.-]*"?$/u;

/** Names in the first row, and nearly as many values in each of the next ones; the last may go on behind `text`. */
function isCsv(text: string): boolean {
  const [header = '', ...lines] = text.replace(/^(?:[ \t\r]*\n)+/, '').split('\n', MOST_ROWS + 2);
  const row = Buffer.from(header.replace(/\r$/, ''));
  if (declaredDelimiter(row) !== undefined) return true;
  const delimiter = String.fromCharCode(delimiterOf(row));
  const names = row.toString().split(delimiter);
  if (names.length < 2 || !names.some((name) => name !== '')) return false;
  if (!names.every((name) => name === '' || (NAME.test(name.trim()) && !SENTENCE.test(name)))) return false;
  const widths = widthsOf(lines.join('\n'), delimiter);
  if (widths.length > 1 && (widths.length > MOST_ROWS || !text.endsWith('\n'))) widths.pop();
  if (widths.length === 0) return names.every((name) => name === '' || PLAIN_NAME.test(name));
  return widths.every((width) => width > 1 && width <= names.length);
}

/** The number of values in each row that is not blank. */
function widthsOf(text: string, delimiter: string): number[] {
  const widths: number[] = [];
  let [width, isQuoted, isBlank] = [1, false, true];
  for (const char of `${text}\n`) {
    if (char === '"') isQuoted = !isQuoted;
    if (char === '\n' && !isQuoted) {
      if (!isBlank) widths.push(width);
      [width, isBlank] = [1, true];
    } else {
      if (char !== '\r') isBlank = false;
      if (char === delimiter && !isQuoted) width++;
    }
  }
  return widths;
}
