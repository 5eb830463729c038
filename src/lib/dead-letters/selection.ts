/**
 * Selects dead letters, and deletes them for `dlq purge`. Invariant: never more than what was there when the selection began,
 * so that an entry that is put back and fails again is not seen twice.
 */
import {StreamlogError} from '../errors.js';
import type {Search} from '../filter/search.js';
import type {IdReference} from '../input/id-reader.js';
import {withCommas} from '../number-text.js';
import {counted} from '../output/sentences.js';
import {findInfo} from '../reading/locate.js';
import {lookUp} from '../reading/lookup.js';
import {firstItems, pagesOf} from '../reading/paging.js';
import {type Between, idsBetween} from '../reading/stream-range.js';
import type {Entry, StreamRecord} from '../records/entry.js';
import {compareStreamIds, earlierId, FIRST_ID, LAST_ID, predecessorOf} from '../records/stream-id.js';
import type {StreamClient} from '../stream-client.js';

/** Which dead letters are meant: those that were moved there between `since` and `until`, and as follows. */
export interface DeadLetterSelection extends Between {
  /** Which entries are wanted, and how many. */
  search: Search;
  /** No more than so many of these. */
  most?: number | undefined;
  /** Only what has an ID up to this one. */
  upTo?: string | undefined;
  /** Only what was moved there before this time, in Unix milliseconds. */
  beforeMs?: number | undefined;
  /** Only these, in place of all. */
  ids?: AsyncIterable<IdReference[]>;
  /** Told of an ID that is not there. */
  onMissing: (id: string) => void;
}

/** The failure of having been asked for dead letters that are not there. */
export const deadLettersMissing = (ids: readonly string[], deadLetter: string): StreamlogError =>
  new StreamlogError(
    'notFound',
    `${ids.length === 1 ? `${ids[0]} is` : `${ids.length} of the IDs are`} not in "${deadLetter}"`,
    {
      hint: 'they may be redriven or purged already; dead letters have IDs of their own, see: streamlog dlq show',
    },
  );

/**
 * XRANGE: the entries of `deadLetter` that are meant, oldest first or in the
 * order of the IDs, page by page. None when there is no such stream. Throws
 * `data` for a record of another stream.
 */
export async function* selectDeadLetters(
  client: StreamClient,
  deadLetter: string,
  {search, most = Number.POSITIVE_INFINITY, ids, onMissing, ...between}: DeadLetterSelection,
): AsyncGenerator<StreamRecord[], void, void> {
  const newest = (await findInfo(client, deadLetter))?.lastGeneratedId ?? FIRST_ID;
  const bounds = await idBounds(client, deadLetter, between, newest);
  const all =
    ids === undefined
      ? recordsWithin(client, deadLetter, bounds)
      : within(named(client, deadLetter, ids, onMissing), bounds);
  yield* firstItems(search.of(all), most);
}

/** XRANGE of what is between the two, and of what is added while it is read: only what is moved could be seen twice. */
export async function* deadLettersBetween(
  client: StreamClient,
  deadLetter: string,
  between: Between,
): AsyncGenerator<StreamRecord[], void, void> {
  const ids = await idsBetween(client, deadLetter, between, LAST_ID);
  if (ids !== undefined) yield* client.records(deadLetter, ids.first, ids.last);
}

async function* recordsWithin(
  client: StreamClient,
  deadLetter: string,
  {first, last}: IdBounds,
): AsyncGenerator<StreamRecord[], void, void> {
  if (compareStreamIds(first, last) <= 0) yield* client.records(deadLetter, first, last);
}

/** Both included; nothing is between them where the first one is after the last. */
interface IdBounds {
  first: string;
  last: string;
}

async function idBounds(
  client: StreamClient,
  deadLetter: string,
  {since, until, upTo, beforeMs}: Pick<DeadLetterSelection, 'since' | 'until' | 'upTo' | 'beforeMs'>,
  newest: string,
): Promise<IdBounds> {
  const ids = await idsBetween(client, deadLetter, {since, until}, newest);
  if (ids === undefined) return {first: LAST_ID, last: FIRST_ID};
  const before = beforeMs === undefined ? newest : lastIdBefore(beforeMs);
  return {first: ids.first, last: [newest, ids.last, upTo ?? newest, before].reduce(earlierId)};
}

async function* named(
  client: StreamClient,
  deadLetter: string,
  ids: AsyncIterable<IdReference[]>,
  onMissing: (id: string) => void,
): AsyncGenerator<StreamRecord[], void, void> {
  const references = ofStream(deadLetter, ids);
  yield* lookUp(client, references, {stream: deadLetter, onMissing: (_, id) => onMissing(id)});
}

/** A record that was printed from where the entry lived has the ID of something else here. */
async function* ofStream(
  deadLetter: string,
  batches: AsyncIterable<IdReference[]>,
): AsyncGenerator<IdReference[], void, void> {
  for await (const batch of batches) {
    for (const {id, stream = deadLetter} of batch) {
      if (stream === deadLetter) continue;
      throw new StreamlogError('data', `entry ${id} is of stream "${stream}", not of "${deadLetter}"`, {
        hint: 'dead letters have IDs of their own, see: streamlog dlq show; or give --dead-letter',
      });
    }
    yield batch;
  }
}

async function* within(
  pages: AsyncIterable<StreamRecord[]>,
  {first, last}: IdBounds,
): AsyncGenerator<StreamRecord[], void, void> {
  for await (const page of pages)
    yield page.filter(({id}) => compareStreamIds(id, first) >= 0 && compareStreamIds(id, last) <= 0);
}

const lastIdBefore = (ms: number): string => predecessorOf(`${Math.max(0, ms)}-0`) ?? FIRST_ID;

/** What is asked before `count` of `all` dead letters are deleted. */
export const askPurge = (deadLetter: string, count: number, all: number): string =>
  `this deletes ${withCommas(count)} of ${counted(all, 'dead letter')} in ${deadLetter} for good. Delete them?`;

/** IDs in one XDEL at most, so that none holds Redis up. */
const MAX_IDS = 500;

export class Purger {
  purged = 0;
  /** The highest ID of those. */
  highest = FIRST_ID;
  readonly #client: StreamClient;
  readonly #options: {deadLetter: string; dryRun: boolean; stopping: AbortSignal};

  constructor(client: StreamClient, options: {deadLetter: string; dryRun: boolean; stopping: AbortSignal}) {
    this.#client = client;
    this.#options = options;
  }

  /** XDEL of them all, until `stopping`. */
  async purge(pages: AsyncIterable<Entry[]>): Promise<void> {
    const {deadLetter, dryRun, stopping} = this.#options;
    for await (const page of pagesOf(pages, {count: MAX_IDS})) {
      if (stopping.aborted) return;
      const ids = page.map(({id}) => id);
      for (const id of ids) if (compareStreamIds(id, this.highest) > 0) this.highest = id;
      this.purged += dryRun ? ids.length : await this.#client.delete(deadLetter, ids);
    }
  }
}
