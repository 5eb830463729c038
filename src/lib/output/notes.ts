/**
 * Everything that is not data, to standard error: progress, notes, warnings, failures. A note is one
 * line that starts with the program's name, so that it can be recognised in the output of a pipeline.
 * Text is escaped for terminals, since messages quote names of streams, groups and consumers.
 */
import type {StreamlogError} from '../errors.js';
import {cutEnd} from './cell-width.js';
import type {Colors} from './colors.js';
import {excerptLines} from './excerpt.js';
import {escapeForTerminal} from './sanitize.js';
import {wrapSentence} from './text-layout.js';

/** What notes need of standard error. */
export interface NoteStream {
  write(text: string): unknown;
  /** Its reader has not kept up. */
  readonly isBehind: boolean;
  /** Bytes that were written and not yet taken. */
  readonly writableLength: number;
  /** The width of the terminal; undefined or 0 where there is none, or it does not say. */
  readonly columns?: number | undefined;
  /** Resolves when all that was written so far was taken or has failed. */
  flushed(): Promise<void>;
}

export interface NotesOptions {
  quiet: boolean;
  verbose: boolean;
  /** Whether a person reads them. */
  terminal: boolean;
  /** Whether a line can be overwritten, as a progress line is. */
  overwrites: boolean;
  colors: Colors;
}

const USUAL_COLUMNS = 80;

/** Of a longer word, such as a name of 10 KB, a terminal shows the beginning and the end. */
const LONG_WORD = /(\S{160})\S{140,}(\S{40})/gu;

/** No eye follows a faster line, and each costs a write. */
const PROGRESS_EVERY_MS = 100;

export class Notes {
  readonly #stream: NoteStream;
  readonly #options: NotesOptions;
  #progressShown = false;
  #progressAtMs = 0;

  constructor(stream: NoteStream, options: NotesOptions) {
    this.#stream = stream;
    this.#options = options;
  }

  /** To be awaited between notes about many records, so that unread ones do not pile up. Undefined if there is nothing to wait for. */
  get backlog(): Promise<void> | undefined {
    return this.#stream.isBehind ? this.#stream.flushed() : undefined;
  }

  /** A fact such as a count; hidden by `--quiet`. */
  note(text: string): void {
    if (!this.#options.quiet) this.#line(text);
  }

  /** What a person wants to know and a script does not: on a terminal or with `--verbose`; hidden by `--quiet`. */
  status(text: string): void {
    if (this.isShown) this.note(text);
  }

  /** Whether `status` prints anything. */
  get isShown(): boolean {
    const {quiet, terminal, verbose} = this.#options;
    return !quiet && (terminal || verbose);
  }

  /** The last line of a run: `sentence` on a terminal, `counts` elsewhere, which scripts read. Undefined prints nothing. */
  sumUp(sentence: string | undefined, counts: string | undefined): void {
    const line = this.#options.terminal ? sentence : counts;
    if (line !== undefined) this.note(line);
  }

  /** Something that may be lost or wrong; never hidden. */
  warn(text: string): void {
    this.#line(`${this.#options.colors.warning('warning:')} ${this.#shown(text)}`, true);
  }

  /** What `--trace` asked for, whatever is hidden. */
  trace(text: string): void {
    this.endProgress();
    this.#stream.write(`streamlog: ${this.#shown(text)}\n`);
  }

  /** On a terminal, whatever is hidden: where a command is about to write. */
  banner(title: string, about: string | undefined, color = 'red'): void {
    if (!this.#options.terminal) return;
    const text = escapeForTerminal(about === undefined ? '' : ` ${about}`);
    this.endProgress();
    this.#stream.write(`streamlog: ${this.#options.colors.banner(` ${escapeForTerminal(title)} `, color)}${text}\n`);
  }

  /** Detail for `--verbose`. */
  detail(text: string): void {
    if (this.#options.verbose) this.#line(text);
  }

  /** Bytes that were written and not yet taken. */
  get waitingBytes(): number {
    return this.#stream.writableLength;
  }

  /** Resolves when all that was written so far was taken or has failed. */
  flushed(): Promise<void> {
    return this.#stream.flushed();
  }

  /** A question, whose answer is typed behind it. */
  ask(question: string): void {
    this.endProgress();
    this.#stream.write(`${this.#wrapped(`streamlog: ${this.#shown(question)}`)} `);
  }

  /** Lines that are not notes, such as those of an access log: with newlines, already escaped. */
  lines(text: string): void {
    this.endProgress();
    this.#stream.write(text);
  }

  /** The last line of a command that fails, with the mistake that it is about and its hint, which is a line to copy. */
  failure(error: StreamlogError): void {
    this.#line(this.#options.colors.failure(this.#shown(error.message)), true);
    if (error.excerpt !== undefined) this.#stream.write(excerptLines(error.excerpt));
    if (error.hint !== undefined)
      this.#stream.write(`${this.#options.colors.dim('hint:')} ${this.#shown(error.hint)}\n`);
  }

  /** A line that the next one overwrites, where that is possible. It is cut: of one that wraps, only the end is overwritten. */
  progress(text: string): void {
    if (!this.#options.overwrites || this.#options.quiet) return;
    const nowMs = performance.now();
    if (this.#progressShown && nowMs - this.#progressAtMs < PROGRESS_EVERY_MS) return;
    this.#progressAtMs = nowMs;
    const room = (this.#stream.columns || USUAL_COLUMNS) - 1;
    this.#stream.write(`\r\u001b[K${cutEnd(escapeForTerminal(text), room)}`);
    this.#progressShown = true;
  }

  /** Clears the progress line. */
  endProgress(): void {
    if (this.#progressShown) this.#stream.write('\r\u001b[K');
    this.#progressShown = false;
  }

  #line(text: string, escaped = false): void {
    this.endProgress();
    this.#stream.write(`${this.#wrapped(`streamlog: ${escaped ? text : this.#shown(text)}`)}\n`);
  }

  /** Some terminals go to the next line once the last column is taken. */
  #wrapped(line: string): string {
    const {columns} = this.#stream;
    return this.#options.terminal && columns ? wrapSentence(line, columns - 1) : line;
  }

  #shown(text: string): string {
    const escaped = escapeForTerminal(text);
    return this.#options.terminal ? escaped.replace(LONG_WORD, '$1…$2') : escaped;
  }
}
