/**
 * What `pending` reports: which consumers of a group hold which entries, for how long and after how many deliveries.
 * XPENDING counts for each consumer; all else takes a walk over the list, which is made where the list is short, or with
 * `exact`. Invariant: each figure is exact, or has a name that says that it is a bound, or is absent.
 */
import {unlessRefused} from '../errors.js';
import {withEntries} from '../reading/lookup.js';
import {firstItems, mapPages} from '../reading/paging.js';
import {type Between, idsBetween} from '../reading/stream-range.js';
import type {Field} from '../records/entry.js';
import {LAST_ID} from '../records/stream-id.js';
import type {GroupInfo, PendingEntry, StreamClient} from '../stream-client.js';

/** What is known of a consumer when all that it has was looked at, or else what the entries say that were. */
export interface PendingConsumer {
  name: string;
  pending: number;
  /** Null when all that it has was given back. */
  oldestIdleMs?: number | null;
  maxDeliveries?: number | bigint;
  /** Entries that `nack` has given back, for the next claim; they count as pending, and not as idle. Absent for none. */
  givenBack?: number;
  oldestIdleAtLeastMs?: number | null;
  maxDeliveriesAtLeast?: number | bigint;
  givenBackAtLeast?: number;
}

export interface PendingReport {
  stream: string;
  group: string;
  pending: number;
  givenBack?: number;
  givenBackAtLeast?: number;
  lowestId: string | null;
  /** Absent where only some of what one consumer has was looked at. */
  highestId?: string | null;
  /** The one that holds an entry the longest comes first. */
  consumers: PendingConsumer[];
}

export interface PendingDetail extends PendingEntry {
  stream: string;
  group: string;
  /** With payload only; null when the entry was trimmed or deleted while it was pending. */
  fields?: readonly Field[] | null;
}

/** Which pending entries are meant; undefined takes them all. */
export interface PendingSelection {
  consumer?: string;
  /** Delivered at least this long ago, or given back. */
  minIdleMs?: number;
  minDeliveries?: number;
}

/** Up to here all entries are looked at: some 10 ms. */
const SHORT_LIST = 10_000;
/** XPENDING's summary takes Redis 3 ms for so many consumers; above, a walk takes less at a time. */
const MANY_CONSUMERS = 5_000;
/** Of a long list, so many entries of so many consumers are looked at: those with the lowest IDs, of those that have the most. */
const SAMPLE = {consumers: 100, entries: 100};

/**
 * Who has what. Of a long list only the counts are exact, unless `exact` has all
 * of it looked at, or a selection needs that. Throws `notFound` when there is no
 * such stream or group.
 */
export async function reportPending(
  client: StreamClient,
  stream: string,
  group: string,
  {exact, ...selection}: PendingSelection & {exact: boolean},
): Promise<PendingReport> {
  const {consumer, minIdleMs, minDeliveries} = selection;
  if (!exact && minIdleMs === undefined && minDeliveries === undefined) {
    const known = await groupOf(client, stream, group);
    if (known !== undefined && known.pending > SHORT_LIST && known.consumers <= MANY_CONSUMERS)
      return sample(client, stream, group, consumer);
  }
  return walk(client, stream, group, selection);
}

/** Looks at every entry. */
async function walk(
  client: StreamClient,
  stream: string,
  group: string,
  selection: PendingSelection,
): Promise<PendingReport> {
  const tallies = new Map<string, Tally>();
  const report = {pending: 0, givenBack: 0, lowestId: null as string | null, highestId: null as string | null};
  for await (const page of select(client, stream, group, selection)) {
    report.pending += page.length;
    report.lowestId ??= page[0]?.id ?? null;
    report.highestId = page.at(-1)?.id ?? report.highestId;
    for (const entry of page) {
      if (entry.givenBack) report.givenBack++;
      // XNACK has taken it from its consumer.
      if (entry.idleMs < 0) continue;
      const tally = tallies.get(entry.consumer) ?? new Tally();
      tally.add(entry);
      tallies.set(entry.consumer, tally);
    }
  }
  const consumers = [...tallies].map(([name, tally]) => ({name, pending: tally.pending, ...exactFacts(tally)}));
  consumers.sort((a, b) => byIdle(a.oldestIdleMs, b.oldestIdleMs));
  const {pending, lowestId, highestId} = report;
  return {stream, group, pending, ...someOf('givenBack', report.givenBack), lowestId, highestId, consumers};
}

