/**
 * Relays what a handler prints to our own output. Invariant: `complete` resolves
 * only when everything that the process printed was taken, whatever its own
 * children still do.
 */
import type {ChildProcess} from 'node:child_process';
import type {Readable} from 'node:stream';
import {relayLines} from './line-relay.js';

/**
 * After the process has ended, its output is complete when this many checks in a row find nothing new: a child that it
 * left behind may hold the pipe open for ever. Checks and not time, since pipes are read between them, however busy
 * this process is.
 */
const SILENT_CHECKS = 6;
const CHECK_EVERY_MS = 50;

export interface OutputOptions {
  writeOut: (lines: Buffer) => Promise<void>;
  writeErr: (lines: Buffer) => Promise<void>;
}

/** A process whose standard output and error are pipes. */
export type PipedProcess = ChildProcess & {stdout: Readable; stderr: Readable};

export class Output {
  readonly #child: PipedProcess;
  /** Settles when nothing more is relayed. */
  readonly #relayed: Promise<void>;
  #isRelayed = false;
  #failure: {error: unknown} | undefined;
  #writing = 0;
  #writes = 0;
  #nextCheck: NodeJS.Timeout | undefined;

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

  /** After the process has ended: resolves when all that it printed was taken. Throws what a write threw. */
  async complete(): Promise<void> {
    if (!this.#isRelayed) this.#check(0);
    await this.#relayed;
    clearTimeout(this.#nextCheck);
    this.#close();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Closes the pipes when nothing was printed for a while, and nothing waits to be taken. */
  #check(silentChecks: number): void {
    if (silentChecks === SILENT_CHECKS) {
      this.#close();
      return;
    }
    const seen = this.#writes;
    this.#nextCheck = setTimeout(() => {
      const isSilent = this.#writing === 0 && this.#writes === seen;
      this.#check(isSilent ? silentChecks + 1 : 0);
    }, CHECK_EVERY_MS);
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
