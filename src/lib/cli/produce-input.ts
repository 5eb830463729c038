/** The input of `produce`: the arguments, a file or a pipe. */
import {formatDuration} from '../duration.js';
import {usageError} from '../errors.js';
import {encodingOfFile, readContent} from '../input/content.js';
import type {ContentOptions} from '../input/encoded-content.js';
import type {BadLine, InputPage, InputPosition} from '../input/line-page.js';
import {type Continuation, type InputKind, type InputOptions, readRecords} from '../input/record-reader.js';
import {fileSize, openFile, readFile, readOpenFile, readSource} from '../input/source.js';
import type {StandardInput} from '../input/standard-input.js';
import type {FileReading} from '../input/whole-file.js';
import {withCommas} from '../number-text.js';
import type {Notes} from '../output/notes.js';
import {WaitingNote} from '../output/waiting-note.js';
import type {CheckpointedInput} from '../produce/checkpoint.js';
import type {OpenProducer} from '../produce/open-producer.js';
import type {RecordCounts} from '../produce/produce-records.js';
import type {FormatContext} from './format-hint.js';
import {inputOptions} from './input-flags.js';
import {fromArguments} from './produce-arguments.js';
import type {ProduceFlags} from './produce-flags.js';

export interface ProduceInput {
  /** From the start, or from where an earlier run stopped, to the end, or until the producer fails. */
  pages: (opened: OpenProducer) => AsyncIterable<InputPage>;
  /** A person types it, and wants to see what becomes of each line. */
  isTyped?: boolean;
  /** False for a single entry, such as that of `produce type=login`: no counts are printed. */
  bulk: boolean;
  onProgress?: (counts: RecordCounts) => void;
  /** With --resume and --follow: what a checkpoint is kept of. */
  checkpointed?: CheckpointedInput;
  /** With --resume: whether an earlier run has added all of the file, up to `position`. */
  wasAdded?: (position: InputPosition) => boolean;
  /** Leaves what follows `usedBytes` in the input, for the next command that reads it. */
  leaveBehind?: (usedBytes: number) => Promise<void>;
  /** Says of a bad first line what the input looks like, and what to do then. */
  explain?: (badLine: BadLine) => Promise<BadLine>;
}

export interface Surroundings {
  /** Standard input, unless it is a terminal. */
  piped: StandardInput | undefined;
  /** Standard input that is one. */
  terminal: StandardInput;
  stopping: AbortSignal;
  /** For files that are values of fields. */
  reading: FileReading;
  notes: Notes;
}

interface FormatHints extends Pick<ContentOptions, 'pipeOf' | 'onEncoded'> {
  /** What the input had to be decoded with so far. */
  decoders: readonly string[];
  explain: (badLine: BadLine) => Promise<BadLine>;
}

type FileSurroundings = Surroundings & FormatHints;

const ENCODED_RESUME_HINT = 'decompress or convert the file first, or use --exactly-once --producer-id ID';
const RESUME_HINT = 'write the input to a file first, or use --exactly-once --producer-id ID';

/** Throws a usage error if flags contradict each other or there is nothing to read, `io` for a file that cannot be read. */
export async function openInput(
  fieldArguments: readonly string[],
  flags: ProduceFlags,
  around: Surroundings,
): Promise<ProduceInput> {
  const options = inputOptions(flags);
  const isContinued = flags.resume || flags.follow !== undefined;
  if (flags['keep-ids'] && isContinued && !flags['exactly-once'])
    throw usageError(
      `--keep-ids with --${flags.resume ? 'resume' : 'follow'} needs --exactly-once`,
      'Redis refuses an ID that was added before',
    );
  if (flags.checkpoint !== undefined && !isContinued) throw usageError('--checkpoint goes with --resume or --follow');
  const isDash = fieldArguments.includes('-');
  if (isDash && fieldArguments.length > 1) throw usageError('give - or field=value arguments, not both');
  const other = (['file', 'follow'] as const).find((name) => flags[name] !== undefined);
  if (isDash && other !== undefined) throw usageError(`give - or --${other}, not both`);
  if (fieldArguments.length > 0 && !isDash) return fromArguments(fieldArguments, flags, around);
  const misplaced = (['id', 'count', 'rate'] as const).find((name) => flags[name] !== undefined);
  if (misplaced !== undefined) throw usageError(`--${misplaced} goes with an entry given as field=value arguments`);

  if (flags.follow !== undefined) {
    const {followedInput} = await import('./follow-input.js');
    const {explain} = formatOf({stream: flags.stream, input: flags.input, file: flags.follow});
    return {...(await followedInput(flags.follow, {from: flags.from, input: options}, around)), explain};
  }
  if (flags.resume && flags.file === '-')
    throw usageError('--resume takes a file, which can be read again', RESUME_HINT);
  if (flags.file !== undefined && flags.file !== '-') {
    const format = formatOf({stream: flags.stream, input: flags.input, file: flags.file});
    const input = flags.resume
      ? await fromOpenFile(flags.file, options, flags['last-line'], {...around, ...format})
      : fromFile(flags.file, options, {...around, ...format});
    return {...input, explain: format.explain};
  }
  return fromStandardInput(options, formatOf({stream: flags.stream, input: flags.input}), around);
}

