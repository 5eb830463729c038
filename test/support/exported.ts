/** Sections of streams, as `export` makes them, within the process of a test. */
import {openSync} from 'node:fs';
import {expect} from 'vitest';
import {readContent} from '../../src/lib/input/content.js';
import {readOpenFile} from '../../src/lib/input/source.js';
import {encodeName} from '../../src/lib/records/names.js';
import type {StreamClient} from '../../src/lib/stream-client.js';
import {type NumberedLine, readSections} from '../../src/lib/transfer/section-reader.js';
import {type ExportQuestion, type ExportRun, exportStream} from '../../src/lib/transfer/stream-export.js';
import {type FullInfo, plain} from './stream-facts.js';

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

const latin1 = (name: string | Buffer): string =>
  Buffer.from(typeof name === 'string' ? encodeName(name) : (name as never)).toString('latin1');

/** What XINFO STREAM FULL would say of the stream that these lines are of, as far as a section has it. */
export function fullOf(lines: readonly NumberedLine[]): FullInfo {
  const header = lines[0];
  if (header?.kind !== 'header') throw new Error('no header');
  const rest = lines.filter((line) => line.kind === 'entry' || line.kind === 'gone');
  const pendingOf = (group: string) =>
    rest.flatMap(({id, pending}) =>
      pending.filter((member) => member.group === group).map((member) => ({id, ...member})),
    );
  return {
    length: header.length,
    'last-generated-id': header.lastGeneratedId,
    'max-deleted-entry-id': header.maxDeletedId,
    'entries-added': plain(String(header.entriesAdded)) as number | string,
    entries: rest.flatMap((line) => (line.kind === 'entry' ? [[line.id, line.fields.flat().map(latin1)]] : [])),
    groups: header.groups.map(({name, lastDeliveredId, entriesRead, consumers}) => ({
      name: latin1(name),
      'last-delivered-id': lastDeliveredId,
      'entries-read': entriesRead === undefined ? null : (plain(String(entriesRead)) as number | string),
      pending: pendingOf(name).map(({id, consumer, deliveredAt, deliveries}) => [
        id,
        latin1(consumer!),
        deliveredAt,
        String(deliveries),
      ]),
      consumers: consumers!.map(latin1),
    })),
  };
}

/** What a section has, without times: the clock of the server may go on between TIME and XPENDING. */
export const withoutTimes = (full: FullInfo) => ({
  ...full,
  'recorded-first-entry-id': undefined,
  groups: full.groups.map(({lag: _, pending, ...group}) => ({
    ...group,
    pending: pending.map(([id, consumer, , deliveries]) => [id, consumer, deliveries]),
  })),
});
export const timesOf = (full: FullInfo): number[] =>
  full.groups.flatMap(({pending}) => pending.map(([, , deliveredAt]) => deliveredAt));

/** The lines of a file of whole sections, which may be compressed. */
export async function linesOfFile(path: string): Promise<NumberedLine[]> {
  return linesOf(readContent(readOpenFile(openSync(path, 'r'), 0), {name: path, pipeOf: async () => ''}), path);
}

async function linesOf(source: AsyncIterable<Uint8Array | string>, name: string): Promise<NumberedLine[]> {
  const lines: NumberedLine[] = [];
  for await (const page of readSections(source, {name})) lines.push(...page);
  return lines;
}
