/** Sections of streams, as `export` makes them, within the process of a test. */
import {expect} from 'vitest';
import type {StreamClient} from '../../src/lib/stream-client.js';
import {type NumberedLine, readSections} from '../../src/lib/transfer/section-reader.js';
import {type ExportQuestion, type ExportRun, exportStream} from '../../src/lib/transfer/stream-export.js';

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
  const lines: NumberedLine[] = [];
  for await (const page of readSections(from(chunks), {name: 'F'})) lines.push(...page);
  return lines;
}

async function* from(chunks: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  yield* chunks;
}
