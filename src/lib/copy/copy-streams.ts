/**
 * Several streams copied side by side, each with connections of its own. Invariant: each that has begun has an outcome,
 * whichever way it ended; and where one that is followed fails, all end, so that no failure is hidden behind the others.
 */
import type {CopyNames} from './copy-failures.js';
import {type CopyOptions, StreamCopy} from './copy-stream.js';
import type {CopyTarget} from './copy-target.js';

export interface CopyOutcome {
  readonly stream: string;
  readonly target: string;
  readonly copied: number;
  readonly skipped: number;
  readonly lastId: string;
  readonly verified?: number | undefined;
  /** Whether it has everything that was asked for; undefined for a mirror, which has no end. */
  readonly complete: boolean | undefined;
}

/** What all have in common. */
export type CommonOptions = Omit<CopyOptions, 'names' | 'hold' | 'into' | 'onProblem' | 'onProgress'> & {
  onProgress: (copied: number) => void;
  onProblem: (names: CopyNames, line: string) => void;
  /** The group that holds the source; undefined for none. */
  holdOf: (names: CopyNames) => string | undefined;
  onFailure: (names: CopyNames, failure: unknown) => void;
  /** Where each goes; undefined: to a stream. */
  intoOf?: (names: CopyNames) => CopyTarget;
};

/** Copies at a time, where they end. */
const AT_ONCE = 4;

/** Never throws for what the servers did: `onFailure` is called. */
export async function copyStreams(all: readonly CopyNames[], options: CommonOptions): Promise<CopyOutcome[]> {
  const {follow, holdOf, intoOf, onProblem, onProgress, onFailure} = options;
  const failing = new AbortController();
  const stopping = follow ? AbortSignal.any([options.stopping, failing.signal]) : options.stopping;
  const outcomes: CopyOutcome[] = [];
  let copied = 0;
  const copyOne = async (names: CopyNames): Promise<void> => {
    let before = 0;
    const copy = new StreamCopy({
      ...options,
      names,
      stopping,
      hold: holdOf(names),
      into: intoOf?.(names),
      onProblem: (line) => onProblem(names, line),
      onProgress: (counts) => {
        copied += counts.copied - before;
        before = counts.copied;
        onProgress(copied);
      },
    });
    let complete: boolean | undefined = false;
    try {
      await copy.run();
      complete = follow ? undefined : !stopping.aborted;
    } catch (error) {
      onFailure(names, error);
      failing.abort();
    }
    if (copy.hasBegun) outcomes.push({stream: names.source, target: names.target, ...copy.counts, complete});
  };
  const waiting = [...all];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !stopping.aborted; next = waiting.shift())
      await copyOne(next);
  };
  await Promise.all(Array.from({length: follow ? all.length : AT_ONCE}, worker));
  return all.flatMap(({source}) => outcomes.filter(({stream}) => stream === source));
}
