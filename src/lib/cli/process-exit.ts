/**
 * How the process ends. Invariant: it ends with the code that it was given, once
 * standard output and standard error have taken all that was written; and where
 * that must not be waited for any more, at once.
 */
import {exitCodeOf} from '../exit-codes.js';
import {endWaits} from '../input/opened-file.js';
import {flushStandardStreams, standardError, standardOutput} from './standard-streams.js';

let isEnding = false;

/** Ends the process when all output was taken; the first caller has the word. `onFailed` says why it could not be. */
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
 * Ends the process at once, whatever waits to be taken or to come. Node's exit waits for a
 * write that waits for its reader (libuv joins its threads), so there the signal
 * that asked for the end does it, after what is to be done at an exit.
 */
export function leave(code: number, signal?: NodeJS.Signals): void {
  const isHeldUp = standardOutput.isWriting || standardError.isWriting;
  // A FIFO to which only others may write.
  const isWaiting = !endWaits();
  if (((signal !== undefined && isHeldUp) || isWaiting) && process.versions.bun === undefined) {
    process.emit('exit', code);
    process.removeAllListeners(signal ?? 'SIGTERM');
    process.kill(process.pid, signal ?? 'SIGTERM');
  }
  process.exit(code);
}
