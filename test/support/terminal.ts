/**
 * Runs the executable where a person sees it: on a terminal of its own, which
 * script(1) makes. What comes back is what that terminal was sent, standard
 * output and standard error mixed as they came.
 */
import {EXECUTABLE, type RunOptions, shell, startShell} from './run-cli.js';

export interface TerminalOptions extends RunOptions {
  /** The width of the terminal; without it the terminal does not say. */
  columns?: number;
}

export interface Shown {
  code: number | null;
  text: string;
}

/** Runs `streamlog …args` to its end. `text` ends its lines as programs do, not as terminals. */
export async function onTerminal(args: readonly string[], {columns, ...options}: TerminalOptions = {}): Promise<Shown> {
  const command = [EXECUTABLE, ...args].map(quoted).join(' ');
  const line = columns === undefined ? command : `stty columns ${columns} && ${command}`;
  const env = {SHELL: '/bin/sh', ...options.env};
  const {code, stdout} = await shell(`script -qec ${quoted(line)} /dev/null </dev/null`, {...options, env});
  return {code, text: stdout.replaceAll('\r\n', '\n')};
}

/** Notes as they would be in a pipe: on a terminal they go on in lines of their own. */
export const unwrapped = (text: string): string => text.replaceAll('\n  ', ' ');

export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';

export interface Open {
  /** What the terminal was sent so far, lines ended as programs do. */
  text(): string;
  /** Presses keys, such as CTRL_C. */
  press(keys: string): void;
  finished: Promise<Shown>;
}

/** Starts a line of sh on a terminal, where keys can be pressed until it ends. */
export function openTerminal(line: string, {columns = 80, ...options}: TerminalOptions = {}): Open {
  const env = {SHELL: '/bin/sh', ...options.env};
  const running = startShell(`script -qec ${quoted(`stty columns ${columns} && ${line}`)} /dev/null`, {
    ...options,
    env,
  });
  const plain = (text: string): string => text.replaceAll('\r\n', '\n');
  return {
    text: () => plain(running.stdout()),
    press: (keys) => running.process.stdin.write(keys),
    finished: running.finished.then(({code, stdout}) => ({code, text: plain(stdout)})),
  };
}

/** Names and values that would take a terminal over, or hide what they are, if they reached it. */
export const HOSTILE = '\u001b]52;c;cm0gLXJm\u0007\u001b[2J\u009b31m\u202eevil\u2066\u200b\ufeff\r\b';

/** The characters of `text` that a terminal acts upon or that change what is read, but for newlines and our own colours. */
export const unsafeIn = (text: string): string[] =>
  text.replace(/\n|\u001b\[\d{1,2}m/g, '').match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu) ?? [];

const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
