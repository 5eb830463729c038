/** Sections of streams, as `export` makes them, within the process of a test. */
import {openSync} from 'node:fs';
import {expect} from 'vitest';
import {readContent} from '../../src/lib/input/content.js';
import {readOpenFile} from '../../src/lib/input/source.js';
import {encodeName} from '../../src/lib/records/names.js';
import type {StreamClient} from '../../src/lib/stream-client.js';
import type {PendingMember} from '../../src/lib/transfer/section.js';
import {type NumberedLine, readSections} from '../../src/lib/transfer/section-reader.js';
import {type ExportQuestion, type ExportRun, exportStream} from '../../src/lib/transfer/stream-export.js';
import type {FullStream} from './random-stream.js';

const WHOLE: ExportQuestion = {
  groups: 'all',
  between: {since: undefined, until: undefined},
  pendingOnly: false,
  conditions: [],
  producers: false,
  failOnMissing: true,
};

/** The lines of the section of `stream`, which are those of a whole export. */
export async function exported(
  client: StreamClient,
  stream: string,
  question: Partial<ExportQuestion> = {},
  run: Partial<ExportRun> = {},
): Promise<NumberedLine[]> {
  return linesOf(from(await chunksOf(client, stream, question, run)), 'F');
}

/** The file of a whole export of `stream`. */
export async function fileOf(client: StreamClient, stream: string, run: Partial<ExportRun> = {}): Promise<Buffer> {
  return Buffer.concat(await chunksOf(client, stream, {}, run));
}

async function chunksOf(
  client: StreamClient,
  stream: string,
  question: Partial<ExportQuestion>,
  run: Partial<ExportRun>,
): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  const section = await exportStream(
    stream,
    {...WHOLE, ...question},
    {
      run: (work) => work(client),
      take: async (bytes) => void chunks.push(bytes),
      signal: new AbortController().signal,
      onPart: () => {},
      warn: (text) => expect.fail(text),
      ...run,
    },
  );
  expect(section).toBeDefined();
  return chunks;
}

async function* from(chunks: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  yield* chunks;
}

const hex = (name: string | Buffer): string =>
  Buffer.from(typeof name === 'string' ? encodeName(name) : (name as never)).toString('hex');

/** What XINFO STREAM FULL would say of the stream that these lines are of. */
export function fullOf(lines: readonly NumberedLine[]): FullStream {
  const header = lines[0];
  if (header?.kind !== 'header') throw new Error('no header');
  const rest = lines.filter((line) => line.kind === 'entry' || line.kind === 'gone');
  const pendingOf = (group: string) =>
    rest.flatMap(({id, pending}) =>
      pending.filter((member) => member.group === group).map((member) => ({id, ...member})),
    );
  const text = (count: number | bigint | string | undefined): string | undefined =>
    count === undefined ? undefined : String(count);
  return {
    facts: {
      length: text(header.length),
      'last-generated-id': header.lastGeneratedId,
      'max-deleted-entry-id': header.maxDeletedId,
      'entries-added': text(header.entriesAdded),
    },
    entries: rest.flatMap((line) => (line.kind === 'entry' ? [[line.id, line.fields.flat().map(hex)] as const] : [])),
    groups: header.groups.map(({name, lastDeliveredId, entriesRead, consumers}) => ({
      name: hex(name),
      facts: {'last-delivered-id': lastDeliveredId, 'entries-read': text(entriesRead)},
      pending: pendingOf(name).map(({id, consumer, deliveredAt, deliveries}: PendingMember & {id: string}) => ({
        id,
        consumer: hex(consumer!),
        deliveredAt,
        deliveries: String(deliveries),
      })),
      consumers: consumers!.map(hex),
    })),
  };
}

/** The clock of the server may go on between TIME and XPENDING. */
export const withoutTimes = (full: FullStream): unknown => ({
  ...full,
  groups: full.groups.map((group) => ({...group, pending: group.pending.map(({deliveredAt, ...rest}) => rest)})),
});
export const timesOf = (full: FullStream): number[] =>
  full.groups.flatMap(({pending}) => pending.map(({deliveredAt}) => deliveredAt));

/** The lines of a file of whole sections, which may be compressed. */
export async function linesOfFile(path: string): Promise<NumberedLine[]> {
  return linesOf(readContent(readOpenFile(openSync(path, 'r'), 0), {name: path, pipeOf: async () => ''}), path);
}

async function linesOf(source: AsyncIterable<Uint8Array | string>, name: string): Promise<NumberedLine[]> {
  const lines: NumberedLine[] = [];
  for await (const page of readSections(source, {name})) lines.push(...page);
  return lines;
}
