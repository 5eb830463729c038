/** Several streams archived side by side, as `copyStreams` copies them: each into a directory of its own. */
import type {CopyNames} from '../copy/copy-failures.js';
import {type CommonOptions, copyStreams} from '../copy/copy-streams.js';
import type {StreamClient} from '../stream-client.js';
import {ArchiveTarget} from './archive-target.js';
import {type ArchiveOptions, StreamArchive} from './stream-archive.js';

export interface ArchiveOutcome {
  readonly stream: string;
  readonly directory: string;
  readonly archived: number;
  /** Entries that the filter has left out. */
  readonly skipped: number;
  /** Files that were finished. */
  readonly files: number;
  readonly lastId: string;
  /** Whether it has everything that was there; undefined for one that goes on until a signal. */
  readonly complete: boolean | undefined;
}

export type ArchiveRun = Pick<
  CommonOptions,
  'from' | 'filter' | 'follow' | 'retryForMs' | 'stopping' | 'onProgress' | 'onIdle' | 'onProblem' | 'onFailure'
> & {
  connect: () => Promise<StreamClient>;
  mayFailOver: boolean;
  /** Stands where the archive does. */
  group: string;
  files: ArchiveOptions;
};

/** Never throws for what the server or the file system did: `onFailure` is called. */
export async function archiveStreams(streams: readonly string[], run: ArchiveRun): Promise<ArchiveOutcome[]> {
  const {connect, mayFailOver, group, files, onProblem} = run;
  const archives = new Map<string, StreamArchive>();
  const intoOf = (names: CopyNames): ArchiveTarget => {
    const archive = new StreamArchive(names.source, files, (line) => onProblem(names, line));
    archives.set(names.source, archive);
    return new ArchiveTarget(names, archive);
  };
  const copies = await copyStreams(
    streams.map((stream) => ({source: stream, target: stream})),
    {
      ...run,
      connect: {source: connect, target: connect},
      mayFailOver: {source: mayFailOver, target: mayFailOver},
      until: undefined,
      groups: false,
      trim: false,
      verify: false,
      newIdsFrom: undefined,
      schedule: undefined,
      holdOf: () => group,
      intoOf,
    },
  );
  return copies.map(({stream, copied, skipped, lastId, complete}) => {
    const {path: directory, finished} = archives.get(stream)!;
    return {stream, directory, archived: copied, skipped, files: finished, lastId, complete};
  });
}