/** XPENDING's summary, and what the first entries of each consumer say. */
async function sample(
  client: StreamClient,
  stream: string,
  group: string,
  only: string | undefined,
): Promise<PendingReport> {
  const summary = await client.pendingSummary(stream, group);
  const found = summary.consumers.filter(({name}) => only === undefined || name === only);
  const most = found.sort((a, b) => b.count - a.count);
  let givenBackAtLeast = 0;
  const consumers = await Promise.all(
    most.map(async ({name, count}, index): Promise<PendingConsumer> => {
      if (index >= SAMPLE.consumers) return {name, pending: count};
      const tally = new Tally();
      const page = await client.pendingPage(stream, group, {consumer: name, count: SAMPLE.entries});
      for (const entry of page) tally.add(entry);
      givenBackAtLeast += tally.givenBack;
      // Where all was looked at, it is known.
      return {name, pending: count, ...(page.length < SAMPLE.entries ? exactFacts(tally) : boundFacts(tally))};
    }),
  );
  const idleOf = (consumer: PendingConsumer): number | null | undefined =>
    consumer.oldestIdleMs ?? consumer.oldestIdleAtLeastMs;
  consumers.sort((a, b) => byIdle(idleOf(a), idleOf(b)));
  if (only === undefined) {
    const {count, lowestId = null, highestId = null} = summary;
    return {
      stream,
      group,
      pending: count,
      ...someOf('givenBackAtLeast', givenBackAtLeast),
      lowestId,
      highestId,
      consumers,
    };
  }
  const [lowest] = await client.pendingPage(stream, group, {consumer: only, count: 1});
  const pending = consumers[0]?.pending ?? 0;
  return {
    stream,
    group,
    pending,
    ...someOf('givenBackAtLeast', givenBackAtLeast),
    lowestId: lowest?.id ?? null,
    consumers,
  };
}

/** What entries of one consumer come to. */
class Tally {
  pending = 0;
  /** Null while each was given back. */
  oldestIdleMs: number | null = null;
  maxDeliveries: number | bigint = 0;
  givenBack = 0;

  add({idleMs, deliveries, exactDeliveries, givenBack}: PendingEntry): void {
    this.pending++;
    if (givenBack) this.givenBack++;
    else this.oldestIdleMs = Math.max(this.oldestIdleMs ?? 0, idleMs);
    const exact = exactDeliveries ?? deliveries;
    if (exact > this.maxDeliveries) this.maxDeliveries = exact;
  }
}

const exactFacts = ({oldestIdleMs, maxDeliveries, givenBack}: Tally) => ({
  oldestIdleMs,
  maxDeliveries,
  ...someOf('givenBack', givenBack),
});

const boundFacts = ({oldestIdleMs, maxDeliveries, givenBack}: Tally) => ({
  oldestIdleAtLeastMs: oldestIdleMs,
  maxDeliveriesAtLeast: maxDeliveries,
  ...someOf('givenBackAtLeast', givenBack),
});

const someOf = <Name extends string>(name: Name, count: number): {[name in Name]?: number} =>
  count === 0 ? {} : ({[name]: count} as {[name in Name]?: number});

const byIdle = (a: number | null | undefined, b: number | null | undefined): number => (b ?? -1) - (a ?? -1);

/** XINFO GROUPS; undefined for one who may not ask, and where there is no such group: what is not there, XPENDING names best. */
const groupOf = (client: StreamClient, stream: string, group: string): Promise<GroupInfo | undefined> =>
  unlessRefused(client.group(stream, group), ['denied', 'notFound']);

/** The entries themselves: stream by stream, in the order of their IDs, page by page. Throws `notFound` as above. */
export async function* pendingDetails(
  client: StreamClient,
  streams: readonly string[],
  group: string,
  {
    payload,
    count = Number.POSITIVE_INFINITY,
    ...selection
  }: PendingSelection & Between & {payload: boolean; count: number | undefined},
): AsyncGenerator<PendingDetail[], void, void> {
  const details = firstItems(detailsOf(client, streams, group, selection), count);
  if (!payload) yield* details;
  else {
    yield* mapPages(withEntries(client, details), ([detail, entry]) => ({...detail, fields: entry?.fields ?? null}));
  }
}

async function* detailsOf(
  client: StreamClient,
  streams: readonly string[],
  group: string,
  {since, until, ...selection}: PendingSelection & Between,
): AsyncGenerator<PendingDetail[], void, void> {
  for (const stream of streams) {
    const ids = await idsBetween(client, stream, {since, until}, LAST_ID);
    if (ids === undefined) continue;
    yield* mapPages(select(client, stream, group, selection, ids), (entry) => ({stream, group, ...entry}));
  }
}

async function* select(
  client: StreamClient,
  stream: string,
  group: string,
  {consumer, minIdleMs, minDeliveries}: PendingSelection,
  {first, last}: {first?: string; last?: string} = {},
): AsyncGenerator<PendingEntry[], void, void> {
  for await (const page of client.pending(stream, group, {consumer, minIdleMs}, first, last)) {
    // Counts of 0 and below are counts too: XCLAIM RETRYCOUNT 0, XNACK SILENT.
    yield minDeliveries === undefined ? page : page.filter(({deliveries}) => deliveries >= minDeliveries);
  }
}
