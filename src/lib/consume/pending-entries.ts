/**
 * Reads entries that were delivered before: our own, and those that other consumers have abandoned, in batches in the order of
 * IDs. Invariants: no in-flight entry is delivered again; an entry is taken from another consumer only while Redis sees it idle for
 * long enough; what is no longer in the stream is acknowledged and reported.
 */
import {presentIds, withEntries} from '../reading/lookup.js';
import type {Entry, StreamRecord} from '../records/entry.js';
import {EntryIds} from '../records/entry-ids.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import type {Membership, PendingEntry, StreamClient} from '../stream-client.js';
import type {EntryFilter} from './entry-filter.js';
import type {InFlightEntries} from './in-flight-entries.js';

export interface RecoveryContext {
  member: Membership;
  inFlight: InFlightEntries;
  /** Runs `read` with how many entries are wanted now; returns none without a call when no more are wanted. */
  permitted: (read: (count: number) => Promise<StreamRecord[]>) => Promise<StreamRecord[]>;
  /** True when reading should end. */
  over: () => boolean;
  /** Says which entries are left pending; undefined: none. */
  left?: EntryFilter | undefined;
  /** Lets the next read ask for more entries. */
  widen: () => void;
  /** Called with entries that were pending but no longer in the stream. */
  onGone: (ids: readonly string[]) => void;
  /** Accounts for in-flight entries that are not pending with us any more. */
  onMissing: (ids: readonly string[]) => Promise<unknown>;
}

/** The own pending list by XREADGROUP with an ID, which counts one more delivery of each entry. */
export async function* deliverOwnPending(
  control: StreamClient,
  context: RecoveryContext,
): AsyncGenerator<StreamRecord[], void, void> {
  const {member} = context;
  let after = FIRST_ID;
  for (;;) {
    let gone: string[] = [];
    const records = await context.permitted(async (count) => {
      const history = await control.readPending(member, after, count);
      after = history.at(-1)?.id ?? after;
      gone = history.filter(({fields}) => fields === undefined).map(({id}) => id);
      return withDeliveries(
        control,
        member,
        history.filter((entry): entry is Entry => entry.fields !== undefined),
      );
    });
    await acknowledgeGone(control, context, gone);
    if (records.length > 0) yield records;
    else if (gone.length === 0) return;
  }
}

/** The same for those that `filter` wants: XREADGROUP would count a delivery of those that are left, too. */
export async function* claimOwnPending(
  control: StreamClient,
  context: RecoveryContext,
  filter: EntryFilter,
): AsyncGenerator<StreamRecord[], void, void> {
  const {member} = context;
  for await (const page of control.pending(member.stream, member.group, {consumer: member.consumer})) {
    const wanted = await filter.wantedAmong(control, member, page);
    yield* takeOver(control, context, wanted, {idleMs: 0, counts: true});
    if (context.over()) return;
  }
}

/** Our own pending entries that are not in flight, by XPENDING and XRANGE, which count no delivery. */
export async function* scanOwnPending(
  control: StreamClient,
  context: RecoveryContext,
): AsyncGenerator<StreamRecord[], void, void> {
  const {member, inFlight, onMissing} = context;
  const missing = new Set(inFlight.delivered);
  // Taken before XPENDING is sent: an entry that is acknowledged while its reply is on the way was not lost.
  const known = inFlight.ids;
  for await (const page of control.pending(member.stream, member.group, {consumer: member.consumer})) {
    for (const {id} of page) missing.delete(id);
    const now = inFlight.ids;
    const {released} = inFlight;
    let left: readonly PendingEntry[] = page.filter(
      ({id}) => !known.has(id) && !now.has(id) && !released.has(id) && compareStreamIds(id, inFlight.forgottenUpTo) > 0,
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
      await acknowledgeGone(control, context, gone);
      if (records.length > 0) yield records;
    }
  }
  if (!context.over()) await onMissing([...missing]);
}

/**
 * XCLAIM of `abandoned`, which others have had for longer than `idleMs`; `counts` counts one more delivery of each.
 * Not XAUTOCLAIM, which would also take entries that have been in flight here for long.
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
    const records = await context.permitted(async (count) => {
      for (const {id, deliveries} of left.slice(0, count)) asked.set(id, counts ? deliveries + 1 : deliveries);
      left = left.slice(asked.size);
      const ids = [...asked.keys()];
      const entries = counts
        ? await control.claim(member, idleMs, ids)
        : await entriesOf(control, member.stream, await control.claimUncounted(member, idleMs, ids));
      return entries.map((entry) => ({...entry, ...member, deliveries: asked.get(entry.id)}));
    });
    await acknowledgeGone(control, context, await goneAmong(control, member.stream, [...asked.keys()], records));
    if (records.length > 0) yield records;
  }
}

async function acknowledgeGone(
  control: StreamClient,
  {member, onGone, widen}: RecoveryContext,
  gone: readonly string[],
): Promise<void> {
  if (gone.length === 0) return;
  // Missing entries tell nothing about sizes; without this, a long list of them is read one by one.
  widen();
  await control.acknowledge(member.stream, member.group, EntryIds.of(gone));
  onGone(gone);
}

/** Those of `asked` that are no longer in the stream. Others that were not claimed were taken by another consumer just now. */
async function goneAmong(
  client: StreamClient,
  stream: string,
  asked: readonly string[],
  claimed: readonly Entry[],
): Promise<string[]> {
  if (claimed.length === asked.length) return [];
  const got = new Set(claimed.map(({id}) => id));
  const missing = asked.filter((id) => !got.has(id));
  const present = new Set(await presentIds(client, stream, missing));
  return missing.filter((id) => !present.has(id));
}

/** Those of `ids` that are in the stream. */
async function entriesOf(client: StreamClient, stream: string, ids: readonly string[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of withEntries(client, [ids.map((id) => ({stream, id}))])) {
    for (const [, entry] of page) if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** The records with their delivery counts from XPENDING. */
async function withDeliveries(
  control: StreamClient,
  member: Membership,
  entries: readonly Entry[],
): Promise<StreamRecord[]> {
  const {stream, group, consumer} = member;
  if (entries.length === 0) return [];
  const counts = new Map<string, number>();
  const pages = control.pending(stream, group, {consumer}, entries[0]!.id, entries.at(-1)!.id);
  for await (const page of pages) for (const {id, deliveries} of page) counts.set(id, deliveries);
  return entries.map((entry) => ({...entry, ...member, deliveries: counts.get(entry.id)}));
}
