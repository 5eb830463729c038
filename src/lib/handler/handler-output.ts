/**
 * What a handler prints, on its way to where ours goes. Invariant: `complete`
 * resolves only when everything that the process printed was taken, whatever
 * its own children still do.
 */
import type {ChildProcess} from 'node:child_process';
import type {Readable} from 'node:stream';
import {relayLines} from './line-relay.js';

/**
 * So many looks in a row that find no output, after the process has ended, and
 * its output counts as complete: a child that it left behind may hold the pipe
 * for ever. Looks and not time, since after each of them pipes are read: when
 * we are held up for long, what was printed waits for us.
 */
const SILENT_LOOKS = 6;
const LOOK_EVERY_MS = 50;

export interface OutputOptions {
  writeOut: (lines: Buffer) => Promise<void>;
  writeErr: (lines: Buffer) => Promise<void>;
}

/** A process whose standard output and error are pipes. */
export type PipedProcess = ChildProcess & {stdout: Readable; stderr: Readable};

/** Standard output and error of a process on their way to ours. */
export class Output {
  readonly #child: PipedProcess;
  /** Settles when nothing more is relayed. */
  readonly #relayed: Promise<void>;
  #isRelayed = false;
  #failure: {error: unknown} | undefined;
  #writing = 0;
  #writes = 0;
  #nextLook: NodeJS.Timeout | undefined;

  /** Begins at once. `onFailure` is called when a write fails. */
  constructor(child: PipedProcess, options: OutputOptions, onFailure: () => void) {
    this.#child = child;
    const relay = (source: Readable, write: (lines: Buffer) => Promise<void>): Promise<void> =>
      relayLines(source, (lines) => this.#write(lines, write));
    this.#relayed = Promise.all([relay(child.stdout, options.writeOut), relay(child.stderr, options.writeErr)]).then(
      () => {
        this.#isRelayed = true;
      },
      (error: unknown) => {
        this.#isRelayed = true;
        this.#failure = {error};
        onFailure();
      },
    );
  }

  /** For when the process has ended: resolves when all it printed was taken. Throws what a write threw. */
  async complete(): Promise<void> {
    if (!this.#isRelayed) this.#look(0);
    await this.#relayed;
    clearTimeout(this.#nextLook);
    this.#close();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Closes the pipes when nothing was printed for a while, and nothing waits to be taken. */
  #look(silentLooks: number): void {
    if (silentLooks === SILENT_LOOKS) {
      this.#close();
      return;
    }
    const seen = this.#writes;
    this.#nextLook = setTimeout(() => {
      const isSilent = this.#writing === 0 && this.#writes === seen;
      this.#look(isSilent ? silentLooks + 1 : 0);
    }, LOOK_EVERY_MS);
  }

  #close(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  async #write(lines: Buffer, write: (lines: Buffer) => Promise<void>): Promise<void> {
    this.#writing++;
    try {
      await write(lines);
    } finally {
      this.#writing--;
      this.#writes++;
    }
  }
}
