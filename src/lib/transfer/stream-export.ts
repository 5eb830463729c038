/**
 * Exports one stream as a section. Promise: it has every entry up to the last ID of T0 that was there when its page was read;
 * and for each group, every entry is acknowledged, pending or not yet delivered as it was at T0, less what was acknowledged and
 * deleted later. Nothing that was unfinished at T0, and is at the end, is missing (docs/moving.md).
 */
import {isFailure, StreamlogError} from '../errors.js';
import {withCommas} from '../number-text.js';
import {type Between, idsBetween} from '../reading/stream-range.js';
import type {RunOn} from '../reconnecting-client.js';
import {successorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import type {SectionHash, SectionHeader} from './section.js';
import type {OpenSection} from './section-reader.js';
import {SectionSource} from './section-source.js';
import {SectionWriter, type TakeBytes, type WritingOptions} from './section-writer.js';
import {checkUnmoved, type GroupChoice, moved, readMoment} from './stream-moment.js';

/** What is exported of each stream. */
export interface ExportQuestion extends WritingOptions {
  readonly groups: GroupChoice;
  readonly between: Between;
  readonly pendingOnly: boolean;
  /** The words of `filter`, for the header. */
  readonly conditions: readonly string[];
  readonly producers: boolean;
  /** Ends in a failure, before the trailer, where entries were trimmed or deleted before they were read. */
  readonly failOnMissing: boolean;
}

export interface Progress {
  readonly stream: string;
  /** Entries that were read so far, and those of T0. */
  readonly read: number;
  readonly length: number;
  /** Of the section. */
  readonly bytes: number;
}

export interface ExportRun {
  readonly run: RunOn;
  readonly take: TakeBytes;
  readonly signal: AbortSignal;
  /** Kind and version of the server, where they are known. */
  readonly server?: string | undefined;
  /** Entries a page, at most. */
  readonly page?: number | undefined;
  /** Called behind each part; the next one is read when it has resolved. */
  readonly onPart: (progress: Progress) => Promise<void> | void;
  /** Something that the file does not have. */
  readonly warn: (text: string) => void;
}

/** One section that was written. */
export interface ExportedSection {
  readonly stream: string;
  readonly entries: number;
  readonly gone: number;
  readonly pending: number;
  readonly groups: number;
  /** Entries of T0 that were trimmed or deleted before they were read; 0 where that cannot be told. */
  readonly missing: number;
  /** Of the section, not compressed. */
  readonly bytes: number;
}

/** What a section begins with. Throws `notFound` when there is no such stream or group. */
export async function readHeader(
  client: StreamClient,
  stream: string,
  question: ExportQuestion,
  {server, warn}: Pick<ExportRun, 'server' | 'warn'>,
): Promise<{header: SectionHeader; hashes: SectionHash[]}> {
  const {groups, between, pendingOnly, filter, conditions, masking, producers} = question;
  // Before T0: a producer that is behind the stream repeats itself, and one that is ahead would leave records out.
  const hashes = producers ? await readHashes(client, stream) : [];
  const moment = await readMoment(client, stream, groups);
  for (const {name, consumers} of moment.unlisted)
    warn(
      `group "${name}" of "${stream}" has ${withCommas(consumers)} consumers: only those with pending entries are exported`,
    );
  const ids = isPart(between) ? await idsBetween(client, stream, between, moment.header.lastGeneratedId) : undefined;
  const header = {
    ...moment.header,
    server,
    whole: isWhole(question),
    ...(isPart(between) ? {from: ids?.first ?? NOTHING.first, to: ids?.last ?? NOTHING.last} : {}),
    filter: filter && conditions,
    pendingOnly: pendingOnly || undefined,
    masked: masking?.fields,
  };
  return {header, hashes};
}

/** Whether all of a stream is asked for. */
export const isWhole = ({groups, between, pendingOnly, filter}: ExportQuestion): boolean =>
  groups === 'all' && !isPart(between) && !pendingOnly && filter === undefined;

const isPart = ({since, until}: Between): boolean => since !== undefined || until !== undefined;

/** IDs between which there is nothing. */
const NOTHING = {first: '0-1', last: '0-0'} as const;

async function readHashes(client: StreamClient, stream: string): Promise<SectionHash[]> {
  const hashes: SectionHash[] = [];
  for (const of of ['producer', 'request'] as const)
    for await (const page of client.transfer.hashes(stream, of)) hashes.push(...page.map((hash) => ({of, ...hash})));
  return hashes;
}

/**
 * Writes a section, or goes on with `begun`. Undefined when `signal` was aborted before its end. Throws `incomplete` when the
 * stream is gone, another one, or moved back.
 */
export async function exportStream(
  stream: string,
  question: ExportQuestion,
  run: ExportRun,
  begun?: OpenSection,
): Promise<ExportedSection | undefined> {
  const writer = new SectionWriter(stream, run.take, {...question, withGone: hasGone(question)}, begun?.totals);
  let header = begun?.header;
  if (header === undefined) {
    const first = await run.run((client) => readHeader(client, stream, question, run));
    header = first.header;
    await writer.begin(first.header, first.hashes);
  }
  try {
    const read = await copyParts(writer, header, run, begun?.lastId);
    if (read === undefined) return undefined;
    checkUnmoved(header, await run.run((client) => client.transfer.state(stream)));
    const missing = isCountable(header, begun) ? Math.max(0, header.length - read) : 0;
    if (missing > 0 && question.failOnMissing) throw hasMissing(stream, missing);
    return await finish(writer, header, missing);
  } catch (error) {
    if (run.signal.aborted && isFailure(error, 'unreachable')) return undefined;
    throw isAboutStream(error) ? await changeOf(header, run.run, error) : error;
  }
}

const isAboutStream = (error: unknown): error is StreamlogError =>
  isFailure(error, 'notFound') || isFailure(error, 'data');

/** What has become of the stream, where a command has found no group, or no stream. */
async function changeOf(header: SectionHeader, run: RunOn, failure: StreamlogError): Promise<unknown> {
  try {
    checkUnmoved(header, await run((client) => client.transfer.state(header.stream)));
    return moved(failure.message);
  } catch (error) {
    return isAboutStream(error) ? moved(error.message) : error;
  }
}

const hasGone = ({filter, pendingOnly}: ExportQuestion): boolean => filter === undefined && !pendingOnly;

/** Whether all entries of T0 were read in this run, or were written by the run before. */
const isCountable = ({from, to, filter, pendingOnly}: SectionHeader, begun: OpenSection | undefined): boolean =>
  from === undefined && to === undefined && !pendingOnly && (filter === undefined || begun === undefined);

/** How many entries were read and, by the run before, written; undefined when the signal came. */
async function copyParts(
  writer: SectionWriter,
  header: SectionHeader,
  {run, signal, page, onPart}: ExportRun,
  after: string | undefined,
): Promise<number | undefined> {
  const {stream, at, length, lastGeneratedId: lastId, groups, from, to, pendingOnly} = header;
  const start = after === undefined ? from : successorOf(after);
  let read = writer.totals.entries;
  if (after !== undefined && start === undefined) return read;
  const source = new SectionSource(checkedOn(header, run), {
    stream,
    atMs: Date.parse(at),
    lastId,
    groups,
    from: start,
    to,
    pendingOnly,
    page,
  });
  for await (const part of source.parts()) {
    if (signal.aborted) return undefined;
    await writer.part(part);
    read += part.records.length;
    await onPart({stream, read, length, bytes: writer.totals.bytes});
  }
  return signal.aborted ? undefined : read;
}

/** The same, where another connection has to find the stream of T0: a failover may have taken back what was there. */
function checkedOn(header: SectionHeader, run: RunOn): RunOn {
  let known: StreamClient | undefined;
  return (work) =>
    run(async (client) => {
      if (known !== undefined && client !== known) checkUnmoved(header, await client.transfer.state(header.stream));
      known = client;
      return work(client);
    });
}

async function finish(
  writer: SectionWriter,
  {stream, groups}: SectionHeader,
  missing: number,
): Promise<ExportedSection> {
  const {entries, gone, pending} = await writer.end(missing);
  return {stream, entries, gone, pending, groups: groups.length, missing, bytes: writer.totals.bytes};
}

const hasMissing = (stream: string, missing: number): StreamlogError =>
  new StreamlogError(
    'incomplete',
    `${missing} of the entries of "${stream}" were trimmed or deleted before they were read; the export has no end`,
    {hint: 'run it again, or leave --fail-on-missing out'},
  );
