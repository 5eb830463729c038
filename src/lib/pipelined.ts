/** Many commands at a time on one connection. Invariant: the replies that Redis has to keep for us are bounded. */

/** Commands in flight, at most. */
const WINDOW = 500;

/** The results of `work` on each of `items`, in their order; what `work` sends goes out together, a window at a time. */
export async function pipelined<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  window = WINDOW,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += window) {
    results.push(...(await Promise.all(items.slice(at, at + window).map(work))));
  }
  return results;
}
