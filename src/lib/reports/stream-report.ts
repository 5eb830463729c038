/** What `info` and `group list` show of a stream: XINFO, MEMORY USAGE, and the lag of its groups. */
import {isRefusal, NOT_ALLOWED} from '../errors.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import {behindOf, type MeasuredBehind} from './behind.js';
import {type FirstFacts, firstFacts, type LastFacts, lastFacts} from './end-facts.js';
import {entriesBehind} from './entries-behind.js';
import {consumersOf, MOST_CONSUMERS_LISTED, MOST_CONSUMERS_MEASURED} from './measurable.js';
import {firstUnread} from './oldest-unread.js';

export interface ConsumerReport {
  name: string;
  pending: number;
  idleMs: number;
  /** Since an entry was last delivered to it; absent before Redis 7.2 (redis/redis#11099). */
  inactiveMs?: number;
}

export interface GroupReport extends MeasuredBehind {
  name: string;
  consumers: number;
  pending: number;
  lastDeliveredId: string;
  members?: ConsumerReport[];
}

export interface StreamReport extends FirstFacts, LastFacts {
  stream: string;
  length: number;
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
  /** Called with what is not in the report, as one line for people. */
  onOmitted?: (what: string) => void;
}

/** A report, and what it was made of. */
export interface StreamReading {
  report: StreamReport;
  info: StreamInfo;
  groups: GroupInfo[];
}

/** Throws `notFound` when there is no such stream. */
export async function reportStream(
  client: StreamClient,
  stream: string,
  options: ReportOptions,
): Promise<StreamReport> {
  return (await readStream(client, stream, options)).report;
}

/** The same, with what a later reading is compared to. */
export async function readStream(client: StreamClient, stream: string, options: ReportOptions): Promise<StreamReading> {
  const {nowMs, onOmitted = () => {}} = options;
  const info = await client.info(stream);
  const found = info.groups === 0 ? [] : await client.groups(stream);
  const groups = await reportsOf(client, stream, info, found, options);
  const report: StreamReport = {
    stream,
    length: info.length,
    ...firstFacts(info, nowMs),
    ...lastFacts(info, nowMs),
    lastGeneratedId: info.lastGeneratedId,
    entriesAdded: info.entriesAdded ?? null,
    bytes: await memoryOf(client, stream, groups, onOmitted),
    groups,
  };
  return {report, info, groups: found};
}

/** The groups of `stream`, in the order in which Redis lists them. */
export async function reportGroups(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  options: ReportOptions,
): Promise<GroupReport[]> {
  return reportsOf(client, stream, info, info.groups === 0 ? [] : await client.groups(stream), options);
}

async function reportsOf(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  groups: readonly GroupInfo[],
  {withConsumers = false, nowMs, onOmitted = () => {}}: ReportOptions,
): Promise<GroupReport[]> {
  const ids = groups.map(({lastDeliveredId}) => lastDeliveredId);
  const behind = await entriesBehind(client, stream, info, ids);
  const unread = await firstUnread(client, stream, info, behind);
  const reports = groups.map((group): GroupReport => {
    const {name, consumers, pending, lastDeliveredId} = group;
    return {name, consumers, pending, lastDeliveredId, ...behindOf(info, group, behind, unread, nowMs)};
  });
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

/** MEMORY USAGE; null where it is not known. */
async function memoryOf(
  client: StreamClient,
  stream: string,
  groups: readonly GroupReport[],
  onOmitted: (what: string) => void,
): Promise<number | null> {
  const consumers = consumersOf(groups);
  if (consumers > MOST_CONSUMERS_MEASURED) {
    onOmitted(
      `the memory of stream "${stream}" is not shown: with ${consumers} consumers, to ask for it would block Redis`,
    );
    return null;
  }
  try {
    return (await client.bytes(stream)) ?? null;
  } catch (error) {
    if (!isRefusal(error, NOT_ALLOWED)) throw error;
    onOmitted(`the memory of stream "${stream}" is not shown: ${error.message}`);
    return null;
  }
}
