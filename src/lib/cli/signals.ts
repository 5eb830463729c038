/**
 * SIGINT, SIGTERM and SIGHUP. The first one asks the command to finish, within a limit; the second
 * one ends the process at once. A command that never read `stopping` ends at the first. Invariant:
 * the process ends, whether Redis is silent or the reader of our output does not read.
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
/** So that a command can keep its limit itself, and say what it left. */
const GRACE_MS = 1_000;
const SIGHUP_NUMBER = 1;

class SignalHandler {
  readonly #controller = new AbortController();
  #watched = false;
  #exitCode: number | undefined;
  #limitMs = LIMIT_MS;
  #isByKey = false;

  /** Starts to listen. Calls `onGivenUp` when the limit has passed, just before the process ends. */
  install(onGivenUp: (limitMs: number) => void): void {
    for (const [signal, code] of Object.entries(CODES) as [keyof typeof CODES, number][]) {
      // Set by nohup(1).
      if (signal === 'SIGHUP' && isIgnored(SIGHUP_NUMBER)) continue;
      process.on(signal, () => {
        // `serve` reloads its files, and listens too.
        if (signal === 'SIGHUP' && process.listenerCount(signal) > 1) return;
        if (!this.#watched || this.#exitCode !== undefined) return leave(code, signal);
        this.#exitCode = code;
        this.#isByKey = signal === 'SIGINT';
        // Behind the ^C that the terminal shows.
        if (this.#isByKey && standardError.isTTY) standardError.write('\n');
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

  /** Aborted by the first signal. Reading it promises that the command then ends soon. */
  get stopping(): AbortSignal {
    this.#watched = true;
    return this.#controller.signal;
  }

  /** The same without that promise: if nothing read `stopping`, the first signal still ends the process. */
  get signalled(): AbortSignal {
    return this.#controller.signal;
  }

  /** What ends the process at once, after the first signal. */
  get again(): string {
    return this.#isByKey ? 'Ctrl-C again' : 'a second signal';
  }

  /** How long the command may take to end after the first signal. */
  limitTo(limitMs: number): void {
    this.#limitMs = limitMs;
  }

  /** The exit code of a process that ended because of a signal; undefined when there was none. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** For a server, which SIGTERM ends as intended: the exit code is 0. */
  resetExitCode(): void {
    this.#exitCode = undefined;
  }
}

/** Whether this process was started with the signal ignored (SigIgn of proc(5)); false where the system does not say. */
function isIgnored(number: number): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    return ((BigInt(`0x${ignored}`) >> BigInt(number - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

export const signals = new SignalHandler();
