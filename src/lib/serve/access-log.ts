/**
 * The access log: one line a request, for machines or for people. Invariant: a
 * line holds no body, no query and no header, and no character that a terminal
 * or another line could be made of; and what its reader does not take is bounded:
 * lines beyond that are dropped, counted and told.
 */
import {escapeForTerminal, escapeJsonForTerminal} from '../output/sanitize.js';

/** What is known of a request that was answered. */
export interface AccessFacts {
  client: string | undefined;
  method: string | undefined;
  /** Without the query; `-` where the target could be read in two ways. */
  path: string;
  /** Absent when the client went away before it was answered. */
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

/** Where the lines go. */
export interface LogOutput {
  /** Whole lines. */
  lines(text: string): void;
  warn(text: string): void;
  /** Bytes that were written and not taken yet. */
  readonly waitingBytes: number;
  /** Resolves when all that was written so far was taken, or never will be. */
  flushed(): Promise<void>;
}

/** The log in the format of that name; undefined for `off`. */
export const accessLog = (format: LogFormat, output: LogOutput): AccessLog | undefined =>
  format === 'off' ? undefined : new AccessLog(format, output);

/** Some thousands of lines. */
const MOST_WAITING_BYTES = 1024 * 1024;

/** Lines of one moment leave as one write, so that logging costs little when there is much to log. */
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

  /** Writes what was added; to be called when no more comes. */
  flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#output.lines(lines);
  }

  /** Told once for all that are dropped until the reader has taken what waits. */
  #drop(): void {
    if (this.#dropped++ > this.#reported) return;
    void this.#output.flushed().then(() => {
      this.#output.warn(
        `${this.#dropped - this.#reported} lines of the access log were dropped: nobody read fast enough`,
      );
      this.#reported = this.#dropped;
    });
  }
}
