/**
 * The access log: one line a request, for machines or for people. Invariant: a
 * line holds no body, no query and no header, and no character that a terminal
 * or another line could be made of.
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

/** The log in the format of that name; undefined for `off`. */
export const accessLog = (format: LogFormat, write: (text: string) => void): AccessLog | undefined =>
  format === 'off' ? undefined : new AccessLog(format, write);

/** Lines of one moment leave as one write, so that logging costs little when there is much to log. */
class AccessLog {
  readonly #format: Exclude<LogFormat, 'off'>;
  readonly #write: (text: string) => void;
  #lines = '';

  constructor(format: Exclude<LogFormat, 'off'>, write: (text: string) => void) {
    this.#format = format;
    this.#write = write;
  }

  add(facts: AccessFacts): void {
    if (this.#lines === '') setImmediate(() => this.flush());
    this.#lines += accessLine(this.#format, facts, new Date());
  }

  /** Writes what was added; to be called when no more comes. */
  flush(): void {
    const lines = this.#lines;
    this.#lines = '';
    if (lines !== '') this.#write(lines);
  }
}
