/**
 * Moves entries to the dead letters and back, of any size. A script does it in one step, but Lua passes some 8,000 arguments at
 * most; a larger entry is copied by commands and then removed, only while it is still there and still ours. Invariant: an entry
 * is removed only after its copy was confirmed; if streamlog ends between the two, it is in both streams.
 */
import type {Entry, Field} from '../records/entry.js';
import {EntryIds} from '../records/entry-ids.js';
import {encodeName} from '../records/names.js';
import type {Membership, StreamClient} from '../stream-client.js';
import {deaths, isOrigin, ORIGIN} from './dead-letter-origin.js';

export interface Death {
  deadLetter: string;
  reason: string;
  nowMs: number;
}

/** Redis marks a fatal entry with 2^63 - 1, or -1; the script in lib/redis says the same of both. */
const MOST_DELIVERIES = 1_000_000_000_000_000;

/** What a script moves in some milliseconds: larger entries are moved in three commands. */
const MOST_FIELDS = 1_000;
const MOST_BYTES = 1024 * 1024;

/** `moved`, `gone` when it is no longer in the stream (and acknowledged then), `lost` when it is no longer ours. */
export async function moveToDeadLetters(
  client: StreamClient,
  member: Membership,
  {id, fields}: Entry,
  death: Death,
): Promise<'moved' | 'gone' | 'lost'> {
  const outcome = isLarge(fields) ? 'too wide' : await client.scripts.moveToDeadLetters(member, id, death);
  return outcome === 'too wide' ? copyAndAcknowledge(client, member, id, death) : outcome;
}

/** The new ID in `target`; undefined when the entry was not there any more. */
export async function putBack(
  client: StreamClient,
  deadLetter: string,
  {id, fields}: Entry,
  target: string,
): Promise<string | undefined> {
  const outcome = isLarge(fields) ? 'too wide' : await client.scripts.redrive(deadLetter, id, target);
  if (outcome === 'gone') return undefined;
  if (outcome !== 'too wide') return outcome.newId;
  const newId = await client.add(target, fields);
  if ((await client.delete(deadLetter, [id])) === 1) return newId;
  // Another has put it back at the same time.
  await takeBack(client, target, newId);
  return undefined;
}

async function copyAndAcknowledge(
  client: StreamClient,
  member: Membership,
  id: string,
  {deadLetter, reason, nowMs}: Death,
): Promise<'moved' | 'gone' | 'lost'> {
  const {stream, group, consumer} = member;
  // Learns before the XADD whether the XACK after it will be allowed.
  await client.acknowledge(stream, group, EntryIds.of([NO_ENTRY]));
  const entry = await first(client.range(stream, id, id, 1));
  if (entry === undefined) return (await client.scripts.acknowledgeOurs(member, id)) ? 'gone' : 'lost';
  const pending = await first(client.pending(stream, group, {}, id, id, 1));
  if (pending?.consumer !== consumer) return 'lost';
  const deliveries = pending.deliveries < 0 ? MOST_DELIVERIES : Math.min(pending.deliveries, MOST_DELIVERIES);
  const origin: Field[] = [
    [ORIGIN.stream, encodeName(stream)],
    [ORIGIN.group, encodeName(group)],
    [ORIGIN.id, id],
    [ORIGIN.consumer, encodeName(consumer)],
    [ORIGIN.deliveries, String(deliveries)],
    [ORIGIN.reason, reason],
    [ORIGIN.at, String(nowMs)],
  ];
  const before = deaths(entry.fields);
  if (before > 0) origin.push([ORIGIN.deaths, String(before + 1)]);
  const copy = await client.add(deadLetter, [...entry.fields.filter(([name]) => !isOrigin(name)), ...origin]);
  if (await client.scripts.acknowledgeOurs(member, id)) return 'moved';
  await takeBack(client, deadLetter, copy);
  return 'lost';
}

function isLarge(fields: readonly Field[]): boolean {
  if (fields.length > MOST_FIELDS) return true;
  return fields.reduce((bytes, [name, value]) => bytes + name.length + value.length, 0) > MOST_BYTES;
}

/** XACK takes this ID, and no entry can have it. */
const NO_ENTRY = '0-0';

/** Deletes a copy that is not needed, where the user may. */
async function takeBack(client: StreamClient, stream: string, id: string | undefined): Promise<void> {
  if (id !== undefined) await client.delete(stream, [id]).catch(() => {});
}

async function first<T>(pages: AsyncIterable<T[]>): Promise<T | undefined> {
  for await (const [one] of pages) return one;
  return undefined;
}
