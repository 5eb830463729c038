/**
 * A small model of a terminal: what one would see after the control sequences that a screen may write. It throws at every
 * other one; with `lines` it takes what a shell writes, too: newlines, and texts that wrap.
 */
export class TerminalModel {
  columns: number;
  rows: number;
  #cells: string[][] = [];
  /** What stood there before the alternate screen was entered. */
  #saved: {cells: string[][]; row: number; column: number} | undefined;
  cursorShown = true;
  wraps = true;
  #row = 0;
  #column = 0;
  written = '';
  readonly #lines: boolean;

  constructor(columns: number, rows: number, {lines = false} = {}) {
    this.#lines = lines;
    this.columns = columns;
    this.rows = rows;
    this.#clear();
  }

  get isAlternate(): boolean {
    return this.#saved !== undefined;
  }

  /** The rows, without the blanks behind their texts. */
  get text(): string[] {
    return this.#cells.map((row) => row.join('').trimEnd());
  }

  /** Terminals do what they like with what was there; here it is lost. */
  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#cells = Array.from({length: rows}, () => Array.from({length: columns}, () => '#'));
  }

  write(text: string): void {
    this.written += text;
    for (let rest = text; rest !== ''; ) {
      const sequence = /^\u001b\[(\??)([\d;]*)([A-Za-z])/.exec(rest);
      if (sequence !== null) {
        this.#control(sequence[1]!, sequence[2]!, sequence[3]!);
        rest = rest.slice(sequence[0].length);
      } else {
        const character = String.fromCodePoint(rest.codePointAt(0)!);
        if (this.#lines && /[\r\n\b\u0007]/.test(character)) this.#act(character);
        else if (/\p{Cc}/u.test(character)) throw new Error(`a control character: ${JSON.stringify(character)}`);
        else this.#put(character);
        rest = rest.slice(character.length);
      }
    }
  }

  #act(character: string): void {
    if (character === '\r') this.#column = 0;
    if (character === '\b') this.#column = Math.max(0, this.#column - 1);
    if (character === '\n' && ++this.#row === this.rows) {
      this.#row--;
      this.#cells = [...this.#cells.slice(1), this.#blankRow()];
    }
  }

  #put(character: string): void {
    if (this.#column === this.columns) {
      if (!this.wraps) this.#column--;
      else if (this.#lines) for (const act of '\r\n') this.#act(act);
      else throw new Error('a line wraps');
    }
    if (this.#row < this.rows) this.#cells[this.#row]![this.#column] = character;
    this.#column++;
  }

  #control(prefix: string, numbers: string, final: string): void {
    const name = `${prefix}${numbers}${final}`;
    if (/^\d+;\d+H$/.test(name)) {
      const [row, column] = numbers.split(';').map(Number) as [number, number];
      [this.#row, this.#column] = [Math.min(row, this.rows) - 1, Math.min(column, this.columns) - 1];
    } else if (name === '2K') this.#cells[this.#row] = this.#blankRow();
    else if (name === '2J') this.#clear();
    else if (name === '?1049h') {
      this.#saved ??= {cells: this.#cells, row: this.#row, column: this.#column};
      this.#clear();
    } else if (name === '?1049l' && this.#saved !== undefined) {
      ({cells: this.#cells, row: this.#row, column: this.#column} = this.#saved);
      this.#saved = undefined;
    } else if (name === '?25h' || name === '?25l') this.cursorShown = final === 'h';
    else if (name === '?7h' || name === '?7l') this.wraps = final === 'h';
    else if (!/^[\d;]*m$|^\?1049l$/.test(name)) throw new Error(`not known: ESC [ ${name}`);
  }

  #clear(): void {
    this.#cells = Array.from({length: this.rows}, () => this.#blankRow());
  }

  #blankRow(): string[] {
    return Array.from({length: this.columns}, () => ' ');
  }
}
