/**
 * SIGHUP reloads the certificate and the tokens; SIGUSR1 is ignored, where Node would
 * open its debugger (https://nodejs.org/api/process.html#signal-events) and the
 * executable would end. Invariant: the server keeps running, with the old values where
 * a file is bad; files are read one after the other, however many signals come.
 */
import {InputCut} from '../input/source.js';

export interface ReloadNotes {
  readonly note: (text: string) => void;
  readonly warn: (text: string) => void;
}

export class Reload {
  readonly #notes: ReloadNotes;
  readonly #parts: [what: string, again: () => Promise<void>][] = [];
  #isReading = false;
  #isWanted = false;

  constructor(notes: ReloadNotes) {
    this.#notes = notes;
  }

  /** From now on neither signal ends the process. To be called first, before anything waits. */
  install(): void {
    process.on('SIGUSR1', () => {});
    process.on('SIGHUP', () => void this.#run());
  }

  /** Calls `again` at each SIGHUP. It throws when what it reads, named by `what`, is bad. */
  add(what: string, again: () => Promise<void>): void {
    this.#parts.push([what, again]);
  }

  async #run(): Promise<void> {
    this.#isWanted = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isWanted) {
      this.#isWanted = false;
      await this.#readAll();
    }
    this.#isReading = false;
  }

  async #readAll(): Promise<void> {
    if (this.#parts.length === 0) this.#notes.note('SIGHUP: there is no file to read again');
    for (const [what, again] of this.#parts) {
      try {
        await again();
        this.#notes.note(`the ${what} was read again`);
      } catch (error) {
        if (error instanceof InputCut) return;
        this.#notes.warn(`the old ${what} stays: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
}
