/**
 * Starts and stops the private server: redis-server or valkey-server on a unix socket, in a session of its own so that it
 * outlives streamlog, with an append-only file. Invariant: no server is started on data that another one may still have open;
 * the caller sees to it that no two starts run at once.
 */
import {type ChildProcess, spawn} from 'node:child_process';
import {chmodSync, closeSync, mkdirSync, openSync, readFileSync, statSync} from 'node:fs';
import {platform} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';
import {isFailure, StreamlogError, systemReason} from '../errors.js';
import {StreamClient} from '../stream-client.js';
import {type LocalPaths, processOf} from './local-server.js';

/** A server that has much data to load answers late; one that takes longer than this is left to itself. */
const TIMEOUT_MS = 60_000;
const POLL_MS = 20;
/** What struct sockaddr_un holds, without the byte that ends it. */
const MAX_SOCKET_BYTES = platform() === 'linux' ? 107 : 103;

/** Throws `configuration` when the path of the socket is too long, `io` when a directory cannot be made. */
export function makeRoom({directory, dataDirectory, socket}: LocalPaths): void {
  const bytes = Buffer.byteLength(socket);
  if (bytes > MAX_SOCKET_BYTES) {
    const message = `the path of a unix socket can have ${MAX_SOCKET_BYTES} bytes; this one has ${bytes}: ${socket}`;
    throw new StreamlogError('configuration', message, {
      hint: 'set XDG_STATE_HOME to a directory with a shorter path',
    });
  }
  try {
    mkdirSync(dataDirectory, {recursive: true, mode: 0o700});
    chmodSync(directory, 0o700);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new StreamlogError('io', `cannot make ${dataDirectory}: ${systemReason(code)}`, {code});
  }
}

/**
 * Makes sure that a server answers at `paths`, where there is room: true when
 * it had to be started. `findProgram` is asked for the server's program only
 * then. Throws `unreachable` when the server ends again, `temporary` when it
 * does not answer in time, `configuration` when its program cannot be run.
 */
export async function launch(paths: LocalPaths, findProgram: () => string): Promise<boolean> {
  const deadlineMs = Date.now() + TIMEOUT_MS;
  for (;;) {
    const state = await answer(paths);
    if (state === 'ready') return false;
    // A process that does not answer is loading its data, or about to end.
    if (state === 'none' && processOf(paths) === undefined) break;
    await waitUntil(deadlineMs, paths);
  }
  const logStart = statSync(paths.logFile, {throwIfNoEntry: false})?.size ?? 0;
  const server = await spawnServer(findProgram(), paths);
  while ((await answer(paths)) !== 'ready') {
    if (server.exitCode !== null || server.signalCode !== null) throw ended(paths, logStart);
    await waitUntil(deadlineMs, paths);
  }
  return true;
}

/**
 * SHUTDOWN: ends the server once its data is on disk; false when none ran.
 * Throws `temporary` when that takes too long, `unreachable` when the server
 * runs and cannot be reached.
 */
export async function shutDown(paths: LocalPaths): Promise<boolean> {
  const pid = processOf(paths);
  if ((await answer(paths)) === 'none') {
    if (pid === undefined) return false;
    throw new StreamlogError('unreachable', `the private server (process ${pid}) does not listen on its socket`, {
      hint: `end it with: kill ${pid}; its data stays`,
    });
  }
  const client = await StreamClient.connect({url: paths.url, connectTimeoutMs: TIMEOUT_MS});
  try {
    await client.server.shutDown();
  } finally {
    client.close();
  }
  const deadlineMs = Date.now() + TIMEOUT_MS;
  while (processOf(paths) !== undefined) await waitUntil(deadlineMs, paths);
  return true;
}

/** A short while. Throws `temporary` once the time is up. */
async function waitUntil(deadlineMs: number, paths: LocalPaths): Promise<void> {
  if (Date.now() < deadlineMs) return sleep(POLL_MS);
  const pid = processOf(paths);
  const name = pid === undefined ? 'the private server' : `the private server (process ${pid})`;
  throw new StreamlogError('temporary', `${name} is still busy after ${TIMEOUT_MS / 1_000} s`, {
    hint: `see ${paths.logFile} for what it does, and run this again`,
  });
}

/** PING: `ready`, `busy` when something is there that does not serve yet, `none` when no process listens. */
async function answer({url}: LocalPaths): Promise<'ready' | 'busy' | 'none'> {
  try {
    const client = await StreamClient.connect({url, connectTimeoutMs: 1_000});
    await client.server.ping().finally(() => client.close());
    return 'ready';
  } catch (error) {
    // It has a password now.
    if (isFailure(error, 'denied')) return 'ready';
    const isAbsent = isFailure(error, 'unreachable') && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
    return isAbsent ? 'none' : 'busy';
  }
}

/** Resolves when the process is there. It keeps nothing of ours: no terminal, no pipe, no passwords in its environment. */
async function spawnServer(program: string, paths: LocalPaths): Promise<ChildProcess> {
  const log = openSync(paths.logFile, 'a', 0o600);
  try {
    const server = spawn(program, serverArguments(paths), {
      cwd: paths.dataDirectory,
      detached: true,
      env: {},
      stdio: ['ignore', log, log],
    });
    await new Promise((resolve, reject) => {
      server.once('spawn', resolve);
      server.once('error', reject);
    });
    server.unref();
    return server;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new StreamlogError('configuration', `cannot run ${program}: ${systemReason(code)}`, {code});
  } finally {
    closeSync(log);
  }
}

/** Everything that matters is said here: no configuration file of the system is read. */
const serverArguments = ({socket, dataDirectory, pidFile}: LocalPaths): string[] => [
  ...['--port', '0', '--unixsocket', socket, '--unixsocketperm', '700'],
  ...['--dir', dataDirectory, '--pidfile', pidFile],
  ...['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''],
];

/** With the server's last word, which is why it ended. */
function ended({logFile}: LocalPaths, logStart: number): StreamlogError {
  const words = readFileSync(logFile).subarray(logStart).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  // `4711:M 01 Jan 2026 12:00:00.000 # ` says nothing here.
  const reason = words.replace(/^\d+:[A-Z] \d.*?\d{2}:\d{2}:\d{2}\.\d{3} . /, '') || 'it gave no reason';
  return new StreamlogError('unreachable', `the private server exited right after it started: ${reason}`, {
    hint: `see ${logFile}`,
  });
}
