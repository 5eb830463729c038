/**
 * Entries that were delivered before: our own backlog, what a lost reply left in
 * our name, and what other consumers have abandoned, in batches in the order of
 * IDs. Invariant: no in-flight entry is delivered again; after each new
 * connection nothing new is read before the own pending list was scanned; and an
 * entry is taken from another consumer only while Redis sees it idle for long
 * enough. What is no longer in the stream is acknowledged and reported.
 */

import {presentIds, withEntries} from '../reading/lookup.js';
import type {Connection} from '../reconnecting-client.js';
import type {Entry, StreamRecord} from '../records/entry.js';
import {EntryIds} from '../records/entry-ids.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import type {Membership, PendingEntry, StreamClient} from '../stream-client.js';
import type {EntryFilter} from './entry-filter.js';
import type {GroupMembership} from './group-membership.js';
import type {InFlightEntries} from './in-flight-entries.js';
import {MAX_BLOCK_MS} from './read-budget.js';

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

/** Records that were delivered before, and whether Redis has counted that they are delivered now. */
export interface RecoveredBatch {
  records: StreamRecord[];
  counted: boolean;
}

/**
 * Redis may not notice a dropped connection at once. Until BLOCK expires it can still deliver entries to the dead
 * reader; they become pending under our name without reaching us. Twice that, since the request may arrive late.
 */
const LATE_READS_MS = 2 * MAX_BLOCK_MS;

/** The entries that are pending with this consumer and not in flight: when to scan for them, and what the scan finds. */
export class PendingRecovery {
  readonly #membership: GroupMembership;
  readonly #context: RecoveryContext;
  /** Whether delivering again what was delivered before counts as one more delivery. */
  readonly #counts: boolean;
  /** The connection after which the list was scanned. */
  #scannedOn: Connection | undefined;
  /** When to scan once more. */
  #lateReadsOverMs = Number.POSITIVE_INFINITY;
  /** How far this consumer had read when the connection was new; undefined before the first scan. */
  #readUpTo: string | undefined;

  constructor(membership: GroupMembership, context: RecoveryContext, counts: boolean) {
    this.#membership = membership;
    this.#context = context;
    this.#counts = counts;
  }

  isDue(connection: Connection): boolean {
    return connection !== this.#scannedOn || performance.now() >= this.#lateReadsOverMs;
  }

  /** What is left over; nothing when no scan is due. */
  async *take(connection: Connection): AsyncGenerator<RecoveredBatch, void, void> {
    if (!this.isDue(connection)) return;
    const isNew = connection !== this.#scannedOn;
    const atStart = this.#readUpTo === undefined;
    if (isNew) this.#readUpTo = this.#membership.readUpTo;
    if (atStart && this.#counts) {
      const {left} = this.#context;
      const {commands} = connection;
      const all =
        left === undefined
          ? deliverOwnPending(commands, this.#context)
          : claimOwnPending(commands, this.#context, left);
      for await (const records of all) yield {records, counted: true};
    } else {
      const readUpTo = atStart ? undefined : this.#readUpTo;
      for await (const records of scanOwnPending(connection.commands, this.#context))
        yield* this.#split(records, readUpTo);
    }
    this.#scannedOn = connection;
    this.#lateReadsOverMs = isNew && !atStart ? performance.now() + LATE_READS_MS : Number.POSITIVE_INFINITY;
  }

  /** What came after `readUpTo`, in a reply that was lost, Redis has counted as delivered, although we never saw it. */
  *#split(records: StreamRecord[], readUpTo: string | undefined): Generator<RecoveredBatch, void, void> {
    const wasLost = ({id}: StreamRecord): boolean => readUpTo !== undefined && compareStreamIds(id, readUpTo) > 0;
    const lost = records.filter(wasLost);
    const known = records.filter((record) => !wasLost(record));
    if (known.length > 0) yield {records: known, counted: this.#counts};
    const last = lost.at(-1)?.id;
    if (last !== undefined && compareStreamIds(last, this.#membership.readUpTo) > 0) this.#membership.advance(lost);
    if (lost.length > 0) yield {records: lost, counted: true};
  }
}

/** The own pending list by XREADGROUP with an ID, which counts one more delivery of each entry. */
async function* deliverOwnPending(
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
async function* claimOwnPending(
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
