/** The flags of `produce` that say what its input is and how it is read. */
import {Buffer} from 'node:buffer';
import {Flags, type Interfaces} from '@oclif/core';
import {usageError} from '../errors.js';
import {unescapedBytes} from '../escapes.js';
import type {InputKind, InputOptions} from '../input/record-reader.js';
import {position, size} from './flag-values.js';

const INPUT = {helpGroup: 'INPUT'};
const NEWLINE = Buffer.from('\n');

/** Undefined for a newline, by which text is read anyway. */
const separator = Flags.custom<Buffer | undefined>({
  helpValue: 'TEXT',
  defaultHelp: async () => '\\n',
  parse: async (text) => {
    const bytes = unescapedBytes(text);
    if (bytes === undefined || bytes.length === 0)
      throw usageError(`--separator takes a text, in which \\0 \\n \\r \\t and \\xNN are known, not "${text}"`);
    return bytes.equals(NEWLINE) ? undefined : bytes;
  },
});

const delimiter = Flags.custom<number>({
  helpValue: 'CHAR',
  defaultHelp: async () => 'by the first row',
  parse: async (text) => {
    const [byte = 0, ...more] = unescapedBytes(text) ?? [];
    // Quotes and newlines have a meaning of their own.
    if (byte === 0 || byte > 0x7f || more.length > 0 || '"\n\r'.includes(String.fromCharCode(byte)))
      throw usageError(`--delimiter takes one ASCII character, such as ; or \\t, not "${text}"`);
    return byte;
  },
});

export const inputFlags = {
  file: Flags.string({
    ...INPUT,
    helpValue: 'PATH',
    summary: 'read this file, also in gzip or zstd; - is standard input',
  }),
  follow: Flags.string({
    ...INPUT,
    helpValue: 'FILE',
    exclusive: ['file', 'resume', 'producer-id'],
    summary: 'add each line that is written to this log, through rotation; a checkpoint is kept, as with --resume',
  }),
  from: position({
    ...INPUT,
    dependsOn: ['follow'],
    defaultHelp: async () => 'start',
    summary: 'where --follow begins when it has no checkpoint yet: start or end of the file',
  }),
  input: Flags.option({
    ...INPUT,
    options: ['ndjson', 'text', 'csv', 'envelope'] as const,
    default: 'ndjson' as InputKind,
    summary: 'format of the input; envelope is what other commands print',
  })(),
  field: Flags.string({
    ...INPUT,
    default: 'data',
    helpValue: 'NAME',
    summary: 'field that holds the line, with --input text',
  }),
  separator: separator({...INPUT, summary: 'what ends a text, with --input text: any string, \\0 is a zero byte'}),
  delimiter: delimiter({...INPUT, summary: 'what divides values, with --input csv: , ; \\t | or another character'}),
  'short-rows': Flags.option({
    ...INPUT,
    options: ['reject', 'fill'] as const,
    defaultHelp: async () => 'reject',
    summary: 'refuse rows of CSV that lack values, or add them with empty ones',
  })(),
  null: Flags.string({...INPUT, helpValue: 'TEXT', summary: 'store this for null, which is otherwise refused'}),
  'keep-ids': Flags.boolean({...INPUT, summary: 'keep the IDs of the records, with --input envelope'}),
  'on-bad-line': Flags.option({
    ...INPUT,
    options: ['fail', 'skip'] as const,
    default: 'fail' as const,
    summary: 'stop at a line that is not a record, or skip it',
  })(),
  'max-record-bytes': size({...INPUT, default: 8 * 1024 ** 2, summary: 'refuse longer lines'}),
};

type InputFlags = Interfaces.InferredFlags<typeof inputFlags>;

/** Which flags go with which format alone. */
const OF_FORMAT = {separator: 'text', delimiter: 'csv', 'short-rows': 'csv', 'keep-ids': 'envelope'} as const;

/** How the input is read. Throws a usage error for flags that say nothing about its format. */
export function inputOptions(flags: InputFlags & {resume: boolean}): InputOptions {
  for (const name of ['separator', 'delimiter', 'short-rows', 'keep-ids'] as const) {
    const format = OF_FORMAT[name];
    if (flags[name] && flags.input !== format) throw usageError(`--${name} goes with --input ${format}`);
  }
  const continued = flags.follow !== undefined ? 'follow' : flags.resume ? 'resume' : undefined;
  if (flags.separator !== undefined && continued !== undefined)
    throw usageError(`--${continued} continues behind a line; it does not go with --separator`);
  return {
    kind: flags.input,
    field: flags.field,
    nullText: flags.null,
    maxRecordBytes: flags['max-record-bytes'],
    separator: flags.separator,
    delimiter: flags.delimiter,
    shortRows: flags['short-rows'],
  };
}
