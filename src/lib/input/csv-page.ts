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
  #place: InputPosition;
  #placeBefore: InputPosition;
  #handedOut = 0;

  /** `place` is in front of `rows`; `read` gives an item for each row. */
  constructor(place: InputPosition, rows: readonly CsvRow[], read: (rows: readonly CsvRow[]) => InputItem[]) {
    this.#place = place;
    this.#placeBefore = place;
    this.#rows = rows;
    this.#read = read;
  }

  next(): InputItem | undefined {
    const row = this.#rows[this.#handedOut];
    if (row === undefined) return undefined;
    const index = this.#handedOut % ROWS_AT_ONCE;
    if (index === 0) this.#items = this.#read(this.#rows.slice(this.#handedOut, this.#handedOut + ROWS_AT_ONCE));
    this.#handedOut++;
    this.#placeBefore = this.#place;
    this.#place = row.behind;
    return this.#items[index];
  }

  get place(): InputPosition {
    return this.#place;
  }

  get placeBefore(): InputPosition {
    return this.#placeBefore;
  }
}
