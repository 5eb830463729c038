/**
 * Everything that is not data: progress, notes, warnings, failures, all to
 * standard error. A note is one line that starts with the program's name, so
 * that it can be told apart in a pipeline's mixed output. Escapes what it
 * prints, since messages quote names that others chose.
 */
import type {StreamlogError} from '../errors.js';
import type {Colors} from './colors.js';
import {escapeForTerminal} from './sanitize.js';

/** What notes need of standard error. */
export interface NoteStream {
  write(text: string): unknown;
  /** More waits than its reader has taken for a while. */
  readonly isBehind: boolean;
  /** Bytes that were written and not taken yet. */
  readonly writableLength: number;
  /** Resolves when all that was written so far was taken, or never will be. */
  flushed(): Promise<void>;
}

export interface NotesOptions {
  quiet: boolean;
  verbose: boolean;
  /** Whether a line can be overwritten, as a progress line is. */
  terminal: boolean;
  colors: Colors;
}

export class Notes {
  readonly #stream: NoteStream;
  readonly #options: NotesOptions;
  #progressShown = false;

  constructor(stream: NoteStream, options: NotesOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  /**
   * For whoever says something about each of many records: to be awaited, so that
   * what nobody reads does not add up. Undefined while there is nothing to wait for.
   */
  get backlog(): Promise<void> | undefined {
    return this.#stream.isBehind ? this.#stream.flushed() : undefined;
  }

  /** A fact the user asked for or will want, such as counts; `--quiet` hides it. */
  note(text: string): void {
    if (!this.#options.quiet) this.#line(text);
  }

  /** Something that may be lost or wrong; never hidden. */
  warn(text: string): void {
    this.#line(`${this.#options.colors.warning('warning:')} ${escapeForTerminal(text)}`, true);
  }

  /** Detail for `--verbose`. */
  detail(text: string): void {
    if (this.#options.verbose) this.#line(text);
  }

  /** Bytes that were written and not taken yet. */
  get waitingBytes(): number {
    return this.#stream.writableLength;
  }

  /** Resolves when all that was written so far was taken, or never will be. */
  flushed(): Promise<void> {
    return this.#stream.flushed();
  }

  /** Lines that are no notes, such as those of an access log; with their newlines, and escaped already. */
  lines(text: string): void {
    this.endProgress();
    this.#stream.write(text);
  }

  /** A command that ends in a failure ends with this: what happened, and what to do. */
  failure(error: StreamlogError): void {
    this.#line(`${this.#options.colors.failure(escapeForTerminal(error.message))}`, true);
    if (error.hint !== undefined)
      this.#stream.write(`${this.#options.colors.dim('hint:')} ${escapeForTerminal(error.hint)}\n`);
  }

  /** One line that is overwritten by the next; shown on a terminal only. */
  progress(text: string): void {
    if (!this.#options.terminal || this.#options.quiet) return;
    this.#stream.write(`\r\u001b[K${escapeForTerminal(text)}`);
    this.#progressShown = true;
  }

  /** Takes the progress line away. */
  endProgress(): void {
    if (this.#progressShown) this.#stream.write('\r\u001b[K');
    this.#progressShown = false;
  }

  #line(text: string, escaped = false): void {
    this.endProgress();
    this.#stream.write(`streamlog: ${escaped ? text : escapeForTerminal(text)}\n`);
  }
}
