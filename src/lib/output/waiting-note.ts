/** Says that a command waits, and for what: once, when nothing has come for a moment. */
import type {Notes} from './notes.js';

const MOMENT_MS = 500;

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
