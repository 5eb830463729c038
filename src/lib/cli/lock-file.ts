/**
 * Work that only one process at a time may do: the others wait until it is
 * done. The lock ends with its holder (process-lock.ts). Invariant: while `work`
 * runs, no other process of this machine runs work under the same lock.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../errors.js';
import {ProcessLock} from '../process-lock.js';

/** Longer than any work takes that is done under a lock. */
const LIMIT_MS = 120_000;
const POLL_MS = 20;

/** Runs `work` while this process alone holds `lockFile`. Throws `temporary` when another one holds it for too long. */
export async function withLockFile<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const deadlineMs = Date.now() + LIMIT_MS;
  let lock = await ProcessLock.acquire(lockFile);
  for (; lock === undefined; lock = await ProcessLock.acquire(lockFile)) {
    if (Date.now() > deadlineMs)
      throw new StreamlogError('temporary', `another streamlog has held ${lockFile} for too long`);
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
