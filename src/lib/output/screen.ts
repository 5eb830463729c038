/**
 * A full-screen view on the alternate screen of a terminal (xterm's control sequences,
 * https://invisible-island.net/xterm/ctlseqs/ctlseqs.html). Invariants: what is on the screen is the last frame, cut at the
 * window's edges, and only rows that differ are written; while it is left, nothing is written.
 */

export interface WindowSize {
  columns: number;
  rows: number;
}

/** The terminal that a screen is drawn on. */
export interface ScreenTerminal {
  size(): WindowSize;
  /** Resolves when the terminal has taken the text. */
  write(text: string): Promise<void>;
}

/** What is to be seen in a window of that size, a string for each row; colours are allowed, other control characters are not. */
export type Frame = (size: WindowSize) => readonly string[];

const ESC = '\u001b';
/** The alternate screen, no cursor, and no wrapping: a line that is too wide ends at the edge. */
export const ENTER_SCREEN = `${ESC}[?1049h${ESC}[?25l${ESC}[?7l`;
/** What undoes it, also if it was never entered. */
export const LEAVE_SCREEN = `${ESC}[m${ESC}[?7h${ESC}[?25h${ESC}[?1049l`;
const CLEAR = `${ESC}[2J`;

/** The text that makes a screen with the rows `before` one with the rows `after`; all of them where `before` is undefined. */
export function frameChanges(before: readonly string[] | undefined, after: readonly string[]): string {
  let text = before === undefined ? `${ESC}[m${CLEAR}` : '';
  const rows = Math.max(before?.length ?? 0, after.length);
  for (let row = 0; row < rows; row++) {
    const line = after[row] ?? '';
    // Erased first: behind a line that fills the row, the last character would be erased with the rest.
    if (line !== (before?.[row] ?? '')) text += `${ESC}[${row + 1};1H${ESC}[2K${line}${ESC}[m`;
  }
  return text;
}

export class Screen {
  readonly #terminal: ScreenTerminal;
  #frame: Frame | undefined;
  /** The rows that the terminal shows; undefined where that is not known. */
  #shown: readonly string[] | undefined;
  #isEntered = false;
  #drawing: Promise<void> | undefined;
  #isOutdated = false;

  constructor(terminal: ScreenTerminal) {
    this.#terminal = terminal;
  }

  /** Switches to the alternate screen and draws the last frame, if there is one. Also where the terminal was reset meanwhile. */
  async enter(): Promise<void> {
    await this.#drawing;
    this.#isEntered = true;
    this.#shown = undefined;
    await this.#terminal.write(ENTER_SCREEN);
    await this.#update();
  }

  /** Shows `frame`, now and whenever the window changes. Resolves when the terminal has taken it. */
  show(frame: Frame): Promise<void> {
    this.#frame = frame;
    return this.#update();
  }

  /** Draws everything anew, as after a change of the window. */
  redraw(): Promise<void> {
    this.#shown = undefined;
    return this.#update();
  }

  /** Back to what the terminal showed before. */
  async leave(): Promise<void> {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    await this.#drawing?.catch(() => {});
    await this.#terminal.write(LEAVE_SCREEN);
  }

  /** One write at a time: what changes meanwhile is drawn by the next one, and a slow terminal skips frames. */
  #update(): Promise<void> {
    this.#isOutdated = true;
    this.#drawing ??= this.#draw();
    return this.#drawing;
  }

  async #draw(): Promise<void> {
    // Not at once: `#update` has to note first that this runs.
    await undefined;
    try {
      while (this.#isOutdated && this.#isEntered && this.#frame !== undefined) {
        this.#isOutdated = false;
        const size = this.#terminal.size();
        const rows = this.#frame(size).slice(0, size.rows);
        const text = frameChanges(this.#shown, rows);
        this.#shown = rows;
        if (text !== '') await this.#terminal.write(text);
      }
    } finally {
      // In the same turn as the last look at `#isOutdated`, so that no change is missed.
      this.#drawing = undefined;
    }
  }
}
