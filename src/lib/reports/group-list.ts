/** The groups of all streams of a server, for `group list`. Invariant: what is not known is null, never 0. */
import {pipelined} from '../pipelined.js';
import type {GroupInfo, StreamClient} from '../stream-client.js';
import type {Behind} from './behind.js';
import {COUNTED_TOGETHER, ListLags} from './list-lag.js';
import type {Omissions} from './omissions.js';
import {type ScannedStream, scannedStreams} from './stream-scan.js';

/** A group under the names of the JSON output, which are a contract. */
export interface GroupSummary extends Behind {
  stream: string;
  group: string;
  consumers: number;
  pending: number;
  lastDeliveredId: string;
}

export interface GroupListOptions {
  now: () => number;
  omissions: Omissions;
}

/** Those of one stream after those of another, page by page in no order. */
export async function* listGroups(
  client: StreamClient,
  {now, omissions}: GroupListOptions,
): AsyncGenerator<GroupSummary[], void, void> {
  const lags = new ListLags(client);
  const groupsOf = async (stream: ScannedStream): Promise<GroupSummary[]> => {
    const {groups, name} = stream;
    try {
      if (groups !== undefined) return summaries(name, groups, await lags.of(stream, groups, now()));
      omissions.denied++;
    } catch (error) {
      omissions.omit(error, client.server.isCluster);
    }
    return [];
  };
  for await (const page of scannedStreams(client, {omissions})) {
    yield (await pipelined(page, groupsOf, COUNTED_TOGETHER)).flat();
  }
}

/** By stream, then by group; a group that SCAN has named twice comes once. */
export function inOrderOfNames(groups: readonly GroupSummary[]): GroupSummary[] {
  const byName = groups.toSorted((one, other) => compare(one.stream, other.stream) || compare(one.group, other.group));
  return byName.filter((group, at) => {
    const before = byName[at - 1];
    return before === undefined || before.stream !== group.stream || before.group !== group.group;
  });
}

const compare = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

const summaries = (stream: string, groups: readonly GroupInfo[], behind: readonly Behind[]): GroupSummary[] =>
  groups.map(({name: group, consumers, pending, lastDeliveredId}, at) => ({
    stream,
    group,
    consumers,
    pending,
    lastDeliveredId,
    ...behind[at]!,
  }));
