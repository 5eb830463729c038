/**
 * Runs the executable as a user does: dist/streamlog itself, as a process of
 * its own, with nothing of the tester's environment that could change what it
 * prints.
 */
import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {join} from 'node:path';
import {endWithUs} from './leftovers.js';
import type {RedisServer} from './redis-server.js';

export const EXECUTABLE = join(import.meta.dirname, '../../dist/streamlog');

export interface RunOptions {
  /** The server to use, by STREAMLOG_URL. */
  server?: RedisServer;
  /** All of standard input; without it, standard input is empty and closed. */
  input?: string | Buffer;
  env?: Record<string, string>;
  cwd?: string;
  /** Fails the test when the command takes longer. */
  limitMs?: number;
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  process: ChildProcessWithoutNullStreams;
  /** What was printed so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves when the process has ended and all its output was read. */
  finished: Promise<Finished>;
}

export const cleanEnvironment = (server?: RedisServer, env: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  TZ: 'UTC',
  TERM: 'dumb',
  ...(server === undefined ? {} : {STREAMLOG_URL: server.url}),
  ...env,
});

/** Starts `streamlog …args` and leaves it running. */
export function startStreamlog(args: readonly string[], options: RunOptions = {}): Running {
  return start(EXECUTABLE, args, options);
}

/** Runs `streamlog …args` to its end. */
export async function streamlog(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const running = start(EXECUTABLE, args, options);
  running.process.stdin.end(options.input ?? '');
  return running.finished;
}

/** Runs a line of bash in which `streamlog` is the executable: for pipelines, as the README shows them. */
export async function shell(line: string, options: RunOptions = {}): Promise<Finished> {
  const running = startShell(line, options);
  running.process.stdin.end(options.input ?? '');
  return running.finished;
}

/** Runs a line of sh, with nothing on standard input. */
export async function runSh(line: string, options: RunOptions = {}): Promise<Finished> {
  const running = start('sh', ['-c', line], options);
  running.process.stdin.end();
  return running.finished;
}

/** The same program twice: what starts each of them, as words for a shell. */
export const RUNTIMES: readonly (readonly [name: string, command: string])[] = [
  ['the executable', `"${EXECUTABLE}"`],
  ['Node', `"${process.execPath}" "${join(import.meta.dirname, '../../bin/run.js')}"`],
];

/** Starts such a line in a process group of its own, and leaves it running. */
export function startShell(line: string, options: RunOptions = {}): Running {
  return start('bash', ['-c', `streamlog() { "${EXECUTABLE}" "$@"; }\n${line}`], options);
}

function start(program: string, args: readonly string[], {server, env, cwd, limitMs = 60_000}: RunOptions): Running {
  const child = spawn(program, args, {
    env: cleanEnvironment(server, env),
    cwd,
    stdio: 'pipe',
    detached: program === 'bash',
  });
  endWithUs(child, {group: program === 'bash'});
  child.stdin.on('error', () => {});
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
  const finished = new Promise<Finished>((resolve, reject) => {
    const limit = setTimeout(() => {
      if (program === 'bash' && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      child.kill('SIGKILL');
      reject(
        new Error(
          `${program} ${args.join(' ')} ran longer than ${limitMs} ms\nstdout: ${text(out)}\nstderr: ${text(err)}`,
        ),
      );
    }, limitMs);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      resolve({code, signal, stdout: text(out), stderr: text(err)});
    });
  });
  finished.catch(() => {});
  return {process: child, stdout: () => text(out), stderr: () => text(err), finished};
}
