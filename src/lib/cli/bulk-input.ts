/** The input of `produce` that may have many records: a file, a pipe, or what is typed. Loaded when there is one. */
import {formatDuration} from '../duration.js';
import {usageError} from '../errors.js';
import {encodingOfFile, readContent} from '../input/content.js';
import type {ContentOptions} from '../input/encoded-content.js';
import type {BadLine, InputPage, InputPosition} from '../input/input-item.js';
import {type Continuation, type InputKind, type InputOptions, readRecords} from '../input/record-reader.js';
import {fileSize, openFile, readFile, readOpenFile, readSource} from '../input/source.js';
import {withCommas} from '../number-text.js';
import {WaitingNote} from '../output/waiting-note.js';
import type {CheckpointedInput} from '../produce/checkpoint.js';
import type {OpenProducer} from '../produce/open-producer.js';
import type {FormatContext} from './format-hint.js';
import type {ProduceInput, Surroundings} from './produce-input.js';

interface FormatHints extends Pick<ContentOptions, 'pipeOf' | 'onEncoded'> {
  /** What the input had to be decoded with so far. */
  decoders: readonly string[];
  explain: (badLine: BadLine) => Promise<BadLine>;
}

type FileSurroundings = Surroundings & FormatHints;

const ENCODED_RESUME_HINT = 'decompress or convert the file first, or use --exactly-once --producer-id ID';

/** Of a pipe, or what is typed at a terminal. */
export function fromStandardInput(
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
export function formatHints(target: Omit<FormatContext, 'decoders'>): FormatHints {
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
export async function fromOpenFile(
  path: string,
  options: InputOptions,
  takesLastLine: boolean,
  around: FileSurroundings,
): Promise<ProduceInput> {
  const file = openFile(path, () => usageError(`--resume takes a file, which can be read again; ${path} is none`));
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

export const fromFile = (path: string, options: InputOptions, around: FileSurroundings): ProduceInput =>
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
  {stopping, notes, pipeOf, onEncoded, explain}: FileSurroundings,
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
    explain,
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
