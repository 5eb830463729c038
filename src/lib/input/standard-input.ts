/**
 * Standard input as bytes. Its offset is shared with the rest of the script that
 * we run in: what was read before us is not read again, and what we leave is
 * there for the program that reads after us. So a file is read from where it stands, with
 * pread(2), and its offset moves behind what was used, by read(2). (The streams
 * of the executable's runtime begin at 0, and move nothing: oven-sh/bun#41687.)
 * Invariant: when the iteration has ended, the offset is behind what was handed
 * out and not given back; where the system cannot say where a file stands, it is
 * behind what was read.
 */
import {Buffer} from 'node:buffer';
import {CHUNK_BYTES, readOpenFile, readSome} from './source.js';

/** Each time costs a turn of another thread. */
const MOVED_AT_ONCE = 4 * CHUNK_BYTES;

export interface StandardInput extends AsyncIterable<Buffer> {
  /** After an iteration that ended early: of what was handed out, only so many bytes from the beginning were used. */
  leaveBehind(usedBytes: number): Promise<void>;
}

/** A pipe: what was read is gone, so there is nothing to give back. */
export class WaitingInput implements StandardInput {
  readonly #open: () => AsyncIterable<Buffer>;

  constructor(open: () => AsyncIterable<Buffer>) {
    this.#open = open;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return this.#open()[Symbol.asyncIterator]();
  }

  async leaveBehind(): Promise<void> {}
}

/** A file, or a device that does not wait. */
export class FileInput implements StandardInput {
  readonly #fd: number;
  /** Where the file stood at the beginning; undefined where it has no offset. */
  readonly #start: number | undefined;
  /** So far the offset was moved, from there. */
  #moved = 0;
  #moving: Promise<void> = Promise.resolve();

  constructor(fd: number, start: number | undefined) {
    this.#fd = fd;
    this.#start = start;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    let handedOut = 0;
    for await (const chunk of this.#start === undefined ? readOn(this.#fd) : readOpenFile(this.#fd, this.#start)) {
      yield chunk;
      // Not as far as that: a command that ends early may give back a line that began in the chunk before.
      if (handedOut - this.#moved >= MOVED_AT_ONCE) this.#move(handedOut);
      handedOut += chunk.length;
    }
    await this.leaveBehind(handedOut);
  }

  async leaveBehind(usedBytes: number): Promise<void> {
    this.#move(usedBytes);
    await this.#moving;
  }

  /** Concurrently: only the next reader of the file needs it. */
  #move(to: number): void {
    if (this.#start === undefined) return;
    this.#moving = this.#moving.then(async () => {
      while (this.#moved < to) {
        const {length} = await readSome(this.#fd, scratch(to - this.#moved), null);
        if (length === 0) return;
        this.#moved += length;
      }
    });
    this.#moving.catch(() => {});
  }
}

/** The chunks from where `fd` stands, by read(2). */
async function* readOn(fd: number): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    const chunk = await readSome(fd, Buffer.allocUnsafeSlow(CHUNK_BYTES), null);
    if (chunk.length === 0) return;
    yield chunk;
  }
}

let passedOver: Buffer | undefined;

/** Memory for bytes that are not used. */
function scratch(bytes: number): Buffer {
  passedOver ??= Buffer.allocUnsafeSlow(MOVED_AT_ONCE);
  return passedOver.subarray(0, bytes);
}
