/**
 * Opens a file for reading, which may be a pipe or a FIFO. Opening a FIFO waits for
 * its writer, in open(2), which alone distinguishes a writer that has not come from
 * one that wrote nothing. Invariants: a wait is reported; and no thread waits in
 * open(2) or read(2) when the process ends, since Node's exit joins its threads
 * (nodejs/node#42826).
 */
import {closeSync, constants, openSync, open as openWaiting, statSync} from 'node:fs';

/** A writer that was started beside us may take so long. */
const SILENT_WAIT_MS = 1_000;
const READ_ONLY = constants.O_RDONLY | constants.O_NONBLOCK;

/** FIFOs without a writer. */
const awaited = new Set<string>();

/** Its descriptor, with O_NONBLOCK, which is ours alone. `onWait` is called when a FIFO has no writer for a while. */
export async function openForReading(path: string, onWait: (text: string) => void): Promise<number> {
  if (!statSync(path).isFIFO()) return openSync(path, READ_ONLY);
  const timer = setTimeout(() => onWait(`nobody writes to ${path} yet; waiting for it`), SILENT_WAIT_MS);
  awaited.add(path);
  try {
    const waiting = await opened(path);
    // As long as one of the two is open, nothing that was written is lost.
    try {
      return openSync(path, READ_ONLY);
    } finally {
      closeSync(waiting);
    }
  } finally {
    awaited.delete(path);
    clearTimeout(timer);
  }
}

/** Ends each open(2) that waits, by being the writer; false where we may not write there. For the end of the process. */
export function endWaits(): boolean {
  let all = true;
  for (const path of awaited) {
    try {
      closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    } catch {
      all = false;
    }
  }
  return all;
}

const opened = (path: string): Promise<number> =>
  new Promise((resolve, reject) =>
    openWaiting(path, constants.O_RDONLY, (error, fd) => (error === null ? resolve(fd) : reject(error))),
  );
