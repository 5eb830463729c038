/**
 * Runs pages of entries through a filter, counts both sides, and stops where enough was found or looked at. Invariant: what it
 * holds is the page at hand; `count` counts what matches, and `maxScan` what was looked at.
 */
import type {Filterable, RecordFilter} from './record-filter.js';

export interface SearchOptions {
  /** Without one, everything matches. */
  filter: RecordFilter | undefined;
  /** Matches at most; infinite is allowed. */
  count?: number | undefined;
  /** Entries looked at, at most. */
  maxScan?: number | undefined;
  /** Called after each page; `found` is how many of its entries match. */
  onPage?: ((search: Search, found: number) => void) | undefined;
}

export class Search {
  scanned = 0;
  matched = 0;
  /** The ID that was looked at last. */
  lastId: string | undefined;
  readonly #filter: RecordFilter | undefined;
  readonly #count: number;
  readonly #maxScan: number;
  readonly #onPage: (search: Search, found: number) => void;

  constructor({filter, count, maxScan, onPage}: SearchOptions) {
    this.#filter = filter;
    this.#count = count ?? Number.POSITIVE_INFINITY;
    this.#maxScan = maxScan ?? Number.POSITIVE_INFINITY;
    this.#onPage = onPage ?? (() => {});
  }

  /** Whether not everything matches. */
  get isFiltered(): boolean {
    return this.#filter !== undefined;
  }

  /** Whether it ended because of `maxScan`. */
  get isCutShort(): boolean {
    return this.scanned >= this.#maxScan && this.matched < this.#count;
  }

  /** The matches of each page that has some. Asks for no page that is not needed. */
  async *of<T extends Filterable>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<T[], void, void> {
    for await (const page of pages) {
      const found = this.matchesOf(page);
      if (found.length > 0) yield found;
      if (this.scanned >= this.#maxScan || this.matched >= this.#count) return;
    }
  }

  /** The matches of one page. */
  matchesOf<T extends Filterable>(page: readonly T[]): T[] {
    const found: T[] = [];
    const filter = this.#filter;
    const end = Math.min(page.length, this.#maxScan - this.scanned);
    let at = 0;
    for (; at < end && this.matched + found.length < this.#count; at++) {
      if (filter === undefined || filter.matches(page[at]!)) found.push(page[at]!);
    }
    this.scanned += at;
    this.matched += found.length;
    if (at > 0) this.lastId = page[at - 1]!.id;
    this.#onPage(this, found.length);
    return found;
  }
}
