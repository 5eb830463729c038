/**
 * A full-screen view on the terminal of this process: its keys, the size of its window, Ctrl-Z, and the way back. Invariant: whatever
 * ends the process short of SIGKILL, the terminal is as it was: the screen, the cursor, and what it does with keys.
 */
import {writeSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {isatty, ReadStream} from 'node:tty';
import {KeyDecoder} from '../output/keys.js';
import {type Frame, LEAVE_SCREEN, Screen} from '../output/screen.js';
import type {Sink} from '../output/sink.js';
import {onRestore} from './process-exit.js';
import {standardDisplay} from './standard-display.js';
import {standardOutput} from './standard-streams.js';

/** SIGTSTP stops a process at once, if at all: a session without job control ignores it. */
const STOP_MS = 100;

export class FullScreen {
  readonly #screen: Screen;
  readonly #onKey: (key: string) => void;
  readonly #decoder = new KeyDecoder();
  #input: ReadStream | undefined;
  #forget = (): void => {};
  #isSuspended = false;

  private constructor(out: Pick<Sink, 'write'>, onKey: (key: string) => void) {
    this.#screen = new Screen({size: standardDisplay, write: (text) => out.write(text)});
    this.#onKey = onKey;
  }

  /**
   * Takes the terminal. `onKey` is called with each key but Ctrl-C, Ctrl-Z and Ctrl-\\, which are signals. Where standard input is
   * no terminal there are no keys. Throws as `out` does.
   */
  static async open(out: Pick<Sink, 'write'>, onKey: (key: string) => void): Promise<FullScreen> {
    const opened = new FullScreen(out, onKey);
    opened.#forget = onRestore(() => opened.#restoreNow());
    process.on('SIGWINCH', opened.#onResize);
    process.on('SIGTSTP', opened.#onStop);
    process.on('SIGCONT', opened.#onContinue);
    process.on('SIGQUIT', opened.#onQuit);
    opened.#listen();
    await opened.#screen.enter();
    return opened;
  }

  /** Shows `frame` from now on. Resolves when the terminal has taken it. Throws as `out` does. */
  show(frame: Frame): Promise<void> {
    return this.#screen.show(frame);
  }

  /** Gives the terminal back. */
  async close(): Promise<void> {
    process.off('SIGWINCH', this.#onResize);
    process.off('SIGTSTP', this.#onStop);
    process.off('SIGCONT', this.#onContinue);
    process.off('SIGQUIT', this.#onQuit);
    // The terminal may have gone; then there is nothing to give back.
    await this.#screen.leave().catch(() => {});
    this.#release();
    this.#forget();
  }

  /** Ends at once, as programs do that do not know it. */
  readonly #onQuit = (): void => {
    this.#restoreNow();
    process.off('SIGQUIT', this.#onQuit);
    process.kill(process.pid, 'SIGQUIT');
  };
  readonly #onResize = (): void => this.#later(this.#screen.redraw());
  readonly #onStop = (): void => this.#later(this.#suspend());
  /** Also after SIGSTOP, which nothing announces: the shell has used the terminal meanwhile. */
  readonly #onContinue = (): void => {
    if (!this.#isSuspended) this.#later(this.#resume());
  };

  /** A terminal that takes no more is noticed by the next `show`. */
  #later(work: Promise<void>): void {
    work.catch(() => {});
  }

  async #suspend(): Promise<void> {
    if (this.#isSuspended) return;
    this.#isSuspended = true;
    await this.#screen.leave();
    this.#release();
    process.off('SIGTSTP', this.#onStop);
    const continued = new Promise<void>((resolve) => process.once('SIGCONT', () => resolve()));
    // All of the pipeline, as the terminal would by itself.
    process.kill(0, 'SIGTSTP');
    await Promise.race([continued, sleep(STOP_MS)]);
    process.on('SIGTSTP', this.#onStop);
    this.#isSuspended = false;
    await this.#resume();
  }

  async #resume(): Promise<void> {
    this.#release();
    this.#listen();
    await this.#screen.enter();
  }

  /** Keys are for us, one by one. */
  #listen(): void {
    if (!isatty(0)) return;
    this.#input ??= this.#openInput();
    this.#input.setRawMode(true);
    this.#input.resume();
  }

  #openInput(): ReadStream {
    const input = new ReadStream(0);
    // A terminal that is gone: SIGHUP comes, too.
    input.on('error', () => {});
    input.on('data', (bytes: Buffer) => {
      for (const key of this.#decoder.keys(bytes)) this.#take(key);
    });
    return input;
  }

  #take(key: string): void {
    if (key === 'ctrl-c') process.kill(process.pid, 'SIGINT');
    else if (key === 'ctrl-\\') process.kill(process.pid, 'SIGQUIT');
    else if (key === 'ctrl-z') this.#onStop();
    else this.#onKey(key);
  }

  /** Keys are for the shell again. */
  #release(): void {
    try {
      this.#input?.setRawMode(false);
      this.#input?.pause();
    } catch {
      // There is no terminal any more.
    }
  }

  /** For the end of the process, where nothing can be awaited. */
  #restoreNow(): void {
    this.#release();
    // A terminal that takes nothing would hold us up for ever.
    if (standardOutput.isWriting) return;
    try {
      writeSync(standardOutput.fd, LEAVE_SCREEN);
    } catch {
      // As above.
    }
  }
}
