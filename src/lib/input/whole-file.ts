/**
 * Files that are read whole before the work begins: values of fields, passwords,
 * tokens, certificates. One rule for all of them, and for the input of `produce --file`:
 * what comes through a pipe, such as bash's `<(command)`, is read to its end, and a
 * FIFO that has no writer yet is waited for, aloud. Invariant: a signal ends the wait.
 */
import {Buffer} from 'node:buffer';
import {readFile, readSource} from './source.js';

export interface FileReading {
  /** Once aborted, nothing is waited for any more. */
  readonly stopping: AbortSignal;
  /** Called for a wait, and by callers for a file that is not as it should be. */
  readonly warn: (text: string) => void;
  /** Called for a wait in place of `warn`, where that keeps its texts for later. */
  readonly onWait?: (text: string) => void;
}

/** All of a file. Throws `io` when it cannot be read, InputCut when `stopping` is aborted before its end. */
export async function readWholeFile(path: string, {stopping, warn, onWait = warn}: FileReading): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readSource(readFile(path, 0, onWait), {name: path, stopping}))
    chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
