/**
 * Entries by IDs that ascend, in any order of the caller's work: neighbours are
 * read together, as one XRANGE from the first that is wanted, while that brings
 * mostly what is wanted; where the IDs lie far apart, one by one. Invariant: each
 * entry that is there comes out once, in the order of the IDs, and no more than a page is in memory.
 */
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';
import type {PageSize} from './page-size.js';

/** Reading together pays while at least one in so many was wanted. */
const LEAST_SHARE = 4;

/** XRANGE of `ids`, which ascend: pages of those that are there. `size` learns how large they are. */
export async function* entriesById(
  client: StreamClient,
  stream: string,
  ids: readonly string[],
  size: PageSize,
): AsyncGenerator<StreamRecord[], void, void> {
  const wanted = new Set(ids);
  let isDense = true;
  for (let at = 0; at < ids.length; ) {
    const count = Math.min(size.count, ids.length - at);
    if (!isDense) {
      const found = await Promise.all(ids.slice(at, at + count).map((id) => client.recordPage(stream, id, id, 1)));
      size.adapt(found.flat());
      yield found.flat();
      at += count;
      isDense = true;
      continue;
    }
    const page = await client.recordPage(stream, ids[at]!, ids.at(-1)!, count);
    const found = page.filter(({id}) => wanted.has(id));
    size.adapt(page);
    if (found.length > 0) yield found;
    const last = page.length < count ? undefined : page.at(-1)!.id;
    if (last === undefined) return;
    while (at < ids.length && compareStreamIds(ids[at]!, last) <= 0) at++;
    isDense = found.length * LEAST_SHARE >= page.length;
  }
}
