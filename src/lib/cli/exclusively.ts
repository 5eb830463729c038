/**
 * Work that only one process at a time may do: the others wait until it is
 * done. A lock whose holder was killed is taken over. Invariant: a lock file
 * appears with its holder's process ID in it, in one step.
 */
import {linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../errors.js';

/** Longer than any work takes that is done under a lock. */
const PATIENCE_MS = 120_000;
const POLL_MS = 20;

/** Runs `work` while this process alone holds `lockFile`. Throws `temporary` when another one holds it for too long. */
export async function exclusively<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (!acquire(lockFile)) {
    if (Date.now() > deadlineMs) {
      throw new StreamlogError('temporary', 'another streamlog has been at this for too long', {
        hint: `if there is none, remove ${lockFile}`,
      });
    }
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, {force: true});
  }
}

function acquire(lockFile: string): boolean {
  const mine = `${lockFile}.${process.pid}`;
  try {
    writeFileSync(mine, String(process.pid), {mode: 0o600});
    // Unlike opening and writing, a link cannot be seen half done.
    linkSync(mine, lockFile);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EEXIST')
      throw new StreamlogError('io', `cannot make ${lockFile}: ${code ?? 'unknown error'}`, {code});
    removeIfLeftBehind(lockFile, mine);
    return false;
  } finally {
    rmSync(mine, {force: true});
  }
}

function removeIfLeftBehind(lockFile: string, aside: string): void {
  try {
    if (!isLeftBehind(lockFile)) return;
    renameSync(lockFile, aside);
    // Another process was as quick as we, and what we have moved is its new lock.
    if (!isLeftBehind(aside)) renameSync(aside, lockFile);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Its holder is gone; or its ID is another process' by now, since nobody holds a lock for so long. */
function isLeftBehind(lockFile: string): boolean {
  return Date.now() - statSync(lockFile).mtimeMs > PATIENCE_MS || !isAlive(Number(readFileSync(lockFile, 'utf8')));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
