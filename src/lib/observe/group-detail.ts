/**
 * What is read of one group while a person looks at it: consumers, and the pending entries with the lowest IDs. Invariant: it is
 * nothing that takes Redis long, however many there are.
 */
import {unlessRefused} from '../errors.js';
import {MOST_CONSUMERS_LISTED_OFTEN} from '../reports/measurable.js';
import type {ConsumerReport} from '../reports/stream-report.js';
import type {PendingEntry, StreamClient} from '../stream-client.js';
import type {GroupFacts} from './snapshot.js';

export interface GroupDetail {
  /** Those that have the most pending come first, at most 200; null where there are too many to be asked for. */
  consumers: ConsumerReport[] | null;
  /** Consumers in all. */
  consumerCount: number;
  pending: PendingEntry[];
}

const SHOWN_CONSUMERS = 200;
const SHOWN_PENDING = 20;

/** Undefined where the stream or the group is gone, or the user may not ask. */
export async function readGroupDetail(
  client: StreamClient,
  stream: string,
  {group, consumers: consumerCount}: Pick<GroupFacts, 'group' | 'consumers'>,
): Promise<GroupDetail | undefined> {
  const asked = Promise.all([
    consumerCount > MOST_CONSUMERS_LISTED_OFTEN ? null : client.consumers(stream, group),
    client.pendingPage(stream, group, {count: SHOWN_PENDING}),
  ]);
  const read = await unlessRefused(asked, ['notFound', 'denied']);
  if (read === undefined) return undefined;
  const [consumers, pending] = read;
  const byPending = consumers?.sort((one, other) => other.pending - one.pending || (one.name < other.name ? -1 : 1));
  return {consumers: byPending?.slice(0, SHOWN_CONSUMERS) ?? null, consumerCount, pending};
}