function fromStandardInput(
  options: InputOptions,
  {decoders, explain, ...content}: FormatHints,
  around: Surroundings,
): ProduceInput {
  const {piped = around.terminal} = around;
  const isTyped = around.piped === undefined;
  let readBytes = 0;
  const waiting = new WaitingNote(
    around.notes,
    isTyped ? undefined : 'waiting for records on standard input; Ctrl-C ends',
  );
  const pages = ({producer}: OpenProducer): AsyncIterable<InputPage> => {
    if (isTyped) around.notes.status(`reading ${TYPED[options.kind]}; Ctrl-D ends`);
    const stopping = AbortSignal.any([around.stopping, producer.failing]);
    const came = waiting.watch();
    const onBytes = (bytes: number): void => {
      came?.();
      readBytes += bytes;
    };
    const source = readSource(piped, {name: 'standard input', stopping, onBytes});
    return readRecords(readContent(source, {name: 'standard input', ...content}), options);
  };
  return {
    pages,
    bulk: true,
    isTyped,
    // Where a line of compressed data ends in the input is not known.
    leaveBehind: (usedBytes) => piped.leaveBehind(decoders.length > 0 ? readBytes : usedBytes),
    explain,
  };
}

/** What is waited for at a terminal. */
const TYPED: Record<InputKind, string> = {
  ndjson: 'records from the terminal, one JSON object a line',
  text: 'text from the terminal, each line a record',
  csv: 'CSV from the terminal, names in the first line',
  envelope: 'records from the terminal as other commands print them, one a line',
};

/** What is said of an input that is of another format than was said. */
function formatOf(target: Omit<FormatContext, 'decoders'>): FormatHints {
  const decoders: string[] = [];
  const context: FormatContext = {...target, decoders};
  // Needed at most once in a run, and only when it fails.
  return {
    decoders,
    explain: async (badLine) => (await import('./format-hint.js')).explainFormat(badLine, context),
    pipeOf: async (command) => (await import('./format-hint.js')).pipedThrough(command, context),
    onEncoded: (decoder) => decoders.push(decoder),
  };
}

/** A file that may grow: a last line without newline waits for the next run, unless --last-line is given. */
async function fromOpenFile(
  path: string,
  options: InputOptions,
  takesLastLine: boolean,
  around: FileSurroundings,
): Promise<ProduceInput> {
  const file = openFile(path);
  const encoding = await encodingOfFile(file.fd);
  if (encoding !== undefined)
    throw usageError(`--resume cannot continue in the middle of ${encoding}`, ENCODED_RESUME_HINT);
  const read = (fromBytes: number): AsyncIterable<Buffer> => readOpenFile(file.fd, fromBytes);
  const onUnfinished = (): void =>
    around.notes.note(`the last line of ${path} has no newline yet; it waits for the next run (--last-line takes it)`);
  const continuing = takesLastLine ? {} : {onUnfinished};
  const checkpointed: CheckpointedInput = {
    name: path,
    find: async (kept) => (await import('../produce/resumed-file.js')).findResumed(file, kept),
  };
  const wasAdded = ({bytes}: InputPosition): boolean => bytes > 0 && bytes >= file.sizeBytes;
  return {...ofFile(file, read, {...options, ...continuing}, around), checkpointed, wasAdded};
}

const fromFile = (path: string, options: InputOptions, around: FileSurroundings): ProduceInput =>
  ofFile(
    {name: path, sizeBytes: fileSize(path)},
    (fromBytes) => readFile(path, fromBytes, around.reading.warn),
    options,
    around,
  );

function ofFile(
  {name, sizeBytes}: {name: string; sizeBytes: number},
  read: (fromBytes: number) => AsyncIterable<Buffer>,
  options: InputOptions & Continuation,
  {stopping, notes, pipeOf, onEncoded}: FileSurroundings,
): ProduceInput {
  const startMs = performance.now();
  let readBytes = 0;
  const pages = ({start: {position: from}}: OpenProducer): AsyncIterable<InputPage> => {
    readBytes = from.bytes;
    const onBytes = (bytes: number): void => {
      readBytes += bytes;
    };
    const source = readSource(read(from.bytes), {name, stopping, onBytes});
    const content = from.bytes === 0 ? readContent(source, {name, pipeOf, onEncoded}) : source;
    return readRecords(content, {...options, from, head: read(0)});
  };
  return {
    pages,
    bulk: true,
    onProgress: ({added}) =>
      notes.progress(progressLine(readBytes / Math.max(1, sizeBytes), added, performance.now() - startMs)),
  };
}

/** `[########............]  41%  123,456 added  98,000/s  2s left` */
function progressLine(share: number, added: number, elapsedMs: number): string {
  const done = Math.min(1, share);
  const bar = '#'.repeat(Math.round(done * 20)).padEnd(20, '.');
  const rate = Math.round(added / Math.max(0.001, elapsedMs / 1_000));
  const leftMs = done === 0 ? 0 : (elapsedMs / done) * (1 - done);
  return `[${bar}] ${String(Math.round(done * 100)).padStart(3)}%  ${withCommas(added)} added  ${withCommas(rate)}/s  ${formatDuration(leftMs)} left`;
}
