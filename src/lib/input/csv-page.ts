/**
 * Rows → a page of items. A few hundred rows are read in one go, which is much
 * faster than one by one; no more, so that what a large chunk holds is not in
 * memory as values all at once. Invariant: items come in the order of the rows,
 * one for each.
 */
import type {CsvRow} from './csv-rows.js';
import type {InputItem, InputPage, InputPosition} from './input-page.js';

const ROWS_AT_ONCE = 500;

export class CsvPage implements InputPage {
  readonly #rows: readonly CsvRow[];
  readonly #read: (rows: readonly CsvRow[]) => InputItem[];
  /** Those of the rows that were read last. */
  #items: InputItem[] = [];
  #position: InputPosition;
  #positionBefore: InputPosition;
  #handedOut = 0;

  /** `position` is in front of `rows`; `read` gives an item for each row. */
  constructor(position: InputPosition, rows: readonly CsvRow[], read: (rows: readonly CsvRow[]) => InputItem[]) {
    this.#position = position;
    this.#positionBefore = position;
    this.#rows = rows;
    this.#read = read;
  }

  next(): InputItem | undefined {
    const row = this.#rows[this.#handedOut];
    if (row === undefined) return undefined;
    const index = this.#handedOut % ROWS_AT_ONCE;
    if (index === 0) this.#items = this.#read(this.#rows.slice(this.#handedOut, this.#handedOut + ROWS_AT_ONCE));
    this.#handedOut++;
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
