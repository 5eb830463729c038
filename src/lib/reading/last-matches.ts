/**
 * Where the last entries begin that a search wants: read from the end back. Invariant: what is added meanwhile lies behind
 * that ID, and no more than a page is in memory.
 */
import type {Search} from '../filter/search.js';
import {FIRST_ID, LAST_ID, successorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';

/** XREVRANGE: the ID of the oldest match or, without one, the first ID behind what was looked at. */
export async function lastMatches(client: StreamClient, stream: string, search: Search): Promise<string> {
  let newest: string | undefined;
  let oldest: string | undefined;
  const pages = client.records(stream, FIRST_ID, LAST_ID, {reverse: true});
  for await (const found of search.of(noted(pages, (id) => (newest ??= id)))) oldest = found.at(-1)!.id;
  if (oldest !== undefined) return oldest;
  return newest === undefined ? FIRST_ID : (successorOf(newest) ?? LAST_ID);
}

async function* noted<T extends {id: string}>(
  pages: AsyncIterable<T[]>,
  onFirst: (id: string) => void,
): AsyncGenerator<T[], void, void> {
  for await (const page of pages) {
    onFirst(page[0]!.id);
    yield page;
  }
}
