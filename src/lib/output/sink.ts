/**
 * Where data goes: standard output, or any stream that stands for it. A sink
 * knows what was taken and refuses to guess. Invariant: `write` resolves only
 * when the operating system has taken every byte, so "written" can be
 * acknowledged; after the first failure nothing is written any more, since the
 * output would have a hole.
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
  /** Why nothing is written any more. */
  #end: Error | undefined;

  /**
   * Takes over the error events of `stream`. `readerIsGone` may look whether
   * anybody still reads, where the platform can tell; else it answers false.
   */
  constructor(stream: Writable, readerIsGone: () => boolean = () => false) {
    // oclif swallows EPIPE and rethrows other errors where nothing catches them (oclif/command#54); here both reach the
    // caller of write().
    stream.removeAllListeners('error');
    stream.on('error', () => {});
    this.#stream = stream;
    this.#readerIsGone = readerIsGone;
  }

  /** Resolves when `text` was taken. Throws OutputClosed when nobody reads any more, `io` when the disk is full. */
  write(text: string | Uint8Array): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (text.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => {
        if (error == null) return resolve();
        this.#end ??= failureOf(error);
        reject(this.#end);
      });
    });
  }

  /** The same sink for output that nobody has to see: once the reader is gone, writing does nothing. */
  untilClosed(): Pick<Sink, 'write'> {
    return {write: (text) => this.write(text).catch(ignoreClosed)};
  }

  /** Throws OutputClosed when the reader is known to be gone: a look before acknowledging, and while idle. */
  check(): void {
    if (this.#end === undefined && this.#readerIsGone()) this.#end = new OutputClosed();
    if (this.#end !== undefined) throw this.#end;
  }
}

/** What `error` of a stream says about our output. */
export function failureOf(error: Error & {code?: string}): Error {
  const {code} = error;
  if (code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED') return new OutputClosed();
  const reason = code === 'ENOSPC' ? 'no space is left' : (code ?? error.name);
  return new StreamlogError('io', `cannot write the output: ${reason}`, {code});
}

function ignoreClosed(error: unknown): void {
  if (!(error instanceof OutputClosed)) throw error;
}
