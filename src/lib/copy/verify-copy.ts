/**
 * Compares a copy with its source, entry by entry, as far as both go back. Invariant: what is counted as the same has the same
 * ID and the same bytes, and every entry of the source up to the last one that was copied is counted, or named.
 */
import type {RecordFilter} from '../filter/record-filter.js';
import {PagedItems} from '../reading/paging.js';
import {isSame} from '../reading/stream-change.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, FIRST_ID, laterId} from '../records/stream-id.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import {type CopyNames, foreignEntry, missingEntry} from './copy-failures.js';

export interface Verification {
  names: CopyNames;
  /** Clients of their own: pages are read one after the other. */
  source: StreamClient;
  target: StreamClient;
  filter: RecordFilter | undefined;
  /** Nothing up to here was wanted. */
  begin: string;
  /** Up to here the target is a copy. */
  lastId: string;
}

/** How many entries are the same. Throws `data` for the first one that is not. */
export async function verifyCopy({names, source, target, filter, begin, lastId}: Verification): Promise<number> {
  const info = await source.info(names.source);
  const first = laterId(firstOf(info), laterId(firstOf(await target.info(names.target)), begin));
  const originals = new PagedItems(wantedOf(source.records(names.source, first, lastId), filter));
  const copies = new PagedItems(target.records(names.target, first, lastId));
  let [original, copy] = [await originals.next(), await copies.next()];
  for (let same = 0; ; ) {
    if (original === undefined && copy === undefined) return same;
    const order = original === undefined ? 1 : copy === undefined ? -1 : compareStreamIds(original.id, copy.id);
    if (order < 0) throw missingEntry(names, original!.id);
    if (order > 0) {
      // What was deleted from the source after it was copied stays in the copy.
      const {maxDeletedId} = info;
      if (maxDeletedId !== undefined && compareStreamIds(maxDeletedId, copy!.id) < 0)
        throw foreignEntry(names, copy!.id, 'is not in');
      copy = await copies.next();
      continue;
    }
    if (!isSame(original!, copy!)) throw foreignEntry(names, copy!.id, 'is another one than that of');
    same++;
    [original, copy] = [await originals.next(), await copies.next()];
  }
}

async function* wantedOf(
  pages: AsyncGenerator<StreamRecord[], void, void>,
  filter: RecordFilter | undefined,
): AsyncGenerator<StreamRecord[], void, void> {
  for await (const page of pages) yield filter === undefined ? page : page.filter((record) => filter.matches(record));
}

const firstOf = ({firstEntry}: StreamInfo): string => firstEntry?.id ?? FIRST_ID;
