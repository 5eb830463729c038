/**
 * What a stream was at T0, as the header of its section has it, and whether it is still the same stream at the end. Invariant:
 * position and counters of all groups are of one moment; consumers are those of just after it.
 */

import {StreamlogError, unlessDenied} from '../errors.js';
import {pipelined} from '../pipelined.js';
import {compareStreamIds} from '../records/stream-id.js';
import {MOST_CONSUMERS_LISTED} from '../reports/measurable.js';
import type {GroupState, StreamClient, StreamState} from '../stream-client.js';
import type {SectionGroup, SectionHeader} from './section.js';

/** Which groups are asked for: all, none, or one. */
export type GroupChoice = 'all' | 'none' | {readonly name: string};

export interface Moment {
  readonly header: Pick<
    SectionHeader,
    'stream' | 'at' | 'length' | 'firstId' | 'lastGeneratedId' | 'entriesAdded' | 'maxDeletedId' | 'groups'
  >;
  /** Groups with so many consumers that they are not listed. */
  readonly unlisted: readonly GroupState[];
}

/** MULTI, TIME, XINFO STREAM, XINFO GROUPS, EXEC, and XINFO CONSUMERS. Throws `notFound` when there is no such stream or group. */
export async function readMoment(client: StreamClient, stream: string, choice: GroupChoice): Promise<Moment> {
  const state = await client.transfer.state(stream);
  const chosen = typeof choice === 'string' ? state.groups : state.groups.filter(({name}) => name === choice.name);
  // It has the words for a group that does not exist.
  if (typeof choice !== 'string' && chosen.length === 0) await client.group(stream, choice.name);
  const groups = choice === 'none' ? [] : chosen;
  const {atMs, length, firstId, lastGeneratedId, entriesAdded, maxDeletedId} = state;
  return {
    header: {
      stream,
      at: new Date(atMs).toISOString(),
      length,
      firstId,
      lastGeneratedId,
      entriesAdded,
      maxDeletedId,
      groups: await pipelined(groups, (group) => withConsumers(client, stream, group)),
    },
    unlisted: groups.filter((group) => !isListed(group)),
  };
}

const isListed = ({consumers}: GroupState): boolean => consumers <= MOST_CONSUMERS_LISTED;

async function withConsumers(client: StreamClient, stream: string, group: GroupState): Promise<SectionGroup> {
  const {name, lastDeliveredId, entriesRead, pending} = group;
  const position = {name, lastDeliveredId, entriesRead, pending};
  if (!isListed(group)) return position;
  const consumers = group.consumers === 0 ? [] : await unlessDenied(client.consumers(stream, name));
  return {...position, consumers: consumers?.map((consumer) => consumer.name)};
}

/** Throws `incomplete` where the stream, or a group, is not the one of T0 any more, or has gone back. */
export function checkUnmoved(header: SectionHeader, now: StreamState): void {
  const {stream, lastGeneratedId, entriesAdded, groups} = header;
  const isBehind = compareStreamIds(now.lastGeneratedId, lastGeneratedId) < 0;
  const hasFewer = entriesAdded !== undefined && now.entriesAdded !== undefined && now.entriesAdded < entriesAdded;
  if (isBehind || hasFewer) throw moved(`stream "${stream}" is another one now, or lacks its newest entries`);
  for (const {name, lastDeliveredId} of groups) {
    const group = now.groups.find((one) => one.name === name);
    if (group === undefined) throw moved(`group "${name}" of stream "${stream}" is gone`);
    if (compareStreamIds(group.lastDeliveredId, lastDeliveredId) < 0)
      throw moved(`group "${name}" of stream "${stream}" was moved back`);
  }
}

/** The failure of an export whose stream changed under it in a way that no section can tell. */
export const moved = (what: string): StreamlogError =>
  new StreamlogError('incomplete', `${what}; the export has no end`, {hint: 'run it again, from the beginning'});
