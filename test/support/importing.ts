/** Sections that are imported within the process of a test. */
import {ReconnectingClient} from '../../src/lib/reconnecting-client.js';
import {StreamClient} from '../../src/lib/stream-client.js';
import type {ImportReport} from '../../src/lib/transfer/import-options.js';
import {type ImportPlan, importSections} from '../../src/lib/transfer/import-sections.js';

export const connectTo = (url: string): Promise<StreamClient> => StreamClient.connect({url, connectTimeoutMs: 4_000});

/** What became of the sections of `file`, which comes in pieces of `pieceBytes`. */
export async function imported(
  url: string,
  file: Buffer,
  plan: Partial<ImportPlan> = {},
  pieceBytes = 65_536,
): Promise<ImportReport[]> {
  const problems: string[] = [];
  const stopping = new AbortController().signal;
  const retrying = {retryForMs: 10_000, stopping, onProblem: (line: string) => problems.push(line)};
  const connect = (): Promise<StreamClient> => connectTo(url);
  const redis = new ReconnectingClient({...retrying, connect});
  const reports: ImportReport[] = [];
  try {
    const sections = importSections(
      {name: 'F', source: pieces(file, pieceBytes)},
      {
        mode: 'new',
        groups: true,
        agesToNow: false,
        verify: true,
        dryRun: false,
        redis,
        openAdder: async (stream) => StreamClient.openAdder({url, connectTimeoutMs: 4_000}, stream, {}),
        delivery: {...retrying, mayFailOver: false, inspect: connect},
        onNote: (line) => problems.push(line),
        agreeToReplace: async () => {},
        targetOf: (stream) => stream,
        isOne: false,
        ratePerSecond: undefined,
        onProgress: () => {},
        ...plan,
      },
    );
    for await (const report of sections) reports.push(report);
  } finally {
    redis.close();
  }
  return reports;
}

async function* pieces(file: Buffer, pieceBytes: number): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < file.length; at += pieceBytes) yield file.subarray(at, at + pieceBytes);
}
