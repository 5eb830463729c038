/**
 * Signals. The first SIGINT or SIGTERM asks the work in hand to finish, within a
 * limit; the second one ends the process at once. A command that never looked at
 * `stopping` has nothing to finish and ends at the first. One instance lives as
 * long as the process. Invariant: whatever the work waits for, a Redis that is
 * silent or a reader that does not read, the process ends.
 */
import {exitCodeOf} from '../exit-codes.js';

const CODES = {SIGINT: exitCodeOf('interrupted'), SIGTERM: exitCodeOf('terminated')} as const;
/** For commands that do not say how long their work may take. */
const LIMIT_MS = 30_000;
/** So that a command that knows its limit can keep it by itself, and say what was left. */
const GRACE_MS = 1_000;

class Interruption {
  readonly #controller = new AbortController();
  #watched = false;
  #exitCode: number | undefined;
  #limitMs = LIMIT_MS;

  /** Begins to listen. `onGivenUp` is called when the limit has passed, just before the process ends. */
  install(onGivenUp: (limitMs: number) => void): void {
    for (const [signal, code] of Object.entries(CODES)) {
      process.on(signal, () => {
        if (!this.#watched || this.#exitCode !== undefined) process.exit(code);
        this.#exitCode = code;
        this.#controller.abort();
        const giveUp = (): void => {
          onGivenUp(this.#limitMs);
          process.exit(code);
        };
        setTimeout(giveUp, this.#limitMs + GRACE_MS).unref();
      });
    }
  }

  /** Aborted by the first signal. Whoever asks for it promises to end soon after. */
  get stopping(): AbortSignal {
    this.#watched = true;
    return this.#controller.signal;
  }

  /** How long the work in hand may take after the first signal. */
  limitTo(limitMs: number): void {
    this.#limitMs = limitMs;
  }

  /** The exit code of a process that ended because of a signal; undefined when there was none. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** For a server, to whom SIGTERM is the ordinary way to end: the exit code is 0 again. */
  pardon(): void {
    this.#exitCode = undefined;
  }
}

export const interruption = new Interruption();
