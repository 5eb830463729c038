/**
 * The access log: one line per request, as JSON or text. Invariants: a line has no
 * body, query or header, and no control character; when standard error is not read
 * fast enough, lines are dropped, counted and reported, so memory stays bounded.
 */
import {escapeForTerminal, escapeJsonForTerminal} from '../output/sanitize.js';

/** A request that was answered, or a connection that was closed without one. */
export interface AccessFacts {
  client: string | undefined;
  method: string | undefined;
  /** Without the query; `-` for an ambiguous target. */
  path: string;
  /** Absent when the client closed the connection before the answer. */
  status: number | undefined;
  /** From its header to the end of its answer. */
  ms: number;
  /** Entries added. */
  added: number;
  /** `error.code` of the answer. */
  error: string | undefined;
}

export const LOG_FORMATS = ['json', 'text', 'off'] as const;
type LogFormat = (typeof LOG_FORMATS)[number];

/** A line of the log, with its newline. */
export function accessLine(format: Exclude<LogFormat, 'off'>, facts: AccessFacts, now: Date): string {
  const time = now.toISOString();
  const ms = Math.round(facts.ms * 10) / 10;
  if (format === 'json') return `${escapeJsonForTerminal(JSON.stringify({time, ...facts, ms}))}\n`;
  const {client = '-', method = '-', path, status = '-', added, error} = facts;
  const words = [time, client, method, path, status, `${ms}ms`, ...(added > 0 ? [`added=${added}`] : [])];
  if (error !== undefined) words.push(`error=${error}`);
  return `${escapeForTerminal(words.join(' '))}\n`;
}

/** The destination of the lines. */
export interface LogOutput {
  /** Whole lines. */
  lines(text: string): void;
  warn(text: string): void;
  /** Bytes that were written and are not read yet. */
  readonly waitingBytes: number;
  /** Resolves when all that was written so far was read, or never will be. */
  flushed(): Promise<void>;
}

/** The log in the format of that name; undefined for `off`. */
export const accessLog = (format: LogFormat, output: LogOutput): AccessLog | undefined =>
  format === 'off' ? undefined : new AccessLog(format, output);

/** Some thousands of lines. */
const MOST_WAITING_BYTES = 1024 * 1024;

/** Writes the lines of one turn of the event loop at once. */
class AccessLog {
  readonly #format: Exclude<LogFormat, 'off'>;
  readonly #output: LogOutput;
  #lines = '';
  #dropped = 0;
  #reported = 0;

  constructor(format: Exclude<LogFormat, 'off'>, output: LogOutput) {
    this.#format = format;
    this.#output = output;
  }

  /** Lines that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  add(facts: AccessFacts): void {
    if (this.#output.waitingBytes + this.#lines.length >= MOST_WAITING_BYTES) {
      this.#drop();
      return;
    }
    if (this.#lines === '') setImmediate(() => this.flush());
    this.#lines += accessLine(this.#format, facts, new Date());
  }

  /** Writes the added lines; to be called after the last one. */
  flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#output.lines(lines);
  }

  /** Reports once for all lines that are dropped until the reader has caught up. */
  #drop(): void {
    if (this.#dropped++ > this.#reported) return;
    void this.#output.flushed().then(() => {
      this.#output.warn(
        `${this.#dropped - this.#reported} lines of the access log were dropped: standard error was not read fast enough`,
      );
      this.#reported = this.#dropped;
    });
  }
}
