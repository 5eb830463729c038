/**
 * A shell in a pseudo-terminal of its own, which script(1) makes: for what a person types, and what is on the screen then.
 */
import {execFileSync} from 'node:child_process';
import {onTestFinished} from 'vitest';
import {type RedisServer, until} from './redis-server.js';
import {startShell} from './run-cli.js';
import {TerminalModel} from './terminal-model.js';

export interface Pty {
  /** As on a keyboard. */
  type(text: string): void;
  /** All that the terminal was sent. */
  sent(): string;
  /** What is on the screen now. */
  screen(): TerminalModel;
  /** Resolves when a row of the screen matches. */
  untilShown(what: RegExp): Promise<void>;
  resize(columns: number, rows: number): void;
  /** Settings of the terminal, as stty(1) prints them. */
  settings(): string;
  /** Closes the terminal, as a window is closed. */
  close(): void;
}

export interface PtyOptions {
  server?: RedisServer;
  columns?: number;
  rows?: number;
  env?: Record<string, string>;
}

/** Opens it; it is closed when the test has finished. */
export async function openPty({server, columns = 80, rows = 24, env = {}}: PtyOptions = {}): Promise<Pty> {
  // A shell that edits no lines: what is sent is what programs write.
  const line = `stty columns ${columns} rows ${rows}; echo "tty: $(tty)"; PS1="\\$ " exec sh -i`;
  const running = startShell(`exec script -qefc '${line}' /dev/null`, {
    server,
    env: {SHELL: '/bin/sh', TERM: 'xterm', ...env},
  });
  const close = (): void => void running.process.kill('SIGKILL');
  onTestFinished(close);
  let model = {columns, rows};
  const path = (): string | undefined => /tty: (\S+)/.exec(running.stdout())?.[1];
  const screen = (): TerminalModel => {
    const shown = new TerminalModel(model.columns, model.rows, {lines: true});
    shown.write(running.stdout());
    return shown;
  };
  await until(() => path() !== undefined && running.stdout().includes('$ '), 'the shell is there');
  const stty = (...args: string[]): string => execFileSync('stty', ['-F', path()!, ...args], {encoding: 'utf8'});
  return {
    type: (text) => void running.process.stdin.write(text),
    sent: running.stdout,
    screen,
    untilShown: (what) =>
      until(() => screen().text.some((row) => what.test(row)), `${what} is shown`, 20_000).catch((error: unknown) => {
        throw new Error(`${String(error)}; there is:\n${screen().text.join('\n')}`);
      }),
    resize(toColumns, toRows) {
      model = {columns: toColumns, rows: toRows};
      stty('columns', String(toColumns), 'rows', String(toRows));
    },
    settings: () => stty('-g'),
    close,
  };
}
