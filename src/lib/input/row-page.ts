/**
 * The items of rows that were cut out of the input: rows of CSV, or texts between
 * separators. Invariant: each row is read once, and `position` is always behind a whole one.
 */
import type {InputItem, InputPage, InputPosition} from './input-item.js';
import type {Line} from './lines.js';

/** Without what ends it; `number` is the line in which it begins, `behind` the position behind its end. */
export type Row = Line & {readonly behind: InputPosition};

/** Read in one go, which is much faster than one by one; a large chunk is not in memory as values all at once. */
const ROWS_AT_ONCE = 500;

export class RowPage implements InputPage {
  readonly #rows: readonly Row[];
  readonly #read: (rows: readonly Row[]) => InputItem[];
  /** Those of the rows that were read last. */
  #items: InputItem[] = [];
  #position: InputPosition;
  #positionBefore: InputPosition;
  #taken = 0;

  /** `position` is before `rows`; `read` gives an item for each row. */
  constructor(position: InputPosition, rows: readonly Row[], read: (rows: readonly Row[]) => InputItem[]) {
    this.#position = position;
    this.#positionBefore = position;
    this.#rows = rows;
    this.#read = read;
  }

  next(): InputItem | undefined {
    const row = this.#rows[this.#taken];
    if (row === undefined) return undefined;
    const index = this.#taken % ROWS_AT_ONCE;
    if (index === 0) this.#items = this.#read(this.#rows.slice(this.#taken, this.#taken + ROWS_AT_ONCE));
    this.#taken++;
    this.#positionBefore = this.#position;
    this.#position = row.behind;
    return this.#items[index];
  }

  get position(): InputPosition {
    return this.#position;
  }

  get positionBefore(): InputPosition {
    return this.#positionBefore;
  }
}
