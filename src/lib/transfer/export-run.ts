/**
 * Exports streams one after the other, into one output or each into a file of its own. Invariant: an output is finished when all
 * of its sections are whole, and otherwise left as it is, for `--resume`.
 */
import {join} from 'node:path';
import type {Compression} from './compression.js';
import {ExportFile, isFinished} from './export-file.js';
import {fileNameOf} from './export-file-name.js';
import {cannotResume, type InterruptedExport} from './interrupted-export.js';
import {makeDirectory} from './part-file.js';
import type {SectionHeader} from './section.js';
import type {OpenSection} from './section-reader.js';
import {type ExportedSection, type ExportQuestion, type ExportRun, exportStream, isWhole} from './stream-export.js';

/** What sections are written to. */
export interface ExportOutput {
  /** For people; undefined for standard output. */
  readonly path?: string | undefined;
  /** What a file is called until it is whole. */
  readonly partName?: string | undefined;
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

export interface Run extends Omit<ExportRun, 'take'> {
  /** Called for a file that the signal has left before its end. */
  readonly onLeft: (partName: string) => void;
}

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
    if (open !== undefined) checkSame(open, streams, question, output.partName ?? '');
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
    if (!isWhole && run.signal.aborted && output.partName !== undefined) run.onLeft(output.partName);
  }
}

/** Throws `data` where the section was begun for another question. */
function checkSame(
  {stream, header}: OpenSection,
  streams: readonly string[],
  question: ExportQuestion,
  name: string,
): void {
  if (!streams.includes(stream)) throw cannotResume(name, `it is of stream "${stream}"`);
  if (header === undefined || !isOf(header, question)) throw cannotResume(name, 'it was begun with other flags');
}

/** Masked values cannot be had again: their key is gone. */
const isOf = (header: SectionHeader, question: ExportQuestion): boolean =>
  header.whole === isWhole(question) &&
  (header.pendingOnly ?? false) === question.pendingOnly &&
  (header.filter ?? []).join('\0') === question.conditions.join('\0') &&
  (header.from !== undefined) === (question.between.since !== undefined || question.between.until !== undefined) &&
  header.masked === undefined &&
  (typeof question.groups === 'string' ||
    header.groups.every(({name}) => name === (question.groups as {name: string}).name));

export interface DirectoryOptions {
  readonly compression: Compression | undefined;
  readonly resume: boolean;
  /** Called for a stream whose file is there already, with `resume`. */
  readonly onFinished: (stream: string, path: string) => void;
}

/** A file for each of `streams`, in a directory that is made where there is none. */
export async function* exportIntoDirectory(
  directory: string,
  streams: readonly string[],
  {compression, resume, onFinished}: DirectoryOptions,
  question: ExportQuestion,
  run: Run,
): AsyncGenerator<SectionReport, void, void> {
  await makeDirectory(directory);
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
