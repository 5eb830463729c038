/**
 * Ends a handler's process group: SIGTERM, then SIGKILL. Invariant: once `end` was
 * called, nothing of the group is left after `clear`.
 */
import type {ChildProcess} from 'node:child_process';
import {formatDuration} from '../duration.js';

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 3_000;

export interface DeadlineOptions {
  /** From the start of the process; undefined lets it run. */
  timeoutMs?: number;
  /** Sends a signal to the process group `pid`; must not throw when it is gone. */
  signalGroup: (pid: number, signal: 'SIGTERM' | 'SIGKILL') => void;
}

/** Ends the process group at its timeout, or when `giveUp` is aborted. */
export class Deadline {
  /** Why the process was ended; undefined while it was not. */
  reason: string | undefined;
  readonly #child: ChildProcess;
  readonly #options: DeadlineOptions;
  readonly #giveUp: AbortSignal;
  readonly #onGiveUp = (): void => this.end('it was given up');
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(child: ChildProcess, options: DeadlineOptions, giveUp: AbortSignal) {
    this.#child = child;
    this.#options = options;
    this.#giveUp = giveUp;
    const {timeoutMs} = options;
    if (timeoutMs !== undefined)
      this.#after(timeoutMs, () => this.end(`it ran longer than ${formatDuration(timeoutMs)}`));
    if (giveUp.aborted) this.#onGiveUp();
    else giveUp.addEventListener('abort', this.#onGiveUp, {once: true});
  }

  end(reason: string): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.#signal('SIGTERM');
    this.#after(GRACE_MS, () => this.#signal('SIGKILL'));
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#giveUp.removeEventListener('abort', this.#onGiveUp);
    // Children that an ended process left behind would go on unseen.
    if (this.reason !== undefined) this.#signal('SIGKILL');
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#child.pid !== undefined) this.#options.signalGroup(this.#child.pid, signal);
  }

  #after(ms: number, act: () => void): void {
    this.#timers.push(setTimeout(act, ms));
  }
}
