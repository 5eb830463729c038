/**
 * Relays what a process prints by whole lines, so that lines of processes side by
 * side do not mix. A line above 1 MB is passed on in pieces, to bound memory.
 * Invariant: a chunk is read only after the last one was taken, so that slow
 * output slows the process down.
 */
import type {Readable} from 'node:stream';

const MAX_LINE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Resolves when all of `source` was taken by `write`, or what had come of it when
 * it was destroyed. A last line without newline gets one. Throws what `write`
 * throws, and what ends `source` early.
 */
export function relayLines(source: Readable, write: (lines: Buffer) => Promise<void>): Promise<void> {
  const lines = new WholeLines();
  return new Promise((resolve, reject) => {
    let isWriting = false;
    let isClosed = false;
    const pass = (bytes: Buffer): void => {
      isWriting = true;
      write(bytes).then(() => {
        isWriting = false;
        pull();
      }, reject);
    };
    // With `read`, not with 'data' and `pause`: when a process ends, Node resumes its paused output (nodejs/node#5036).
    const pull = (): void => {
      if (isWriting) return;
      const bytes = nextLines(source, lines) ?? (isClosed ? lines.end() : undefined);
      if (bytes !== undefined) pass(bytes);
      else if (isClosed) resolve();
    };
    source.on('readable', pull);
    source.once('error', reject);
    source.once('close', () => {
      isClosed = true;
      pull();
    });
  });
}

/** What `source` has of whole lines; undefined when it has to be waited for. */
function nextLines(source: Readable, lines: WholeLines): Buffer | undefined {
  let whole: Buffer | undefined;
  for (let chunk: Buffer | null = source.read(); chunk !== null; chunk = source.read()) {
    whole = lines.add(chunk);
    if (whole !== undefined) break;
  }
  return whole;
}

/** Keeps what follows the last newline until its line is whole, or too long. */
class WholeLines {
  #unfinished: Buffer[] = [];
  #unfinishedBytes = 0;

  /** What can be passed on now that `chunk` has come. */
  add(chunk: Buffer): Buffer | undefined {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0 && this.#unfinishedBytes + chunk.length <= MAX_LINE_BYTES) {
      this.#unfinished.push(chunk);
      this.#unfinishedBytes += chunk.length;
      return undefined;
    }
    const until = end === 0 ? chunk.length : end;
    const whole = Buffer.concat([...this.#unfinished, chunk.subarray(0, until)]);
    this.#unfinished = until < chunk.length ? [chunk.subarray(until)] : [];
    this.#unfinishedBytes = chunk.length - until;
    return whole;
  }

  /** The last line, when nothing more comes. */
  end(): Buffer | undefined {
    if (this.#unfinishedBytes === 0) return undefined;
    const last = Buffer.concat([...this.#unfinished, Buffer.of(NEWLINE)]);
    this.#unfinished = [];
    this.#unfinishedBytes = 0;
    return last;
  }
}
