/** From the flags of `export` to its sections: the streams, what they are written to, and how fast. */
import type {Interfaces} from '@oclif/core';
import {StreamlogError} from '../errors.js';
import {ExportProgress} from '../output/export-progress.js';
import type {Notes} from '../output/notes.js';
import type {Sink} from '../output/sink.js';
import {pipelined} from '../pipelined.js';
import type {RunOn} from '../reconnecting-client.js';
import type {StreamClient} from '../stream-client.js';
import {Throttle} from '../throttle.js';
import {Compressor, checkCompression} from '../transfer/compression.js';
import {ExportFile, isFinished} from '../transfer/export-file.js';
import {
  type ExportOutput,
  exportInto,
  exportIntoDirectory,
  type Run,
  type SectionReport,
} from '../transfer/export-run.js';
import type {ExportQuestion, Progress} from '../transfer/stream-export.js';
import {exportCompression, type exportFlags} from './export-flags.js';
import {namedStreams} from './flags.js';

type ExportFlags = Interfaces.InferredFlags<typeof exportFlags>;

/** The streams that are meant, in their order; those of a pattern by name. Throws `notFound` for a name without a stream. */
export async function streamsOf(
  client: StreamClient,
  flags: ExportFlags,
  raw: readonly {type: string; flag?: string}[],
): Promise<readonly string[]> {
  const named = namedStreams(flags, raw);
  if (named !== undefined) {
    // Before hours are spent on the first one.
    if (named.length > 1) await pipelined(named, (stream) => client.info(stream));
    return named;
  }
  const found = new Set<string>();
  for await (const page of client.server.streams(flags.match)) for (const stream of page) found.add(stream);
  if (found.size === 0)
    throw new StreamlogError('notFound', `no stream matches "${flags.match}"`, {hint: 'see: streamlog ls'});
  return [...found].sort();
}

/** How sections are read, apart from what they are written to. */
export async function exportRun(
  run: RunOn,
  flags: ExportFlags,
  {notes, signal}: {notes: Notes; signal: AbortSignal},
): Promise<Run> {
  const progress = new ExportProgress(notes);
  const throttle = flags.rate === undefined ? undefined : new Throttle(flags.rate);
  let taken = 0;
  const onPart = async (done: Progress): Promise<void> => {
    progress.take(done);
    if (throttle !== undefined) await throttle.takeAll(Math.max(0, done.read - taken), signal);
    taken = done.read;
  };
  const identity = await run((client) => client.server.identity());
  return {
    run,
    signal,
    server: identity?.split(',')[0]?.toLowerCase(),
    // A tenth of a second's entries, so that a page is no burst.
    page: flags.rate === undefined ? undefined : Math.max(1, Math.ceil(flags.rate / 10)),
    onPart,
    warn: (text) => notes.warn(text),
    onLeft: (part) => notes.note(`${part} is not whole; --resume goes on with it`),
  };
}

/** The sections, one after the other. `out` is where they go without a file. */
export async function* sectionsOf(
  streams: readonly string[],
  flags: ExportFlags,
  question: ExportQuestion,
  {run, out, notes}: {run: Run; out: Sink | undefined; notes: Notes},
): AsyncGenerator<SectionReport, void, void> {
  const {file, dir, resume = false} = flags;
  const compression = exportCompression(flags);
  checkCompression(compression);
  const finished = (path: string): void => notes.note(`${path} is whole already; nothing is left to resume`);
  if (dir !== undefined) {
    const options = {compression, resume, onFinished: (_: string, path: string) => finished(path)};
    yield* exportIntoDirectory(dir, streams, options, question, run);
  } else if (out !== undefined) {
    yield* exportInto(sinkOutput(out, flags), streams, question, run);
  } else if (file !== undefined) {
    if (resume && (await isFinished(file))) finished(file);
    else yield* exportInto(await ExportFile.open(file, {compression, resume}), streams, question, run);
  }
}

function sinkOutput(out: Sink, flags: ExportFlags): ExportOutput {
  const compression = exportCompression(flags);
  const write = (bytes: Buffer): Promise<void> => out.write(bytes);
  const compressor = compression === undefined ? undefined : new Compressor(compression, write);
  return {
    write: (bytes) => (compressor === undefined ? write(bytes) : compressor.write(bytes)),
    finish: async () => compressor?.endMember(),
    leave: async () => {},
  };
}
