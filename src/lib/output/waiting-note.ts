/** Says that a command waits, and for what: once, when nothing has come for a moment. */
import type {Notes} from './notes.js';

const MOMENT_MS = 500;
/** The program before us in a pipe may take so long to start. */
const INPUT_MS = 1_000;

export class WaitingNote {
  readonly #notes: Notes;
  readonly #text: string;
  #wasSaid: boolean;
  #cameAtMs = Number.NEGATIVE_INFINITY;

  /** `text` is undefined where nothing is waited for. */
  constructor(notes: Notes, text: string | undefined) {
    this.#notes = notes;
    this.#text = text ?? '';
    this.#wasSaid = text === undefined || !notes.isShown;
  }

  /** For an input that may bring nothing for long. Gives what is to be called when it brings something, or ends. */
  watch(): (() => void) | undefined {
    if (this.#wasSaid) return undefined;
    const timer = setTimeout(() => this.idle(), INPUT_MS).unref();
    return () => clearTimeout(timer);
  }

  /** Something has come. */
  came(): void {
    if (!this.#wasSaid) this.#cameAtMs = performance.now();
  }

  /** A read has brought nothing. */
  idle(): void {
    if (this.#wasSaid || performance.now() - this.#cameAtMs < MOMENT_MS) return;
    this.#wasSaid = true;
    this.#notes.status(this.#text);
  }
}
