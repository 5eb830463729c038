/**
 * A lock that one process at a time can hold, and that ends with it: a unix socket with a name, on which its holder listens.
 * Process IDs are reused and mean nothing in another container, and a stopped holder still holds the lock. Two machines that
 * share a file system do not see each other. Invariant: the name appears together with its listener.
 */
import {createHash, randomBytes} from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import {connect, createServer, type Server} from 'node:net';
import {basename, dirname, join} from 'node:path';
import {StreamlogError, systemReason} from './errors.js';

/** What the address of a socket holds, sun_path of unix(7), less what is put behind a name here. */
const LONGEST_ADDRESS = 90;
const LONGEST_NAME = 60;

export class ProcessLock {
  readonly #path: string;
  readonly #server: Server | undefined;
  readonly #inode: number | undefined;

  private constructor(path: string, server: Server | undefined) {
    this.#path = path;
    this.#server = server;
    this.#inode = server === undefined ? undefined : inodeOf(path);
  }

  /**
   * The lock `path`; undefined while another process has it. Where no socket can
   * be made, as on some shared file systems, the lock keeps no process out. Throws `io`
   * for a file of that name that is no lock, and where no file can be made.
   */
  static async acquire(longPath: string): Promise<ProcessLock | undefined> {
    const path = join(dirname(longPath), shortName(basename(longPath)));
    const beside = besideOf(path);
    const server = await listen(beside);
    if (server === undefined) return new ProcessLock(path, undefined);
    try {
      while (!createLock(beside, path)) {
        if (await answers(path)) {
          server.close();
          return undefined;
        }
        await removeLeftBehind(path);
      }
    } catch (error) {
      server.close();
      throw error;
    } finally {
      rmSync(beside, {force: true});
    }
    return new ProcessLock(path, server);
  }

  /** False when its name was taken away; a holder that checks before each step that matters is alone. */
  get isHeld(): boolean {
    return this.#server === undefined || inodeOf(this.#path) === this.#inode;
  }

  /** Nobody has it: it was deleted, or moved with its directory. */
  get isGone(): boolean {
    return this.#server !== undefined && inodeOf(this.#path) === undefined;
  }

  release(): void {
    if (this.#server !== undefined && this.isHeld) rmSync(this.#path, {force: true});
    this.#server?.close();
  }
}

/** A name that no other process uses. */
const besideOf = (path: string): string => `${path}.${randomBytes(6).toString('hex')}`;

/** Undefined where no socket can be made. Throws `io` where no file can. */
function listen(path: string): Promise<Server | undefined> {
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw cannotMake(path, (error as NodeJS.ErrnoException).code);
  }
  return atShortAddress(
    path,
    (address) =>
      new Promise((resolve, reject) => {
        const server = createServer((asking) => asking.destroy());
        server.once('error', ({code}: NodeJS.ErrnoException) => {
          if (code === 'ENOSPC') reject(cannotMake(path, code));
          else resolve(undefined);
        });
        server.listen(address, () => resolve(server.unref()));
      }),
  );
}

/** A directory that is deep is named by its descriptor, where the system has names for those. */
async function atShortAddress<T>(path: string, use: (address: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= LONGEST_ADDRESS) return use(path);
  const directory = openSync(dirname(path), 'r');
  try {
    return await use(`/proc/self/fd/${directory}/${basename(path)}`);
  } finally {
    closeSync(directory);
  }
}

const shortName = (name: string): string =>
  Buffer.byteLength(name) <= LONGEST_NAME
    ? name
    : `${createHash('sha256').update(name).digest('hex').slice(0, 32)}.lock`;

const cannotMake = (path: string, code: string | undefined): StreamlogError =>
  new StreamlogError('io', `cannot make the lock ${path}: ${systemReason(code)}`, {code});

/** False if the lock exists already. By link(2), which never replaces a file. */
function createLock(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw cannotMake(to, code);
  }
}

/** Whether a process listens behind `path`. */
const answers = (path: string): Promise<boolean> =>
  atShortAddress(
    path,
    (address) =>
      new Promise((resolve) => {
        const asking = connect(address);
        asking.once('connect', () => {
          asking.destroy();
          resolve(true);
        });
        asking.once('error', ({code}: NodeJS.ErrnoException) => resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
      }),
  );

async function removeLeftBehind(path: string): Promise<void> {
  const aside = besideOf(path);
  try {
    if (!lstatSync(path).isSocket() && !isOldLock(path))
      throw new StreamlogError('io', `${path} is in the way: it is no lock of streamlog`, {hint: 'move it elsewhere'});
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Another process was as quick as we, and what was moved is its new lock.
  if (await answers(aside)) createLock(aside, path);
  rmSync(aside, {force: true});
}

/** A lock as earlier builds made them: a file with a process ID, and no lock any more. */
const isOldLock = (path: string): boolean =>
  lstatSync(path).isFile() && /^[1-9]\d{0,9}$/.test(readFileSync(path, 'latin1').slice(0, 20));

function inodeOf(path: string): number | undefined {
  return lstatSync(path, {throwIfNoEntry: false})?.ino;
}
