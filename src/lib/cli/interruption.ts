/**
 * Signals. The first SIGINT or SIGTERM asks the work in hand to finish, the
 * second one ends the process at once; a command that never looked at
 * `stopping` has nothing to finish and ends at the first. One instance lives as
 * long as the process.
 */
import {exitCodeOf} from '../exit-codes.js';

const CODES = {SIGINT: exitCodeOf('interrupted'), SIGTERM: exitCodeOf('terminated')} as const;

class Interruption {
  readonly #controller = new AbortController();
  #watched = false;
  #exitCode: number | undefined;

  /** Begins to listen. */
  install(): void {
    for (const [signal, code] of Object.entries(CODES)) {
      process.on(signal, () => {
        if (!this.#watched || this.#exitCode !== undefined) process.exit(code);
        this.#exitCode = code;
        this.#controller.abort();
      });
    }
  }

  /** Aborted by the first signal. Whoever asks for it promises to end soon after. */
  get stopping(): AbortSignal {
    this.#watched = true;
    return this.#controller.signal;
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
