/**
 * What a handler prints, on its way to where ours goes. Invariant: `complete`
 * resolves only when everything that the process printed was taken, whatever
 * its own children still do.
 */
import type {ChildProcess} from 'node:child_process';
import type {Readable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {relayLines} from './line-relay.js';

/** Silence after the process has ended, until its output counts as complete: a child that it left behind may hold the pipe for ever. */
const LAST_OUTPUT_MS = 300;

export interface OutputOptions {
  writeOut: (lines: Buffer) => Promise<void>;
  writeErr: (lines: Buffer) => Promise<void>;
}

/** A process whose standard output and error are pipes. */
export type PipedProcess = ChildProcess & {stdout: Readable; stderr: Readable};

/** Standard output and error of a process on their way to ours. */
export class Output {
  readonly #child: PipedProcess;
  readonly #relayed: Promise<unknown>;
  #failure: unknown;
  #writing = 0;
  #lastMs = performance.now();

  /** Begins at once. `onFailure` is called when a write fails. */
  constructor(child: PipedProcess, options: OutputOptions, onFailure: () => void) {
    this.#child = child;
    this.#relayed = Promise.all([
      relayLines(child.stdout, (lines) => this.#write(lines, options.writeOut)),
      relayLines(child.stderr, (lines) => this.#write(lines, options.writeErr)),
    ]).catch((error: unknown) => {
      this.#failure = error;
      onFailure();
    });
  }

  /** For when the process has ended: resolves when all it printed was taken. Throws what a write threw. */
  async complete(): Promise<void> {
    const settled = new AbortController();
    await Promise.race([this.#relayed, this.#silence(settled.signal)]);
    settled.abort();
    const failure = this.#failure;
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    if (failure !== undefined) throw failure;
  }

  /** Resolves when nothing was printed for a while, and nothing waits to be taken. */
  async #silence(signal: AbortSignal): Promise<void> {
    const startMs = performance.now();
    for (;;) {
      const silentMs = performance.now() - Math.max(startMs, this.#lastMs);
      if (signal.aborted || (this.#writing === 0 && silentMs >= LAST_OUTPUT_MS)) return;
      await sleep(Math.max(10, LAST_OUTPUT_MS - silentMs), undefined, {signal}).catch(() => {});
    }
  }

  async #write(lines: Buffer, write: (lines: Buffer) => Promise<void>): Promise<void> {
    this.#writing++;
    try {
      await write(lines);
    } finally {
      this.#writing--;
      this.#lastMs = performance.now();
    }
  }
}
