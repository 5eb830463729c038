/**
 * Compares a copy with its source, entry by entry, as far as both go back. Invariant: what is counted as the same has the same
 * ID and the same bytes, and every entry of the source up to the last one that was copied is counted, or named.
 */
import type {RecordFilter} from '../filter/record-filter.js';
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
  const originals = new Cursor(
    source.records(names.source, first, lastId),
    (record) => filter?.matches(record) ?? true,
  );
  const copies = new Cursor(target.records(names.target, first, lastId), () => true);
  let same = 0;
  for (;;) {
    const [original, copy] = [await originals.peek(), await copies.peek()];
    if (original === undefined && copy === undefined) return same;
    const order = original === undefined ? 1 : copy === undefined ? -1 : compareStreamIds(original.id, copy.id);
    if (order < 0) throw missingEntry(names, original!.id);
    if (order > 0) {
      // What was deleted from the source after it was copied stays in the copy.
      const {maxDeletedId} = info;
      if (maxDeletedId !== undefined && compareStreamIds(maxDeletedId, copy!.id) < 0)
        throw foreignEntry(names, copy!.id, 'is not in');
      copies.next();
      continue;
    }
    if (!isSame(original!, copy!)) throw foreignEntry(names, copy!.id, 'is another one than that of');
    same++;
    originals.next();
    copies.next();
  }
}

const firstOf = ({firstEntry}: StreamInfo): string => firstEntry?.id ?? FIRST_ID;

/** Records of pages, one after the other. */
class Cursor {
  readonly #pages: AsyncGenerator<StreamRecord[], void, void>;
  readonly #isWanted: (record: StreamRecord) => boolean;
  #page: readonly StreamRecord[] = [];
  #at = 0;

  constructor(pages: AsyncGenerator<StreamRecord[], void, void>, isWanted: (record: StreamRecord) => boolean) {
    this.#pages = pages;
    this.#isWanted = isWanted;
  }

  /** Undefined at the end. */
  async peek(): Promise<StreamRecord | undefined> {
    for (;;) {
      for (; this.#at < this.#page.length; this.#at++)
        if (this.#isWanted(this.#page[this.#at]!)) return this.#page[this.#at];
      const {value} = await this.#pages.next();
      if (value === undefined) return undefined;
      this.#page = value;
      this.#at = 0;
    }
  }

  next(): void {
    this.#at++;
  }
}
