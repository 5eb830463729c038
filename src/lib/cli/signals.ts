/**
 * Signals. The first SIGINT, SIGTERM or SIGHUP asks the work in hand to finish, within a
 * limit; the second one ends the process at once. A command that never looked at
 * `stopping` has nothing to finish and ends at the first. One instance lives as
 * long as the process. Invariant: whatever the work waits for, a Redis that is
 * silent or a reader that does not read, the process ends.
 */
import {readFileSync} from 'node:fs';
import {exitCodeOf} from '../exit-codes.js';
import {leave} from './process-exit.js';
import {standardError} from './standard-streams.js';

const CODES = {
  SIGINT: exitCodeOf('interrupted'),
  SIGTERM: exitCodeOf('terminated'),
  SIGHUP: exitCodeOf('hungUp'),
} as const;
/** For commands that do not say how long their work may take. */
const LIMIT_MS = 30_000;
/** So that a command that knows its limit can keep it by itself, and say what was left. */
const GRACE_MS = 1_000;
const SIGHUP_NUMBER = 1;

class Interruption {
  readonly #controller = new AbortController();
  #watched = false;
  #exitCode: number | undefined;
  #limitMs = LIMIT_MS;

  /** Begins to listen. `onGivenUp` is called when the limit has passed, just before the process ends. */
  install(onGivenUp: (limitMs: number) => void): void {
    for (const [signal, code] of Object.entries(CODES) as [keyof typeof CODES, number][]) {
      // As `nohup` starts us.
      if (signal === 'SIGHUP' && isIgnored(SIGHUP_NUMBER)) continue;
      process.on(signal, () => {
        // A command that takes it for something else, as servers read their files again, listens too.
        if (signal === 'SIGHUP' && process.listenerCount(signal) > 1) return;
        if (!this.#watched || this.#exitCode !== undefined) return leave(code, signal);
        this.#exitCode = code;
        this.#controller.abort();
        const giveUp = (): void => {
          onGivenUp(this.#limitMs);
          const now = (): void => leave(code, signal);
          setTimeout(now, GRACE_MS).unref();
          standardError.flushed().then(now);
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

  /** The same without that promise, for what is done before the work: where nobody gave it, the first signal ends the process. */
  get signalled(): AbortSignal {
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

/** Whether whoever started us has us ignore a signal; false where the system does not say. */
function isIgnored(number: number): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    return ((BigInt(`0x${ignored}`) >> BigInt(number - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

export const signals = new Interruption();
