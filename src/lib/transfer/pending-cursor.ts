/**
 * The pending entries of one group, in the order of their IDs, as they were at T0: what was delivered for the first time later
 * is left out. Invariants: a page is at most `count` entries, and none is asked for where it is known that nothing is pending.
 */
import {compareStreamIds, successorOf} from '../records/stream-id.js';
import type {PendingEntry, StreamClient} from '../stream-client.js';
import type {PendingMember} from './section.js';

export interface PendingGroup {
  readonly name: string;
  /** At T0. */
  readonly lastDeliveredId: string;
  /** At T0; of a group without pending entries nothing is asked. */
  readonly pending: number;
}

/** Entries of one reading; `end` is the last ID that it reaches to. */
export interface PendingPage {
  readonly members: readonly IdentifiedMember[];
  readonly end: string;
}

export interface IdentifiedMember extends PendingMember {
  readonly id: string;
}

export class PendingCursor {
  readonly #stream: string;
  readonly #group: PendingGroup;
  readonly #atMs: number;
  /** No entry before it is pending any more; undefined when there are none. */
  #next: string | undefined;

  /** `atMs` is T0, and `from` the first ID that is wanted. */
  constructor(stream: string, group: PendingGroup, {atMs, from}: {atMs: number; from: string}) {
    this.#stream = stream;
    this.#group = group;
    this.#atMs = atMs;
    this.#next = group.pending === 0 ? undefined : from;
  }

  get isDone(): boolean {
    return this.#next === undefined;
  }

  /** Those from `low` to `high`, or the first `count` of them. May be called again with the same `low`. */
  async read(
    client: StreamClient,
    {low, high, count}: {low: string; high: string; count: number},
  ): Promise<PendingPage> {
    const start = this.#next === undefined || compareStreamIds(this.#next, low) > 0 ? this.#next : low;
    if (start === undefined || compareStreamIds(start, high) > 0) return {members: [], end: high};
    const {name} = this.#group;
    const {atMs, entries} = await client.transfer.pending(this.#stream, name, {start, end: high, count});
    if (entries.length === 0) await this.#seek(client, high);
    const all = entries.map((entry) => memberOf(name, entry, atMs));
    const last = entries.at(-1)?.id;
    const members =
      last === undefined || this.#isDelivered(last) ? all : all.filter((member) => this.#wasPending(member));
    return {members, end: last === undefined || entries.length < count ? high : last};
  }

  /** Finds the first one behind `high`, so that the pages before it need not be asked for. */
  async #seek(client: StreamClient, high: string): Promise<void> {
    const start = successorOf(high);
    const page = start === undefined ? [] : await client.pendingPage(this.#stream, this.#group.name, {start, count: 1});
    this.#next = page[0]?.id;
  }

  /** A group that was moved back at T0 has entries pending that it is to be given again; those have been delivered before. */
  #wasPending({id, deliveredAt}: IdentifiedMember): boolean {
    return this.#isDelivered(id) || deliveredAt <= this.#atMs;
  }

  #isDelivered(id: string): boolean {
    return compareStreamIds(id, this.#group.lastDeliveredId) <= 0;
  }
}

function memberOf(group: string, entry: PendingEntry, atMs: number): IdentifiedMember {
  const {id, consumer, idleMs, deliveries, exactDeliveries = deliveries} = entry;
  // A server that has XNACK says -1 of what no consumer has.
  const isFree = idleMs < 0;
  return {
    id,
    group,
    consumer: isFree && consumer === '' ? undefined : consumer,
    deliveredAt: isFree ? 0 : Math.max(0, atMs - idleMs),
    deliveries: exactDeliveries,
  };
}
