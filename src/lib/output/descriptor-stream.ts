/**
 * A file descriptor that other processes share, such as standard output, as a stream. The streams of
 * the runtimes set O_NONBLOCK on pipes, for all of these processes, which then lose what a full pipe
 * does not take (oven-sh/bun#33827, nodejs/node#42826). Invariant: the flags of the descriptor stay
 * as they are, and a write is done when the system has taken its last byte.
 */
import {fstatSync, write, writeSync} from 'node:fs';
import {Writable} from 'node:stream';

/** Between attempts, if another process has set O_NONBLOCK and the pipe is full. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;
/** Small writes are joined up to this size. */
const MAX_JOINED_BYTES = 64 * 1024;
/** The limit for `isBehind`. */
const MAX_WAITING_BYTES = 64 * 1024;

type Done = (error?: Error | null | undefined) => void;

export class DescriptorStream extends Writable {
  readonly fd: number;
  /** A file takes all at once, so the detour through another thread would take longer than the write. */
  readonly takesAtOnce: boolean;
  /** The first error; undefined if there was none. */
  failure: NodeJS.ErrnoException | undefined;
  /** A write(2) is running and may wait for the reader. */
  isWriting = false;
  /** Writes what is taken without waiting, and returns how much that was; undefined if there is no such call. */
  writeNow: ((bytes: Buffer) => number) | undefined;

  constructor(fd: number) {
    super({highWaterMark: MAX_WAITING_BYTES, decodeStrings: true});
    this.fd = fd;
    this.takesAtOnce = isFile(fd);
    this.on('error', () => {});
  }

  /** The reader has not kept up. */
  get isBehind(): boolean {
    return this.writableLength >= MAX_WAITING_BYTES;
  }

  /** Resolves when all that was written so far was taken or has failed. */
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

  /** A full disk makes a write(2) short; the write of the rest then fails with the reason. */
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

/** Joins consecutive small chunks. */
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
