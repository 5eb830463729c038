/**
 * Where bytes come from, guarded: a source that fails becomes a failure that
 * says so, and one that waits for ever is cut off when the work is asked to
 * stop. Invariant: an input that was cut off is never taken for one that ended,
 * since what came last may be half a line.
 */
import {Buffer} from 'node:buffer';
import {type BigIntStats, closeSync, constants, fstatSync, openSync, read, statSync} from 'node:fs';
import {StreamlogError, systemReason} from '../errors.js';
import {unlessAborted} from '../waiting.js';
import {openForReading} from './opened-file.js';

export const CHUNK_BYTES = 256 * 1024;
/** Until the next try, where somebody else has set O_NONBLOCK and there is nothing to read. */
const PAUSE_MS = 10;

export interface SourceOptions {
  /** For messages: a path, or "standard input". */
  name: string;
  stopping: AbortSignal;
  /** Called with the length of each chunk, and with 0 at the end. */
  onBytes?: (bytes: number) => void;
}

/** The input was cut off by a signal. A reader of lines drops the last one, if it is not whole, and ends normally. */
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
      if (next.done) {
        onBytes?.(0);
        return;
      }
      onBytes?.(next.value.length);
      yield next.value;
    }
  } catch (error) {
    if (error instanceof StreamlogError || (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw cannotRead(name, error);
  }
}

/** `io`, for what the file system says. */
export function cannotRead(name: string, error: unknown): StreamlogError {
  const {code} = error as NodeJS.ErrnoException;
  return new StreamlogError('io', `cannot read ${name}: ${systemReason(code)}`, {code});
}

/** The size of a file in bytes. Throws `io` when there is none. */
export function fileSize(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/**
 * A file that can be read again, open, and what the system says of it. Throws what `notAFile` gives for what is none, such as
 * a pipe, and `io` when it cannot be opened.
 */
export function openFile(
  name: string,
  notAFile: (name: string) => StreamlogError,
): {name: string; fd: number; sizeBytes: number; stats: BigIntStats} {
  try {
    // A FIFO would wait for its writer.
    const fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd, {bigint: true});
    if (stats.isFile()) return {name, fd, sizeBytes: Number(stats.size), stats};
    closeSync(fd);
  } catch (error) {
    // A socket cannot be opened at all.
    if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw cannotRead(name, error);
  }
  throw notAFile(name);
}

/**
 * The chunks of a file that is open, from `fromBytes` on, by pread(2): its offset
 * stays where it is. The next one is read while the last one is worked on.
 */
export async function* readOpenFile(fd: number, fromBytes: number): AsyncGenerator<Buffer, void, void> {
  let at = fromBytes;
  const read = (): Promise<Buffer> => {
    const chunk = readSome(fd, Buffer.allocUnsafeSlow(CHUNK_BYTES), at);
    // A reader that stops early does not ask for it.
    chunk.catch(() => {});
    return chunk;
  };
  for (let next = read(); ; ) {
    const chunk = await next;
    if (chunk.length === 0) return;
    at += chunk.length;
    next = read();
    yield chunk;
  }
}

/**
 * The chunks of a file from `fromBytes` on, or of the pipe or FIFO of that name. It is opened when the first one
 * is asked for; `onWait` is called for a FIFO without a writer.
 */
export async function* readFile(
  path: string,
  fromBytes: number,
  onWait: (text: string) => void = () => {},
): AsyncGenerator<Buffer, void, void> {
  const fd = await openForReading(path, onWait);
  try {
    if (fstatSync(fd).isFile()) yield* readOpenFile(fd, fromBytes);
    else yield* readPipe(fd);
  } finally {
    closeSync(fd);
  }
}

async function* readPipe(fd: number): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    const chunk = await readSome(fd, Buffer.allocUnsafeSlow(CHUNK_BYTES), null);
    if (chunk.length === 0) return;
    yield chunk;
  }
}

/** What read(2) or, with a position, pread(2) gives; empty at the end. */
export function readSome(fd: number, buffer: Buffer, position: number | null): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const go = (): void =>
      read(fd, buffer, 0, buffer.length, position, (error, count) => {
        if (error === null) resolve(buffer.subarray(0, count));
        else if (error.code === 'EINTR') go();
        else if (error.code === 'EAGAIN') setTimeout(go, PAUSE_MS);
        else reject(error);
      });
    go();
  });
}
