/**
 * Where work comes from that has been delivered before: our own backlog, what a
 * lost reply left in our name, and what other consumers have abandoned. Each is
 * a sequence of batches in the order of IDs. Invariant: an entry is taken from
 * another consumer only while Redis itself sees it idle for long enough; and
 * what is no longer in the stream is acknowledged and counted, since nobody can
 * have it.
 */

import {withEntries} from '../reading/lookup.js';
import type {Entry, StreamRecord} from '../records/entry.js';
import {EntryIds} from '../records/entry-ids.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import type {Membership, PendingEntry, StreamClient} from '../stream-client.js';
import type {InFlightEntries} from './in-flight-entries.js';

export interface RecoveryContext {
  member: Membership;
  inFlight: InFlightEntries;
  /** Runs `read` with how many entries are wanted now; none are read when no more are wanted. */
  permitted: (read: (count: number) => Promise<Entry[]>) => Promise<Entry[]>;
  /** True when reading should end. */
  over: () => boolean;
  /** Lets the next read ask for more entries. */
  widen: () => void;
  /** Told which entries were pending but no longer in the stream. */
  onGone: (ids: readonly string[]) => void;
  /** Accounts for what is in hand and not pending with us any more. */
  onMissing: (ids: readonly string[]) => Promise<unknown>;
}

/** Our backlog by XREADGROUP with an ID, which counts as one more delivery of each. */
export async function* deliverOwnPending(
  control: StreamClient,
  context: RecoveryContext,
): AsyncGenerator<StreamRecord[], void, void> {
  const {member} = context;
  let after = FIRST_ID;
  for (;;) {
    let gone: string[] = [];
    const entries = await context.permitted(async (count) => {
      const history = await control.readPending(member, after, count);
      after = history.at(-1)?.id ?? after;
      gone = history.filter(({fields}) => fields === undefined).map(({id}) => id);
      return history.filter((entry): entry is Entry => entry.fields !== undefined);
    });
    await letGo(control, context, gone);
    if (entries.length > 0) yield await withDeliveries(control, member, entries);
    else if (gone.length === 0) return;
  }
}

/** Our own pending entries that are not in hand, by XPENDING and XRANGE, which count as nothing. */
export async function* scanOwnPending(
  control: StreamClient,
  context: RecoveryContext,
): AsyncGenerator<StreamRecord[], void, void> {
  const {member, inFlight, onMissing} = context;
  const missing = new Set(inFlight.delivered);
  // As it was before Redis looked: what is acknowledged while its answer is on the way was not lost.
  const known = inFlight.ids;
  for await (const page of control.pending(member.stream, member.group, {consumer: member.consumer})) {
    for (const {id} of page) missing.delete(id);
    const now = inFlight.ids;
    let left: readonly PendingEntry[] = page.filter(
      ({id}) => !known.has(id) && !now.has(id) && compareStreamIds(id, inFlight.forgottenUpTo) > 0,
    );
    while (left.length > 0 && !context.over()) {
      const gone: string[] = [];
      const records: StreamRecord[] = [];
      await context.permitted(async (count) => {
        const wanted = left.slice(0, count).map(({id, deliveries}) => ({id, deliveries, stream: member.stream}));
        left = left.slice(wanted.length);
        for await (const found of withEntries(control, [wanted])) {
          for (const [{id, deliveries}, entry] of found) {
            if (entry === undefined) gone.push(id);
            else records.push({...entry, ...member, deliveries});
          }
        }
        return records;
      });
      await letGo(control, context, gone);
      if (records.length > 0) yield records;
    }
  }
  if (!context.over()) await onMissing([...missing]);
}

/**
 * Takes over `abandoned`, which others have had for longer than `idleMs`, by
 * XCLAIM; with `counts` it is one more delivery of each. Not by XAUTOCLAIM,
 * which would also take what we ourselves have had in hand for long.
 */
export async function* takeOver(
  control: StreamClient,
  context: RecoveryContext,
  abandoned: readonly PendingEntry[],
  {idleMs, counts}: {idleMs: number; counts: boolean},
): AsyncGenerator<StreamRecord[], void, void> {
  const {member} = context;
  let left = abandoned;
  while (left.length > 0 && !context.over()) {
    const asked = new Map<string, number>();
    const entries = await context.permitted(async (count) => {
      for (const {id, deliveries} of left.slice(0, count)) asked.set(id, counts ? deliveries + 1 : deliveries);
      left = left.slice(asked.size);
      const ids = [...asked.keys()];
      if (counts) return control.claim(member, idleMs, ids);
      return entriesOf(control, member.stream, await control.claimUncounted(member, idleMs, ids));
    });
    await letGo(control, context, await goneAmong(control, member.stream, [...asked.keys()], entries));
    if (entries.length > 0) yield entries.map((entry) => ({...entry, ...member, deliveries: asked.get(entry.id)}));
  }
}

async function letGo(
  control: StreamClient,
  {member, onGone, widen}: RecoveryContext,
  gone: readonly string[],
): Promise<void> {
  if (gone.length === 0) return;
  // What is gone says nothing of how large entries are; without this, a long backlog of it is read one by one.
  widen();
  await control.acknowledge(member.stream, member.group, EntryIds.of(gone));
  onGone(gone);
}

/** Of what was asked for and not claimed, some was taken by others at that moment, and some is no longer in the stream. */
async function goneAmong(
  client: StreamClient,
  stream: string,
  asked: readonly string[],
  claimed: readonly Entry[],
): Promise<string[]> {
  if (claimed.length === asked.length) return [];
  const got = new Set(claimed.map(({id}) => id));
  const missing = asked.filter((id) => !got.has(id)).map((id) => ({stream, id}));
  const gone: string[] = [];
  for await (const page of withEntries(client, [missing])) {
    for (const [{id}, entry] of page) if (entry === undefined) gone.push(id);
  }
  return gone;
}

/** Those of `ids` that are in the stream. */
async function entriesOf(client: StreamClient, stream: string, ids: readonly string[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of withEntries(client, [ids.map((id) => ({stream, id}))])) {
    for (const [, entry] of page) if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Records of entries that were delivered before, with how often, as XPENDING counts it. */
async function withDeliveries(
  control: StreamClient,
  member: Membership,
  entries: readonly Entry[],
): Promise<StreamRecord[]> {
  const {stream, group, consumer} = member;
  const counts = new Map<string, number>();
  const pages = control.pending(stream, group, {consumer}, entries[0]!.id, entries.at(-1)!.id);
  for await (const page of pages) for (const {id, deliveries} of page) counts.set(id, deliveries);
  return entries.map((entry) => ({...entry, ...member, deliveries: counts.get(entry.id)}));
}
