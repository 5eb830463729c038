/**
 * Several streams' entries → one sequence in the order of their IDs, which is
 * the order of their times. Holds one page of each stream. Invariant: nothing
 * leaves before everything that is older has left.
 */
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, earlierId} from '../records/stream-id.js';

type Pages = AsyncGenerator<StreamRecord[], void, void>;

/** Each source must be in the order of its IDs. Equal IDs come in the order of the sources. */
export async function* inOrder(sources: readonly Pages[]): Pages {
  let heads = await Promise.all(sources.map(async (source) => ({source, page: await nextPage(source)})));
  for (;;) {
    heads = heads.filter(({page}) => page.length > 0);
    if (heads.length === 0) return;
    // The page that ends first may be followed by something older than the rest of the others.
    const horizon = heads.map(({page}) => page.at(-1)!.id).reduce(earlierId);
    const ready: StreamRecord[] = [];
    for (const head of heads) {
      const later = head.page.findIndex(({id}) => compareStreamIds(id, horizon) > 0);
      const cut = later === -1 ? head.page.length : later;
      ready.push(...head.page.slice(0, cut));
      head.page = cut === head.page.length ? await nextPage(head.source) : head.page.slice(cut);
    }
    yield ready.sort((a, b) => compareStreamIds(a.id, b.id));
  }
}

/** Empty when there is no more. */
async function nextPage(source: Pages): Promise<StreamRecord[]> {
  const {value} = await source.next();
  return value ?? [];
}
