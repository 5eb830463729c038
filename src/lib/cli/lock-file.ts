/** Work that only one process of this machine may do at a time; the others wait. The lock ends with its holder (process-lock.ts). */
import {setTimeout as sleep} from 'node:timers/promises';
import {StreamlogError} from '../errors.js';
import {ProcessLock} from '../process-lock.js';

/** Longer than any work under a lock takes. */
const LIMIT_MS = 120_000;
const POLL_MS = 20;

/**
 * Runs `work` while this process alone holds `lockFile`. `onWait` is called once where another one holds it; throws
 * `temporary` if that lasts too long.
 */
export async function withLockFile<T>(
  lockFile: string,
  work: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  const deadlineMs = Date.now() + LIMIT_MS;
  let lock = await ProcessLock.acquire(lockFile);
  if (lock === undefined) onWait();
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
