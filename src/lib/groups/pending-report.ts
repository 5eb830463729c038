/**
 * What `pending` tells: who of a group holds which entries, for how long and
 * after how many deliveries, from one pass over XPENDING in flat memory. The
 * names of the members are those of the JSON output and therefore a contract.
 */
import type {Field} from '../entry.js';
import {withEntries} from '../reading/lookup.js';
import {firstItems, mapPages} from '../reading/paging.js';
import type {PendingEntry, StreamClient} from '../stream-client.js';

export interface PendingConsumer {
  name: string;
  pending: number;
  oldestIdleMs: number;
  maxDeliveries: number;
}

export interface PendingReport {
  stream: string;
  group: string;
  pending: number;
  lowestId: string | null;
  highestId: string | null;
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
  /** Delivered at least this long ago. */
  minIdleMs?: number;
  minDeliveries?: number;
}

/** Throws `notFound` when there is no such stream or group. */
export async function reportPending(
  client: StreamClient,
  stream: string,
  group: string,
  selection: PendingSelection,
): Promise<PendingReport> {
  const consumers = new Map<string, PendingConsumer>();
  const report: PendingReport = {stream, group, pending: 0, lowestId: null, highestId: null, consumers: []};
  for await (const page of select(client, stream, group, selection)) {
    report.pending += page.length;
    report.lowestId ??= page[0]?.id ?? null;
    report.highestId = page.at(-1)?.id ?? report.highestId;
    for (const {consumer: name, idleMs, deliveries} of page) {
      const known = consumers.get(name) ?? {name, pending: 0, oldestIdleMs: 0, maxDeliveries: 0};
      known.pending += 1;
      known.oldestIdleMs = Math.max(known.oldestIdleMs, idleMs);
      known.maxDeliveries = Math.max(known.maxDeliveries, deliveries);
      consumers.set(name, known);
    }
  }
  report.consumers = [...consumers.values()].sort((a, b) => b.oldestIdleMs - a.oldestIdleMs);
  return report;
}

/** The entries themselves: stream by stream, in the order of their IDs, page by page. Throws `notFound` as above. */
export async function* pendingDetails(
  client: StreamClient,
  streams: readonly string[],
  group: string,
  {payload, count, ...selection}: PendingSelection & {payload: boolean; count: number},
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
  selection: PendingSelection,
): AsyncGenerator<PendingDetail[], void, void> {
  for (const stream of streams) {
    yield* mapPages(select(client, stream, group, selection), (entry) => ({stream, group, ...entry}));
  }
}

async function* select(
  client: StreamClient,
  stream: string,
  group: string,
  {consumer, minIdleMs, minDeliveries = 1}: PendingSelection,
): AsyncGenerator<PendingEntry[], void, void> {
  for await (const page of client.pending(stream, group, {consumer, minIdleMs})) {
    yield page.filter(({deliveries}) => deliveries >= minDeliveries);
  }
}
