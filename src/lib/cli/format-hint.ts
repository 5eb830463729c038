/**
 * What to type when the input of `produce` is of another format than was said, or
 * its arguments are files. Invariant: a command to be pasted adds to the same stream.
 */
import {Buffer} from 'node:buffer';
import {closeSync, statSync} from 'node:fs';
import {type StreamlogError, usageError} from '../errors.js';
import {type LinesCommand, STORE_AS_VALUE} from '../input/binary-format.js';
import {type ContentFormat, contentFormat} from '../input/content-format.js';
import {type BadLine, HEAD_BYTES} from '../input/input-item.js';
import type {InputKind} from '../input/record-reader.js';
import {openFile, readSome} from '../input/source.js';
import {shellWord} from '../shell-word.js';

export interface FormatContext {
  stream: string;
  input: InputKind;
  /** Undefined for standard input. */
  file?: string | undefined;
  /** The commands that do what was done to read the input, such as `gzip -dc`. */
  decoders?: readonly string[];
}

/** `badLine`, with what to do about it if it is the first line of its input. */
export function explainFormat(badLine: BadLine, context: FormatContext): BadLine {
  const {line, head} = badLine;
  if (head === undefined) return badLine;
  const format = contentFormat(head);
  if (format === 'binary') return {line, reason: 'this is binary data, not lines of text', hint: STORE_AS_VALUE};
  if (format === 'UTF-16LE' || format === 'UTF-16BE')
    return {line, reason: `this looks like ${format}`, hint: `convert it first: iconv -f ${format} -t UTF-8`};
  const hint = context.input === 'csv' ? csvHint(format, context) : lineHint(format, context);
  return hint === undefined ? badLine : {...badLine, hint};
}

function csvHint(format: ContentFormat, context: FormatContext): string | undefined {
  if (format === 'NDJSON') return 'this looks like NDJSON: leave out --input csv';
  return format in JQ ? lineHint(format, {...context, input: 'ndjson'}) : undefined;
}

function lineHint(format: ContentFormat, context: FormatContext): string | undefined {
  if (format === 'CSV') return 'this looks like CSV: add --input csv';
  if (format === 'text') return 'this looks like text: add --input text to store each line in a field';
  const jq = JQ[format];
  return jq && `this looks like ${jq.what}: ${pipedThrough(jqCommand(jq.filter), context)}`;
}

/** What makes NDJSON of other JSON. */
const JQ: Partial<Record<ContentFormat, {what: string; filter: string}>> = {
  'JSON array of objects': {what: 'a JSON array', filter: "'.[]'"},
  'JSON array of values': {what: 'a JSON array', filter: "'.[] | {data: .}'"},
  'JSON over several lines': {what: 'JSON over several lines', filter: '.'},
  'JSON objects in one line': {what: 'several JSON objects in one line', filter: '.'},
};

const jqCommand = (filter: string): LinesCommand => ({command: `jq -c ${filter} FILE`, filter: `jq -c ${filter}`});

/** What to type to add what a command prints of the input. */
export function pipedThrough({command, filter, lines}: LinesCommand, context: FormatContext): string {
  const {file, stream, input, decoders = []} = context;
  const target = produceTo({stream, input: lines ?? input});
  const named = (text: string): string => (file === undefined ? text : text.replace('FILE', () => pathWord(file)));
  if (filter === undefined) return `${named(command)} | ${target}`;
  if (file === undefined) return ['...', ...decoders, filter, target].join(' | ');
  const [decoder, ...more] = decoders;
  return decoder === undefined
    ? `${named(command)} | ${target}`
    : [named(`${decoder} FILE`), ...more, filter, target].join(' | ');
}

/** A name that begins with a dash is no flag. */
const pathWord = (path: string): string => shellWord(path.startsWith('-') ? `./${path}` : path);

const produceTo = ({stream, input}: FormatContext): string =>
  `streamlog produce${stream === 'events' ? '' : ` -s ${shellWord(stream)}`}${input === 'ndjson' ? '' : ` --input ${input}`}`;

/** The failure for arguments with names of files among them, with how these are read; undefined for others. */
export async function fileArgumentFailure(
  args: readonly string[],
  target: FormatContext,
): Promise<StreamlogError | undefined> {
  const files = args.filter(isFileName);
  const [file, ...more] = files;
  if (file === undefined) return undefined;
  const message = `"${file}" is a file, not field=value`;
  if (files.length < args.length) return usageError(message, 'give field=value arguments or --file, not both');
  return more.length === 0
    ? usageError(message, `to read it: ${await commandFor(file, target)}`)
    : usageError(message, `to read the files: cat ${files.map(pathWord).join(' ')} | ${produceTo(target)}`);
}

function isFileName(arg: string): boolean {
  try {
    return !arg.includes('=') && !statSync(arg).isDirectory();
  } catch {
    return false;
  }
}

async function commandFor(file: string, {stream, input}: FormatContext): Promise<string> {
  const format = input === 'ndjson' ? await formatOf(file) : undefined;
  const jq = format && JQ[format];
  if (jq !== undefined) return pipedThrough(jqCommand(jq.filter), {stream, input, file});
  const read = format === 'CSV' ? 'csv' : format === 'text' ? 'text' : input;
  return `${produceTo({stream, input: read})} --file ${pathWord(file)}`;
}

/** Undefined for an empty file, and where nothing can be read now. */
async function formatOf(path: string): Promise<ContentFormat | undefined> {
  try {
    const {fd} = openFile(path, () => usageError(`${path} is no file`));
    const head = await readSome(fd, Buffer.alloc(HEAD_BYTES), 0);
    closeSync(fd);
    return head.length === 0 ? undefined : contentFormat(head);
  } catch {
    return undefined;
  }
}
