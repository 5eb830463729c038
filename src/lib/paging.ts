/** Cutting sequences of pages to size, so that commands can count entries while the work goes page by page. */

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

/** The same items in pages of at most `size`. */
export async function* pagesOf<T>(
  batches: AsyncIterable<readonly T[]> | Iterable<readonly T[]>,
  size: number,
): AsyncGenerator<T[], void, void> {
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; at += size) yield batch.slice(at, at + size);
  }
}
