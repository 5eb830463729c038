/**
 * A shell in a pseudo-terminal of its own, which script(1) makes: for what a person types, and what is on the screen then.
 */
import {execFileSync} from 'node:child_process';
import {expect, onTestFinished} from 'vitest';
import {type RedisServer, until} from './redis-server.js';
import {startShell} from './run-cli.js';
import {TerminalModel} from './terminal-model.js';

export interface Pty {
  /** As on a keyboard. */
  type(text: string): void;
  /** Types `line`, which then runs as one process: `pid()`. */
  exec(line: string): void;
  pid(): number;
  /** All that the terminal was sent. */
  sent(): string;
  /** What is on the screen now. */
  screen(): TerminalModel;
  /** Resolves when a row of the screen matches. */
  untilShown(what: RegExp): Promise<void>;
  resize(columns: number, rows: number): void;
  /** Settings of the terminal, as stty(1) prints them; and as the shell found them. */
  settings(): string;
  firstSettings: string;
  /** Resolves when the shell is there again, with the screen and the settings that it had, and its program has ended with `code`. */
  untilEnded(code: number): Promise<void>;
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
  const settings = (): string => stty('-g');
  const firstSettings = settings();
  const type = (text: string): void => void running.process.stdin.write(text);
  const untilShown = (what: RegExp): Promise<void> =>
    until(() => screen().text.some((row) => what.test(row)), `${what} is shown`, 20_000).catch((error: unknown) => {
      throw new Error(`${String(error)}; there is:\n${screen().text.join('\n')}`);
    });
  return {
    type,
    exec: (command) => type(`sh -c 'echo "pid: $$"; exec ${command}'\n`),
    pid: () => Number(/pid: (\d+)/.exec(running.stdout())![1]),
    sent: running.stdout,
    screen,
    untilShown,
    resize(toColumns, toRows) {
      model = {columns: toColumns, rows: toRows};
      stty('columns', String(toColumns), 'rows', String(toRows));
    },
    settings,
    firstSettings,
    async untilEnded(code) {
      await until(() => !screen().isAlternate, 'the alternate screen is left');
      await untilShown(/^\$$/);
      type('echo "code: $?"\n');
      await untilShown(new RegExp(`^code: ${code}$`));
      const {cursorShown, wraps, text} = screen();
      expect({cursorShown, wraps, settings: settings()}).toEqual({
        cursorShown: true,
        wraps: true,
        settings: firstSettings,
      });
      expect(text[0]).toMatch(/^tty: /);
    },
    close,
  };
}
