/**
 * Waits until something may have happened to a file, whatever its name stands for by then. What the system says is a hint
 * that saves time: a file system need not say anything, and what counts is what stat(2) finds after each wait.
 */
import {type FSWatcher, watch} from 'node:fs';
import {basename, dirname} from 'node:path';
import {Condition} from '../waiting.js';
import {namesOf} from './rotated-files.js';

/** With hints, this only covers for one that was lost. */
const HINTED_POLL_MS = 1_000;
/** Without them, a line waits for as long. */
const POLL_MS = 250;

export class FileWatch {
  readonly #condition = new Condition();
  readonly #watchers: readonly (FSWatcher | undefined)[];
  #pollMs: number;
  #isHinted = false;
  /** The last wait ended by a hint. */
  #wasHinted = true;

  constructor(path: string) {
    // Of a link, both directories.
    this.#watchers = namesOf(path).map((name) =>
      watchOf(dirname(name), (changed) => {
        // Its rotated files have names that begin with it.
        if (changed !== null && !changed.startsWith(basename(name))) return;
        this.#isHinted = true;
        this.#condition.notify();
      }),
    );
    this.#pollMs = this.#watchers.includes(undefined) ? POLL_MS : HINTED_POLL_MS;
  }

  /** Resolves at once if there was a hint since the last wait, else at the next one, and after `limitMs` or a poll anyway. */
  async wait(limitMs = HINTED_POLL_MS): Promise<void> {
    if (!this.#isHinted) {
      const timer = setTimeout(() => this.#condition.notify(), Math.max(0, Math.min(limitMs, this.#pollMs)));
      await this.#condition.wait();
      clearTimeout(timer);
    }
    this.#wasHinted = this.#isHinted;
    this.#isHinted = false;
  }

  /** The last wait was not in vain. On a file system that gives no hints, polls are more frequent. */
  found(): void {
    if (!this.#wasHinted) this.#pollMs = POLL_MS;
    this.#wasHinted = true;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher?.close();
  }
}

/** Undefined where there can be none, as when the system has no more of them. */
function watchOf(directory: string, onChange: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, {persistent: false}, (_, name) => onChange(name));
    return watcher.on('error', () => watcher.close());
  } catch {
    return undefined;
  }
}
