/**
 * The output for data. Invariant: `write` resolves when the operating system has taken every byte, so
 * that what was written can be acknowledged; after a failure nothing more is written, since the
 * output would have a gap.
 */
import type {Writable} from 'node:stream';
import {StreamlogError, systemReason} from '../errors.js';

/** The reader of the output has gone (`| head`): not a failure, but the end of the work. */
export class OutputClosed extends Error {
  constructor() {
    super('the reader of the output went away');
    this.name = 'OutputClosed';
  }
}

export class Sink {
  readonly #stream: Writable;
  readonly #readerIsGone: () => boolean;
  /** The error after which nothing is written. */
  #end: Error | undefined;

  /** Takes over the error events of `stream`. `readerIsGone` is false where the platform cannot say. */
  constructor(stream: Writable, readerIsGone: () => boolean = () => false) {
    // oclif swallows EPIPE and rethrows other errors where nothing catches them (oclif/command#54); here both reach the
    // caller of write().
    stream.removeAllListeners('error');
    stream.on('error', () => {});
    this.#stream = stream;
    this.#readerIsGone = readerIsGone;
  }

  /** Resolves when `text` was taken. Throws OutputClosed if the reader has gone, `io` if the disk is full. */
  write(text: string | Uint8Array): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (text.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#stream.write(text, (error) => {
        // Node reports a write as done that was under way when its stream was destroyed, as a child's input is when it exits
        // (onWriteComplete of lib/internal/stream_base_commons.js; nodejs/node#11973).
        if (error == null && !this.#stream.destroyed) return resolve();
        this.#end ??= error == null ? new OutputClosed() : failureOf(error);
        reject(this.#end);
      });
    });
  }

  /** The same sink for output that need not be read: once the reader has gone, writing does nothing. */
  untilClosed(): Pick<Sink, 'write'> {
    return {write: (text) => this.write(text).catch(ignoreClosed)};
  }

  /** Throws OutputClosed if the reader is known to have gone: for use before acknowledging, and while idle. */
  check(): void {
    if (this.#end === undefined && this.#readerIsGone()) this.#end = new OutputClosed();
    if (this.#end !== undefined) throw this.#end;
  }
}

/** The failure that `error` of a stream means. */
export function failureOf(error: Error & {code?: string}): Error {
  const {code} = error;
  if (code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED') return new OutputClosed();
  return new StreamlogError('io', `cannot write the output: ${systemReason(code)}`, {code});
}

function ignoreClosed(error: unknown): void {
  if (!(error instanceof OutputClosed)) throw error;
}
