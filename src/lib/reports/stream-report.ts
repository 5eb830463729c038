/**
 * What `info` and `group list` tell: one stream seen from outside, put together
 * from XINFO, MEMORY USAGE and a count where Redis keeps none. The names are
 * those of the JSON output and therefore a contract.
 */

import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import {millisecondsOf} from '../stream-id.js';
import {lagOf} from './lag.js';

export interface ConsumerReport {
  name: string;
  pending: number;
  idleMs: number;
  /** Since it last got an entry; absent before Redis 7.2. */
  inactiveMs?: number;
}

export interface GroupReport {
  name: string;
  consumers: number;
  pending: number;
  lag: number;
  /** False when the lag is a lower bound. */
  lagExact: boolean;
  lastDeliveredId: string;
  /** Between the newest entry and the last delivered one. */
  behindMs: number;
  members?: ConsumerReport[];
}

export interface StreamReport {
  stream: string;
  length: number;
  firstId: string | null;
  firstAgeMs: number | null;
  lastId: string | null;
  lastAgeMs: number | null;
  /** The last ID ever given, whether or not its entry is still there. */
  lastGeneratedId: string;
  /** All entries ever added; null before Redis 7.0. */
  entriesAdded: number | null;
  /** As MEMORY USAGE estimates it; null where the server does not say. */
  bytes: number | null;
  groups: GroupReport[];
}

/** Throws `notFound` when there is no such stream. */
export async function reportStream(
  client: StreamClient,
  stream: string,
  {withConsumers = false, nowMs}: {withConsumers?: boolean; nowMs: number},
): Promise<StreamReport> {
  const info = await client.info(stream);
  return {
    stream,
    length: info.length,
    firstId: info.firstEntry?.id ?? null,
    firstAgeMs: ageMs(info.firstEntry?.id, nowMs),
    lastId: info.lastEntry?.id ?? null,
    lastAgeMs: ageMs(info.lastEntry?.id, nowMs),
    lastGeneratedId: info.lastGeneratedId,
    entriesAdded: info.entriesAdded ?? null,
    bytes: (await client.bytes(stream)) ?? null,
    groups: await reportGroups(client, stream, info, withConsumers),
  };
}

/** The groups of `stream`, in the order in which Redis lists them. */
export async function reportGroups(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  withConsumers = false,
): Promise<GroupReport[]> {
  const reports: GroupReport[] = [];
  for (const group of info.groups === 0 ? [] : await client.groups(stream)) {
    const report = await reportGroup(client, stream, info, group);
    if (withConsumers) report.members = await client.consumers(stream, group.name);
    reports.push(report);
  }
  return reports;
}

async function reportGroup(
  client: StreamClient,
  stream: string,
  info: StreamInfo,
  group: GroupInfo,
): Promise<GroupReport> {
  const lag = await lagOf(client, stream, info, group);
  return {
    name: group.name,
    consumers: group.consumers,
    pending: group.pending,
    lag: lag.count,
    lagExact: lag.exact,
    lastDeliveredId: group.lastDeliveredId,
    behindMs: lag.count === 0 ? 0 : behindMs(info, group),
  };
}

/** A group that has read nothing yet is behind by what is still there, not by the time since 1970. */
function behindMs(info: StreamInfo, group: GroupInfo): number {
  const first = info.firstEntry === undefined ? 0 : millisecondsOf(info.firstEntry.id);
  return Math.max(0, millisecondsOf(info.lastGeneratedId) - Math.max(first, millisecondsOf(group.lastDeliveredId)));
}

/** Never negative: clocks differ, and IDs may be given by hand. */
const ageMs = (id: string | undefined, nowMs: number): number | null =>
  id === undefined ? null : Math.max(0, nowMs - millisecondsOf(id));
