/**
 * Single entries by their IDs. Redis says nothing of IDs that it does not find;
 * here each one is accounted for. Invariant: found and missing add up to what
 * was asked.
 */
import type {Entry, StreamRecord} from './entry.js';
import {StreamlogError} from './errors.js';
import type {IdReference} from './input/ids.js';
import {pagesOf} from './paging.js';
import type {StreamClient} from './stream-client.js';

/** Lookups under way at once. */
const PAGE = 500;

/** XRANGE id id for each: the entries in the order of `ids`, undefined where there is none. */
export const findEntries = (
  client: StreamClient,
  stream: string,
  ids: readonly string[],
): Promise<(Entry | undefined)[]> => Promise.all(ids.map((id) => findEntry(client, stream, id)));

/** The records that `references` mean, page by page in their order. What is not there is told to `onMissing`. */
export async function* lookUp(
  client: StreamClient,
  references: AsyncIterable<readonly IdReference[]>,
  {stream: defaultStream, onMissing}: {stream: string; onMissing: (stream: string, id: string) => void},
): AsyncGenerator<StreamRecord[], void, void> {
  for await (const page of pagesOf(references, PAGE)) {
    const found = await Promise.all(
      page.map(async ({id, stream = defaultStream}) => ({id, stream, entry: await findEntry(client, stream, id)})),
    );
    const records: StreamRecord[] = [];
    for (const {id, stream, entry} of found) {
      if (entry === undefined) onMissing(stream, id);
      else records.push({stream, ...entry});
    }
    yield records;
  }
}

/** The failure of having found only some. `noStream` would be a guess: a stream may be there and empty. */
export const notAllFound = (missing: number, asked: number): StreamlogError =>
  new StreamlogError('notFound', `${missing} of ${asked} entries were not found`, {
    hint: 'they may be trimmed or deleted, or in another --stream',
  });

async function findEntry(client: StreamClient, stream: string, id: string): Promise<Entry | undefined> {
  for await (const entries of client.range(stream, id, id, 1)) return entries[0];
  return undefined;
}
