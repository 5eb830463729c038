/**
 * Where bytes come from, guarded: a source that fails becomes a failure that
 * says so, and one that waits for ever ends when the work is asked to stop.
 * Invariant: what was handed over before the stop is complete chunks, and
 * nothing is read after it.
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

/** The chunks of `source` until it ends or `stopping` is aborted. Throws `io` when it cannot be read. */
export async function* readSource(
  source: AsyncIterable<Uint8Array | string>,
  {name, stopping, onBytes}: SourceOptions,
): AsyncGenerator<Uint8Array | string, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    while (!stopping.aborted) {
      const next = await unlessAborted(iterator.next(), stopping);
      if (next === undefined || next.done) return;
      onBytes?.(next.value.length);
      yield next.value;
    }
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (error instanceof StreamlogError || code === undefined) throw error;
    throw new StreamlogError('io', `cannot read ${name}: ${code === 'EISDIR' ? 'it is a directory' : code}`, {code});
  }
}

/** A file's chunks and its size in bytes. Throws `io` when there is no such file. */
export function openFile(path: string): {chunks: AsyncIterable<Buffer>; sizeBytes: number} {
  try {
    const sizeBytes = statSync(path).size;
    return {chunks: createReadStream(path, {highWaterMark: 256 * 1024}), sizeBytes};
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    throw new StreamlogError('io', `cannot read ${path}: ${code ?? 'unknown error'}`, {code});
  }
}

/** Not a race with one long-lived promise: that promise would keep every chunk in memory until the signal comes. */
function unlessAborted<T>(next: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined);
    signal.addEventListener('abort', stop, {once: true});
    next.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
