/**
 * Where bytes come from, guarded: a source that fails becomes a failure that
 * says so, and one that waits for ever is cut off when the work is asked to
 * stop. Invariant: an input that was cut off is never taken for one that ended,
 * since what came last may be half a line.
 */
import {createReadStream, statSync} from 'node:fs';
import {StreamlogError} from '../errors.js';

export interface SourceOptions {
  /** For messages: a path, or "standard input". */
  name: string;
  stopping: AbortSignal;
  /** Called with the length of each chunk, for progress. */
  onBytes?: (bytes: number) => void;
}

/** The input was cut off by a signal. Whoever reads lines drops the last one, if it is not whole, and ends in order. */
export class InputCut extends Error {
  constructor() {
    super('the input was cut off');
    this.name = 'InputCut';
  }
}

/** The chunks of `source` until it ends. Throws InputCut when `stopping` is aborted before, `io` when it cannot be read. */
export async function* readSource(
  source: AsyncIterable<Uint8Array | string>,
  {name, stopping, onBytes}: SourceOptions,
): AsyncGenerator<Uint8Array | string, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = stopping.aborted ? undefined : await unlessAborted(iterator.next(), stopping);
      if (next === undefined) throw new InputCut();
      if (next.done) return;
      onBytes?.(next.value.length);
      yield next.value;
    }
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (error instanceof StreamlogError || code === undefined) throw error;
    throw new StreamlogError('io', `cannot read ${name}: ${code === 'EISDIR' ? 'it is a directory' : code}`, {code});
  }
}

/** The size of a file in bytes. Throws `io` when there is none. */
export function fileSize(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    throw new StreamlogError('io', `cannot read ${path}: ${code ?? 'unknown error'}`, {code});
  }
}

/** The chunks of a file from `fromBytes` on. It is opened when the first one is asked for. */
export async function* readFile(path: string, fromBytes: number): AsyncGenerator<Buffer, void, void> {
  // With a place to start, even 0, a pipe in place of a file could not be read.
  yield* createReadStream(path, {start: fromBytes > 0 ? fromBytes : undefined, highWaterMark: 256 * 1024});
}

/** Not a race with one long-lived promise: that promise would keep every chunk in memory until the signal comes. */
function unlessAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    signal.addEventListener('abort', stop, {once: true});
    next.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
