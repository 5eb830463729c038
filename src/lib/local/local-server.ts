/**
 * The private server of `streamlog local`: its files, and whether it runs, from files and process IDs only, so that every
 * command can ask without a connection. Invariant: a pid file that a crash or a reboot left behind is not taken for a running
 * server, even if another process has the same ID now.
 */
import {execFileSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, statSync} from 'node:fs';
import {join, resolve} from 'node:path';

/** Where everything of the private server is, whether or not it runs. */
export interface LocalPaths {
  /** Readable by its owner alone, like all that is in it. */
  directory: string;
  socket: string;
  /** For `--url`. */
  url: string;
  dataDirectory: string;
  logFile: string;
  /** Written and removed by the server itself. */
  pidFile: string;
  /** Held by the `local start` that is running. */
  lockFile: string;
}

/** The private server under `stateDirectory`. */
export function localPaths(stateDirectory: string): LocalPaths {
  const directory = resolve(stateDirectory, 'local');
  const socket = join(directory, 'redis.sock');
  return {
    directory,
    socket,
    url: `unix://${socket.split('/').map(encodeURIComponent).join('/')}`,
    dataDirectory: join(directory, 'data'),
    logFile: join(directory, 'redis.log'),
    pidFile: join(directory, 'redis.pid'),
    lockFile: join(directory, 'start.lock'),
  };
}

/** The private server under `stateDirectory` while it runs, else undefined. Waits for nothing. */
export function runningLocalServer(stateDirectory: string): {url: string; pid: number} | undefined {
  const paths = localPaths(stateDirectory);
  const pid = processOf(paths);
  return pid === undefined ? undefined : {url: paths.url, pid};
}

/** The ID of the server's process while it runs, else undefined. */
export function processOf({pidFile, dataDirectory}: LocalPaths): number | undefined {
  const pid = readPid(pidFile);
  return pid !== undefined && isServer(pid, dataDirectory) ? pid : undefined;
}

/** What `local start`, `stop` and `status` tell. The names are those of the JSON output and therefore a contract. */
export interface LocalReport {
  running: boolean;
  pid: number | null;
  url: string;
  dataDirectory: string;
  /** What the data takes on disk. */
  bytes: number;
  logFile: string;
}

export function reportLocalServer(paths: LocalPaths): LocalReport {
  const {url, dataDirectory, logFile} = paths;
  const pid = processOf(paths) ?? null;
  return {running: pid !== null, pid, url, dataDirectory, bytes: bytesUnder(dataDirectory), logFile};
}

function bytesUnder(directory: string): number {
  if (!existsSync(directory)) return 0;
  return readdirSync(directory, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name), {throwIfNoEntry: false})?.size ?? 0)
    .reduce((sum, bytes) => sum + bytes, 0);
}

function readPid(pidFile: string): number | undefined {
  try {
    const text = readFileSync(pidFile, 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

/** A server works in its data directory, where no other process does; without /proc its name has to do. */
function isServer(pid: number, dataDirectory: string): boolean {
  try {
    if (!existsSync('/proc/self/cwd')) {
      return /(redis|valkey)-server/.test(
        execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {encoding: 'utf8'}),
      );
    }
    const here = statSync(dataDirectory);
    const there = statSync(`/proc/${pid}/cwd`);
    return here.ino === there.ino && here.dev === there.dev;
  } catch {
    return false;
  }
}
