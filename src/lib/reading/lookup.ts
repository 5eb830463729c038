/**
 * Single entries by their IDs. Redis says nothing of IDs that it does not find;
 * here each one is accounted for. Invariant: found and missing add up to what
 * was asked.
 */

import {isFailure, isNoStream, StreamlogError} from '../errors.js';
import type {IdReference} from '../input/id-reader.js';
import type {Entry, StreamRecord} from '../records/entry.js';
import type {StreamClient} from '../stream-client.js';
import {PageSize} from './page-size.js';
import {mapPages, pagesOf} from './paging.js';

/** Lookups under way at once. */
const PAGE = 500;

/** The records that `references` mean, page by page in their order. Missing ones are reported to `onMissing`. */
export async function* lookUp(
  client: StreamClient,
  references: AsyncIterable<readonly IdReference[]>,
  {stream: defaultStream, onMissing}: {stream: string; onMissing: (stream: string, id: string) => void},
): AsyncGenerator<StreamRecord[], void, void> {
  const wanted = mapPages(references, ({id, stream = defaultStream}) => ({id, stream}));
  for await (const page of withEntries(client, wanted)) {
    const records: StreamRecord[] = [];
    for (const [{id, stream}, entry] of page) {
      if (entry === undefined) onMissing(stream, id);
      else records.push({stream, ...entry});
    }
    yield records;
  }
}

/** XRANGE id id for each of `wanted`: in their order, each with its entry, or undefined where there is none. */
export async function* withEntries<Wanted extends {stream: string; id: string}>(
  client: StreamClient,
  wanted: AsyncIterable<readonly Wanted[]> | Iterable<readonly Wanted[]>,
): AsyncGenerator<[Wanted, Entry | undefined][], void, void> {
  const size = new PageSize(PAGE);
  for await (const page of pagesOf(wanted, size)) {
    const found = await Promise.all(page.map((one) => findEntry(client, one.stream, one.id)));
    size.adapt(found.filter((entry) => entry !== undefined));
    yield page.map((one, index) => [one, found[index]]);
  }
}

/** Those of `ids` that are there. */
export async function presentIds(client: StreamClient, stream: string, ids: readonly string[]): Promise<string[]> {
  const present: string[] = [];
  for await (const page of withEntries(client, [ids.map((id) => ({stream, id}))]))
    for (const [{id}, entry] of page) if (entry !== undefined) present.push(id);
  return present;
}

/** The failure of having found only some of what was asked for, or the first of `streams` that does not exist. */
export async function notAllFound(
  client: StreamClient,
  streams: Iterable<string>,
  missing: number,
  asked: number,
): Promise<StreamlogError> {
  for (const stream of streams) {
    const failure = await noSuchStream(client, stream);
    if (failure !== undefined) return failure;
  }
  return new StreamlogError(
    'notFound',
    `${missing} of ${asked} ${asked === 1 ? 'entry' : 'entries'} ${missing === 1 ? 'was' : 'were'} not found`,
    {
      hint: 'they may be trimmed or deleted, or in another --stream',
    },
  );
}

/** A stream may be there and empty, so XLEN does not tell. Undefined also for a user who may not look. */
async function noSuchStream(client: StreamClient, stream: string): Promise<StreamlogError | undefined> {
  try {
    if ((await client.length(stream)) === 0) await client.groups(stream);
  } catch (error) {
    if (isNoStream(error)) return error;
    if (!isFailure(error, 'denied')) throw error;
  }
  return undefined;
}

async function findEntry(client: StreamClient, stream: string, id: string): Promise<Entry | undefined> {
  for await (const entries of client.range(stream, id, id, 1)) return entries[0];
  return undefined;
}
