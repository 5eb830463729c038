/**
 * Where data goes: standard output, or any stream that stands for it. A sink
 * knows what was taken and refuses to guess. Invariant: `write` resolves only
 * when the operating system has taken every byte, so "written" can be
 * acknowledged; after the reader has gone, nothing is written any more.
 */
import type {Writable} from 'node:stream';
import {StreamlogError} from '../errors.js';

/** The reader of our output went away (`| head`): not a failure, but the end of the work. */
export class OutputClosed extends Error {
  constructor() {
    super('the reader of the output went away');
    this.name = 'OutputClosed';
  }
}

export class Sink {
  readonly #stream: Writable;
  readonly #readerIsGone: () => boolean;
  #closed = false;

  /**
   * Takes over the error events of `stream`. `readerIsGone` may look whether
   * anybody still reads, where the platform can tell; else it answers false.
   */
  constructor(stream: Writable, readerIsGone: () => boolean = () => false) {
    this.#stream = stream;
    this.#readerIsGone = readerIsGone;
    // oclif swallows EPIPE here and rethrows all else into the void; both reach the caller of write() instead.
    stream.removeAllListeners('error');
    stream.on('error', () => {});
  }

  /** Resolves when `text` was taken. Throws OutputClosed when nobody reads any more, `io` when the disk is full. */
  write(text: string | Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(new OutputClosed());
    if (text.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error == null) resolve();
        else reject(this.#failureOf(error));
      });
    });
  }

  /** Throws OutputClosed when the reader is known to be gone: a look before acknowledging, and while idle. */
  check(): void {
    if (this.#closed || this.#readerIsGone()) {
      this.#closed = true;
      throw new OutputClosed();
    }
  }

  #failureOf(error: Error & {code?: string}): Error {
    const {code} = error;
    if (code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED') {
      this.#closed = true;
      return new OutputClosed();
    }
    const reason = code === 'ENOSPC' ? 'no space is left' : (code ?? error.name);
    return new StreamlogError('io', `cannot write the output: ${reason}`, {code});
  }
}
