/** What `info` and `group list` show of a stream: XINFO, MEMORY USAGE, and the lag of its groups. */
import {isFailure} from '../errors.js';
import {ageMs, aheadMs} from '../records/entry-time.js';
import {millisecondsOf} from '../records/stream-id.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import {type Lag, type LagFacts, lagFacts, lagsOf} from './lag.js';

export interface ConsumerReport {
  name: string;
  pending: number;
  idleMs: number;
  /** Since an entry was last delivered to it; absent before Redis 7.2 (redis/redis#11099). */
  inactiveMs?: number;
}

export interface GroupReport extends LagFacts {
  name: string;
  consumers: number;
  pending: number;
  lastDeliveredId: string;
  /** Between the newest entry that is there and the last delivered one. */
  behindMs: number;
  members?: ConsumerReport[];
}

export interface StreamReport {
  stream: string;
  length: number;
  firstId: string | null;
  firstAgeMs: number | null;
  /** Only where the ID is ahead of the clock: by how much. */
  firstAheadMs?: number | undefined;
  lastId: string | null;
  lastAgeMs: number | null;
  lastAheadMs?: number | undefined;
  /** The last ID ever given, whether or not its entry is still there. */
  lastGeneratedId: string;
  /** All entries ever added; null before Redis 7.0. */
  entriesAdded: number | null;
  /** As MEMORY USAGE estimates it; null where the server does not say. */
  bytes: number | null;
  groups: GroupReport[];
}

export interface ReportOptions {
  withConsumers?: boolean;
  nowMs: number;
  /** Told of what is not in the report, as one line for people. */
  onOmitted?: (what: string) => void;
}

/** Throws `notFound` when there is no such stream. */
export async function reportStream(
  client: StreamClient,
  stream: string,
  {withConsumers = false, nowMs, onOmitted = () => {}}: ReportOptions,
): Promise<StreamReport> {
  const info = await client.info(stream);
  const groups = await reportGroups(client, stream, info, {withConsumers, onOmitted});
  const [firstId, lastId] = [info.firstEntry?.id, info.lastEntry?.id];
  return {
    stream,
    length: info.length,
    firstId: firstId ?? null,
    firstAgeMs: firstId === undefined ? null : ageMs(firstId, nowMs),
    firstAheadMs: firstId === undefined ? undefined : aheadMs(firstId, nowMs),
    lastId: lastId ?? null,
    lastAgeMs: lastId === undefined ? null : ageMs(lastId, nowMs),
    lastAheadMs: lastId === undefined ? undefined : aheadMs(lastId, nowMs),
    lastGeneratedId: info.lastGeneratedId,
    entriesAdded: info.entriesAdded ?? null,
    bytes: await memoryOf(client, stream, groups, onOmitted),
    groups,
  };
}

/** The groups of `stream`, in the order in which Redis lists them. */
export async function reportGroups(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  {withConsumers = false, onOmitted = () => {}}: Omit<ReportOptions, 'nowMs'> = {},
): Promise<GroupReport[]> {
  const groups = info.groups === 0 ? [] : await client.groups(stream);
  const lags = await lagsOf(client, stream, info, groups);
  const reports = groups.map((group, index) => reportGroup(info, group, lags[index]!));
  if (withConsumers) {
    for (const report of reports) {
      if (report.consumers <= MOST_CONSUMERS_LISTED) report.members = await client.consumers(stream, report.name);
      else
        onOmitted(
          `the ${report.consumers} consumers of group "${report.name}" are not listed: to ask for them would block Redis`,
        );
    }
  }
  return reports;
}

const reportGroup = (info: StreamInfo, group: GroupInfo, lag: Lag): GroupReport => ({
  name: group.name,
  consumers: group.consumers,
  pending: group.pending,
  ...lagFacts(lag),
  lastDeliveredId: group.lastDeliveredId,
  behindMs: lag.atMost === 0 ? 0 : behindMs(info, group),
});

/**
 * Up to the newest entry that is there: the last ID that was given may be of one that is gone. A group that has
 * read nothing yet is behind by what is still there, not by the time since 1970.
 */
function behindMs({firstEntry, lastEntry}: StreamInfo, {lastDeliveredId}: GroupInfo): number {
  if (firstEntry === undefined || lastEntry === undefined) return 0;
  const from = Math.max(millisecondsOf(firstEntry.id), millisecondsOf(lastDeliveredId));
  return Math.max(0, millisecondsOf(lastEntry.id) - from);
}

/** MEMORY USAGE; null where it is not known. */
async function memoryOf(
  client: StreamClient,
  stream: string,
  groups: readonly GroupReport[],
  onOmitted: (what: string) => void,
): Promise<number | null> {
  const consumers = groups.reduce((sum, group) => sum + group.consumers, 0);
  if (consumers > MOST_CONSUMERS_MEASURED) {
    onOmitted(
      `the memory of stream "${stream}" is not shown: with ${consumers} consumers, to ask for it would block Redis`,
    );
    return null;
  }
  try {
    return (await client.bytes(stream)) ?? null;
  } catch (error) {
    if (!isFailure(error, 'denied') && !isFailure(error, 'configuration')) throw error;
    onOmitted(`the memory of stream "${stream}" is not shown: ${error.message}`);
    return null;
  }
}

/** XINFO CONSUMERS cannot be paged, and 10,000 consumers take 10 ms. */
const MOST_CONSUMERS_LISTED = 4_000;
/** MEMORY USAGE looks at each consumer, and 10,000 of them take 2 ms. */
const MOST_CONSUMERS_MEASURED = 20_000;
