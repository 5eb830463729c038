/** How far a group is behind, in entries and in time, under the names of the JSON output. Invariant: what is not known is null, never 0. */
import type {GroupInfo} from '../stream-client.js';
import type {EntryCount, StreamEnds} from './entries-behind.js';
import {type LagFacts, lagFacts, lagFrom} from './lag.js';
import {ageOfUnread, type UnreadId} from './oldest-unread.js';

interface OldestUnread {
  /** The age of the oldest entry that the group was not given yet: 0 where there is none, null where it is not known. */
  behindMs: number | null;
}

export type MeasuredBehind = LagFacts & OldestUnread;

/** The same where there may be no figure: Redis has none, and nothing may be counted. */
export type Behind = {[Name in keyof LagFacts]: LagFacts[Name] | null} & OldestUnread;

/** What is not known of a group. */
export const UNKNOWN: Behind = {
  lag: null,
  lagExact: null,
  lagAtLeast: null,
  lagAtMost: null,
  lagSource: null,
  behindMs: null,
};

/** As of `ends`, by how many entries are behind the ID that the group was given last, and which one is the first of them. */
export function behindOf(
  ends: StreamEnds,
  group: GroupInfo,
  behind: ReadonlyMap<string, EntryCount>,
  unread: ReadonlyMap<string, UnreadId>,
  nowMs: number,
): MeasuredBehind {
  const id = group.lastDeliveredId;
  return {...lagFacts(lagFrom(ends, group, behind.get(id)!)), behindMs: ageOfUnread(unread.get(id), nowMs)};
}

/** The figure of Redis, if it has one, where entries are so large that neither end of the stream is known. */
export function ofLargeEntries(length: number, {lag}: GroupInfo): Behind {
  if (lag === undefined) return {...UNKNOWN, lagAtLeast: 0, lagAtMost: length, lagExact: false};
  const count = Math.min(length, Math.max(0, lag));
  return {lag: count, lagExact: false, lagAtLeast: 0, lagAtMost: length, lagSource: 'redis', behindMs: null};
}
