/**
 * Exports streams one after the other, into one output or each into a file of its own. Invariant: an output is finished when all
 * of its sections are whole, and otherwise left as it is, for `--resume`.
 */
import {join} from 'node:path';
import type {Compression} from './compression.js';
import {ExportFile, isFinished} from './export-file.js';
import {fileNameOf} from './export-file-name.js';
import {cannotResume, type InterruptedExport} from './interrupted-export.js';
import type {OpenSection} from './section-reader.js';
import {type ExportedSection, type ExportQuestion, type ExportRun, exportStream} from './stream-export.js';

/** What sections are written to. */
export interface ExportOutput {
  /** For people; undefined for standard output. */
  readonly path?: string | undefined;
  /** What an interrupted run has left. */
  readonly interrupted?: InterruptedExport | undefined;
  write(bytes: Buffer): Promise<void>;
  /** All sections are whole. */
  finish(): Promise<void>;
  /** They are not. */
  leave(): Promise<void>;
}

/** A section, and what it was written to. */
export interface SectionReport extends ExportedSection {
  readonly file: string | undefined;
  /** Whether an interrupted run had begun it. */
  readonly resumed: boolean;
}

type Run = Omit<ExportRun, 'take'>;

/** The sections of `streams` in one output, in this order behind those that are there. Ends early when the signal comes. */
export async function* exportInto(
  output: ExportOutput,
  streams: readonly string[],
  question: ExportQuestion,
  run: Run,
): AsyncGenerator<SectionReport, void, void> {
  const {interrupted, path: file} = output;
  let isWhole = false;
  try {
    const open = interrupted?.open;
    if (open !== undefined) checkSame(open, streams, question, file ?? '');
    const done = new Set(interrupted?.finished);
    const left = streams.filter((stream) => !done.has(stream) && stream !== open?.stream);
    for (const stream of open === undefined ? left : [open.stream, ...left]) {
      const begun = stream === open?.stream ? open : undefined;
      const section = await exportStream(stream, question, {...run, take: (bytes) => output.write(bytes)}, begun);
      if (section === undefined) return;
      yield {...section, file, resumed: begun !== undefined};
    }
    isWhole = true;
    await output.finish();
  } finally {
    if (!isWhole) await output.leave();
  }
}

/** Throws `data` where the section was begun for another question. */
function checkSame(
  {stream, header}: OpenSection,
  streams: readonly string[],
  question: ExportQuestion,
  name: string,
): void {
  const {pendingOnly, filter, conditions, groups, between} = question;
  if (!streams.includes(stream)) throw cannotResume(name, `it is of stream "${stream}"`);
  const isSame =
    header !== undefined &&
    (header.pendingOnly ?? false) === pendingOnly &&
    (header.filter?.join('\0') ?? '') === (filter === undefined ? '' : conditions.join('\0')) &&
    header.masked === undefined &&
    (header.from !== undefined) === (between.since !== undefined || between.until !== undefined) &&
    (groups === 'none'
      ? header.groups.length === 0
      : typeof groups === 'string' || header.groups[0]?.name === groups.name);
  if (!isSame) throw cannotResume(name, 'it was begun with other flags');
}

export interface DirectoryOptions {
  readonly compression: Compression | undefined;
  readonly resume: boolean;
  /** Called for a stream whose file is there already, with `resume`. */
  readonly onFinished: (stream: string, path: string) => void;
}

/** A file for each of `streams`, in a directory that exists. */
export async function* exportIntoDirectory(
  directory: string,
  streams: readonly string[],
  {compression, resume, onFinished}: DirectoryOptions,
  question: ExportQuestion,
  run: Run,
): AsyncGenerator<SectionReport, void, void> {
  for (const stream of streams) {
    const path = join(directory, fileNameOf(stream, compression));
    if (resume && (await isFinished(path))) {
      onFinished(stream, path);
      continue;
    }
    yield* exportInto(await ExportFile.open(path, {compression, resume}), [stream], question, run);
    if (run.signal.aborted) return;
  }
}
