/**
 * The streams of a server, a line each, for `ls`. Invariant: what is not known is null or absent, never 0; the cost of a stream
 * does not grow with its size.
 */

import {deadLetterKey} from '../colocated-key.js';
import {unlessRefused} from '../errors.js';
import {pipelined} from '../pipelined.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import {type Behind, UNKNOWN} from './behind.js';
import {lastFacts} from './end-facts.js';
import {COUNTED_TOGETHER, ListLags} from './list-lag.js';
import {consumersOf, MOST_CONSUMERS_MEASURED} from './measurable.js';
import {Omissions} from './omissions.js';
import {type ScannedStream, scannedStreams} from './stream-scan.js';

/** The dead letter stream of a stream. */
export interface DeadLetters {
  stream: string;
  /** 0 where there is no such stream. */
  length: number;
}

/** The lag is that of the group that is furthest behind; all null where there are no groups. */
export interface StreamSummary extends Behind {
  name: string;
  length: number;
  groups: number;
  /** Null for an empty stream; absent where its entries are too large to be read for a list. */
  lastId?: string | null | undefined;
  /** Since the last entry that is still there; as `lastId`. */
  lastAgeMs?: number | null | undefined;
  /** Only where the ID of the last entry is ahead of the clock: by how much. */
  lastAheadMs?: number | undefined;
  /** Of all groups; null where the user may not ask. */
  pending: number | null;
  /** Null where the user may not ask. */
  deadLetters: DeadLetters | null;
  /** As MEMORY USAGE estimates it, null where it is not known; absent where it was not asked for. */
  bytes?: number | null | undefined;
}

export interface ListOptions {
  match?: string | undefined;
  /** Also the memory of each stream. */
  withBytes?: boolean;
  now: () => number;
  omissions?: Omissions;
}

/** All streams whose names match the glob `match`, page by page in no order. */
export async function* listStreams(
  client: StreamClient,
  {match, withBytes = false, now, omissions = new Omissions()}: ListOptions,
): AsyncGenerator<StreamSummary[], void, void> {
  const lags = new ListLags(client);
  for await (const page of scannedStreams(client, {match, omissions})) {
    const nowMs = now();
    omissions.large += page.filter(({ends}) => ends === undefined).length;
    const behind = await pipelined(page, (stream) => worstOf(lags, stream, nowMs), COUNTED_TOGETHER);
    const dead = await pipelined(page, ({name}) => unlessRefused(deadLettersOf(client, name)));
    const bytes = withBytes ? await pipelined(page, (stream) => bytesOf(client, stream)) : [];
    yield page.map((stream, at) => ({
      ...summaryOf(stream, nowMs),
      ...behind[at]!,
      deadLetters: dead[at] ?? null,
      ...(withBytes ? {bytes: bytes[at]!} : {}),
    }));
  }
}

function summaryOf({name, length, groups, groupCount, ends}: ScannedStream, nowMs: number) {
  const pending = groups === undefined ? null : groups.reduce((sum, group) => sum + group.pending, 0);
  const summary = {name, length, groups: groupCount, pending};
  return ends === undefined ? summary : {...summary, ...lastFacts(ends, nowMs)};
}

/** Of the group that was delivered least: it has the largest lag, and the oldest entry that was not read. */
async function worstOf(lags: ListLags, stream: ScannedStream, nowMs: number): Promise<Behind> {
  const {groups = []} = stream;
  const furthest = groups.reduce<GroupInfo | undefined>(
    (worst, group) =>
      worst === undefined || compareStreamIds(group.lastDeliveredId, worst.lastDeliveredId) < 0 ? group : worst,
    undefined,
  );
  if (furthest === undefined) return UNKNOWN;
  const behind = await unlessRefused(lags.of(stream, [furthest], nowMs));
  return behind?.[0] ?? UNKNOWN;
}

async function deadLettersOf(client: StreamClient, name: string): Promise<DeadLetters> {
  const stream = deadLetterKey(name);
  return {stream, length: await client.length(stream)};
}

async function bytesOf(client: StreamClient, {name, groups}: ScannedStream): Promise<number | null> {
  if (consumersOf(groups) > MOST_CONSUMERS_MEASURED) return null;
  return (await unlessRefused(client.bytes(name))) ?? null;
}
