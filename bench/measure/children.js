// Starts programs and measures them from outside: time from start to exit, and
// the most memory they had resident. Whatever it started, it ends by its own ID.
import {spawn} from 'node:child_process';
import {closeSync, openSync, readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';

const SAMPLE_MS = 10;
const running = new Set();

/**
 * Runs a program to its end.
 * @param argv the program and its arguments
 * @param from a file for standard input; none: nothing to read
 * @param to a file for standard output; none: /dev/null
 * @returns ms it took and, with `memory`, peakMb
 * @throws when it could not start, or its exit code was not 0: with the end of its standard error
 */
export async function run(argv, {from = '/dev/null', to = '/dev/null', env = {}, memory = false} = {}) {
  const input = openSync(from, 'r');
  const output = openSync(to, 'w');
  try {
    const startMs = performance.now();
    const child = launch(argv, {stdio: [input, output, 'pipe'], env});
    const errors = lastOf(child.stderr);
    const sampling = memory ? watchMemory(child) : undefined;
    const code = await ended(child);
    const ms = performance.now() - startMs;
    if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${errors()}`);
    return {ms, peakMb: sampling?.()};
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

/** Starts a program that listens on a port of this machine, and returns it once it does. */
export async function listening(argv, port, {env = {}, cwd} = {}) {
  const child = launch(argv, {stdio: ['ignore', 'ignore', 'pipe'], env, cwd});
  const errors = lastOf(child.stderr);
  const end = ended(child);
  for (;;) {
    const over = await Promise.race([end, sleep(20, 'waiting')]);
    if (over !== 'waiting') throw new Error(`${argv.join(' ')} ended with ${over}: ${errors()}`);
    if (await accepts(port)) return child;
  }
}

/** Ends what still runs. */
export function stopAll() {
  for (const child of running) child.kill('SIGKILL');
}

function launch([program, ...args], {env, ...options}) {
  const child = spawn(program, args, {...options, env: {...process.env, ...env}});
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

/** The exit code, or the name of the signal. */
function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
}

function lastOf(stream) {
  let text = '';
  stream.setEncoding('utf8').on('data', (piece) => {
    text = (text + piece).slice(-2_000);
  });
  return () => text.trim();
}

/**
 * VmHWM is the kernel's own high-water mark, so only what a program gained in its very last
 * milliseconds can be missed. The maximum of getrusage would include this program's own.
 */
function watchMemory(child) {
  let peakKb = 0;
  const look = () => {
    try {
      peakKb = Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? peakKb);
    } catch {
      // It has ended; the last mark stands.
    }
  };
  const timer = setInterval(look, SAMPLE_MS);
  child.once('exit', () => clearInterval(timer));
  return () => peakKb / 1024;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
