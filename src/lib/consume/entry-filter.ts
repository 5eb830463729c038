/**
 * Which entries a consumer processes, and what becomes of the others: they are acknowledged, or left pending for consumers that
 * want them. Invariants: the caller gets wanted entries only. One that is left is neither claimed by this consumer nor delivered
 * to it again while that can be known, and its count of deliveries is what it was before it came here.
 */
import type {RecordFilter} from '../filter/record-filter.js';
import {withEntries} from '../reading/lookup.js';
import type {StreamRecord} from '../records/entry.js';
import type {Membership, PendingEntry, StreamClient} from '../stream-client.js';
import type {Consumer, Delivery} from './consumer.js';

export type OthersFate = 'ack' | 'leave';

export class EntryFilter {
  /** Entries that were not wanted. */
  skipped = 0;
  readonly #filter: RecordFilter;
  readonly #others: OthersFate;

  constructor(filter: RecordFilter, others: OthersFate) {
    this.#filter = filter;
    this.#others = others;
  }

  /** Whether the others stay pending. */
  get leaves(): boolean {
    return this.#others === 'leave';
  }

  isWanted(record: StreamRecord): boolean {
    return this.#filter.matches(record);
  }

  /** What `consumer` delivers, without the others. */
  async *deliveries(consumer: Consumer): AsyncGenerator<Delivery, void, void> {
    for await (const delivery of consumer.deliveries()) {
      const wanted: StreamRecord[] = [];
      const others: StreamRecord[] = [];
      for (const record of delivery.records) (this.isWanted(record) ? wanted : others).push(record);
      this.skipped += others.length;
      const ids = others.map(({id}) => id);
      // Before the caller finishes the whole delivery.
      if (this.leaves) consumer.inFlight.release(ids, delivery.batch);
      if (wanted.length > 0) yield {...delivery, records: wanted};
      if (others.length === 0) continue;
      if (this.leaves) await uncount(consumer, others, delivery.counted);
      else if (wanted.length === 0) await consumer.finishAll(delivery);
      else await consumer.finishAll(delivery, ids);
    }
  }

  /** Those of `pending` that are wanted or gone from the stream: looked at without a claim, so that the others stay as they are. */
  async wantedAmong(
    control: StreamClient,
    {stream, group}: Membership,
    pending: readonly PendingEntry[],
  ): Promise<PendingEntry[]> {
    const wanted: PendingEntry[] = [];
    for await (const page of withEntries(control, [pending.map((entry) => ({...entry, stream}))])) {
      for (const [entry, found] of page)
        if (found === undefined || this.isWanted({...entry, group, fields: found.fields})) wanted.push(entry);
    }
    return wanted;
  }
}

/** Takes back the delivery of `records` that Redis has `counted`: no attempt was made, so --max-deliver must not count one. */
async function uncount(consumer: Consumer, records: readonly StreamRecord[], counted: boolean): Promise<void> {
  if (!counted) return;
  const before = records.map(({id, deliveries = 1}) => ({id, deliveries: deliveries - 1}));
  try {
    const {commands} = await consumer.redis.connection();
    await commands.scripts.setDeliveries(consumer.member, before);
  } catch {
    // A user who may not run scripts, or a lost connection: one attempt less.
  }
}
