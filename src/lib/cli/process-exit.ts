/**
 * How the process ends: with a given code, after standard output and standard error have taken
 * all that was written; or at once, when that must not be waited for.
 */
import {exitCodeOf} from '../exit-codes.js';
import {endWaits} from '../input/opened-file.js';
import {flushStandardStreams, standardError, standardOutput} from './standard-streams.js';

let isEnding = false;
let restore: (() => void) | undefined;

/** Calls `back` before anything is said about a failure, and before the process ends, unless the function that this returns was called. */
export function onRestore(back: () => void): () => void {
  restore = back;
  return () => {
    if (restore === back) restore = undefined;
  };
}

/** Gives back a terminal that shows a full screen. */
export function restoreTerminal(): void {
  const back = restore;
  restore = undefined;
  back?.();
}

/** Ends the process when all output was taken; only the first call counts. Calls `onFailed` if code 0 is not to be had, since output was not. */
export async function endProcess(code: number, onFailed: (error: Error) => void): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  const failure = await flushStandardStreams();
  if (failure === undefined || code !== exitCodeOf('done')) return leave(code);
  onFailed(failure);
  await standardError.flushed();
  leave(exitCodeOf(failure.kind));
}

/**
 * Ends the process at once. Node's exit waits for threads, and so for a write or an open that
 * waits for another process (libuv/libuv#364): then the signal that asked for the end does it,
 * after the handlers of `exit`.
 */
export function leave(code: number, signal?: NodeJS.Signals): void {
  restoreTerminal();
  const isBlocked = standardOutput.isWriting || standardError.isWriting;
  // A FIFO that cannot be opened for writing here, so that nothing ends the wait.
  const isWaiting = !endWaits();
  if (((signal !== undefined && isBlocked) || isWaiting) && process.versions.bun === undefined) {
    process.emit('exit', code);
    process.removeAllListeners(signal ?? 'SIGTERM');
    process.kill(process.pid, signal ?? 'SIGTERM');
  }
  process.exit(code);
}
