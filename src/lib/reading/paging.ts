/** Sequences of pages, cut to size, so that commands can count entries while they work page by page, or item by item. */

/** What commands are given page by page. */
type Pages<T> = AsyncIterable<readonly T[]> | Iterable<readonly T[]>;

/** The first `count` items of `pages`, in the same pages; asks for no page that is not needed. */
export async function* firstItems<T>(pages: AsyncIterable<T[]>, count: number): AsyncGenerator<T[], void, void> {
  let left = count;
  if (left === 0) return;
  for await (const page of pages) {
    if (page.length >= left) {
      yield page.slice(0, left);
      return;
    }
    left -= page.length;
    yield page;
  }
}

/** The same items in pages of at most `size.count`, which may change from page to page. */
export async function* pagesOf<T>(batches: Pages<T>, size: {readonly count: number}): AsyncGenerator<T[], void, void> {
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; ) {
      const page = batch.slice(at, at + size.count);
      at += page.length;
      yield page;
    }
  }
}

/** The same pages with each item turned into another. */
export async function* mapPages<From, To>(
  pages: Pages<From>,
  map: (item: From) => To,
): AsyncGenerator<To[], void, void> {
  for await (const page of pages) yield page.map(map);
}

/** The items of pages, one after the other. */
export class PagedItems<Item> {
  readonly #pages: AsyncGenerator<readonly Item[], void, void>;
  #page: readonly Item[] = [];
  #at = 0;

  constructor(pages: AsyncGenerator<readonly Item[], void, void>) {
    this.#pages = pages;
  }

  /** Undefined at the end. */
  async next(): Promise<Item | undefined> {
    while (this.#at === this.#page.length) {
      const next = await this.#pages.next();
      if (next.done) return undefined;
      this.#page = next.value;
      this.#at = 0;
    }
    return this.#page[this.#at++];
  }
}
