/** Reading page by page, and cutting sequences of pages to size. */
import {compareStreamIds, predecessorOf, successorOf} from '../records/stream-id.js';

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

interface Read<Page> {
  /** Undefined for one that is passed over. */
  page: Page | undefined;
  /** How many entries Redis gave; fewer than were asked for end it. */
  found: number;
  /** The last ID of them. */
  lastId: string | undefined;
}

/**
 * The pages from the ID `start` to `end`, both included, or with `reverse` from `end` down: `read` gets what is left of
 * them, and how many entries it may bring. In flat memory.
 */
export async function* pagesBetween<Page>(
  {start, end, reverse = false}: {start: string; end: string; reverse?: boolean},
  size: {readonly count: number},
  read: (low: string, high: string, count: number) => Promise<Read<Page>>,
): AsyncGenerator<Page, void, void> {
  let [low, high]: [string | undefined, string | undefined] = [start, end];
  do {
    const {count} = size;
    const {page, found, lastId}: Read<Page> = await read(low, high, count);
    if (page !== undefined && found > 0) yield page;
    if (found < count) return;
    if (reverse) high = predecessorOf(lastId!);
    else low = successorOf(lastId!);
  } while (low !== undefined && high !== undefined && compareStreamIds(low, high) <= 0);
}
