/**
 * A file descriptor that is not ours alone, such as standard output, as a stream:
 * write(2) by way of other threads, after what `writeNow` could do without them. The runtimes' own streams
 * on pipes set O_NONBLOCK, which belongs to everybody who has the pipe: whoever
 * writes there beside us or after us then loses what the pipe does not take at
 * once (oven-sh/bun#33827, nodejs/node#42826). Invariant: the flags of the
 * descriptor stay as they were found, and a write is done when the system has
 * taken its last byte, however slow the reader is.
 */
import {fstatSync, write, writeSync} from 'node:fs';
import {Writable} from 'node:stream';

/** Until the next try, where somebody else has set O_NONBLOCK and the pipe is full. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;
/** Of small writes that are made one. */
const MAX_JOINED_BYTES = 64 * 1024;
/** So much may wait before those who look at `isBehind` have to wait too. */
const MAX_WAITING_BYTES = 64 * 1024;

type Done = (error?: Error | null | undefined) => void;

export class DescriptorStream extends Writable {
  readonly fd: number;
  /** A file takes what it is given at once, and by way of other threads that takes longer to come back than to write. */
  readonly takesAtOnce: boolean;
  /** Why nothing was taken any more; undefined while all is well. */
  failure: NodeJS.ErrnoException | undefined;
  /** A write(2) has begun and may wait for a reader. */
  isWriting = false;
  /** Takes what can be written without waiting, and says how much that was; undefined where there is no such way. */
  writeNow: ((bytes: Buffer) => number) | undefined;

  constructor(fd: number) {
    super({highWaterMark: MAX_WAITING_BYTES, decodeStrings: true});
    this.fd = fd;
    this.takesAtOnce = isFile(fd);
    this.on('error', () => {});
  }

  /** More waits than the reader has taken for a while. */
  get isBehind(): boolean {
    return this.writableLength >= MAX_WAITING_BYTES;
  }

  /** Resolves when all that was written so far was taken, or never will be. */
  flushed(): Promise<void> {
    if (this.destroyed || this.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => this.write('', () => resolve()));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.takesAtOnce) done(this.#writeFile(chunk));
    else this.#writeAll(chunk, done);
  }

  override _writev(chunks: {chunk: Buffer; encoding: BufferEncoding}[], done: Done): void {
    const parts = joined(chunks.map(({chunk}) => chunk));
    const next = (error?: Error | null): void => {
      const part = error == null ? parts.shift() : undefined;
      if (part === undefined) done(error);
      else this._write(part, 'buffer' as BufferEncoding, next);
    };
    next();
  }

  #writeAll(bytes: Buffer, done: Done): void {
    let at = this.writeNow?.(bytes) ?? 0;
    let pauseMs = FIRST_PAUSE_MS;
    const onWritten = (error: NodeJS.ErrnoException | null, count: number): void => {
      this.isWriting = false;
      if (error?.code === 'EAGAIN') {
        setTimeout(go, pauseMs);
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      } else if (error !== null && error.code !== 'EINTR') {
        this.failure ??= error;
        done(error);
      } else {
        at += error === null ? count : 0;
        pauseMs = FIRST_PAUSE_MS;
        go();
      }
    };
    const go = (): void => {
      if (at === bytes.length) {
        done();
        return;
      }
      this.isWriting = true;
      write(this.fd, bytes, at, bytes.length - at, null, onWritten);
    };
    go();
  }

  /** A disk that fills up makes a write a short one; the rest is tried, and then the failure says why not. */
  #writeFile(bytes: Buffer): Error | undefined {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.fd, bytes, at);
      return undefined;
    } catch (error) {
      this.failure ??= error as Error;
      return error as Error;
    }
  }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Neighbours that are small become one. */
function joined(chunks: readonly Buffer[]): Buffer[] {
  const parts: Buffer[] = [];
  let small: Buffer[] = [];
  let smallBytes = 0;
  const join = (): void => {
    if (smallBytes > 0) parts.push(Buffer.concat(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const chunk of chunks) {
    if (smallBytes + chunk.length > MAX_JOINED_BYTES) join();
    small.push(chunk);
    smallBytes += chunk.length;
  }
  join();
  return parts;
}
