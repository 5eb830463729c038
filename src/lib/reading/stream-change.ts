/**
 * Whether a stream is still the one that was read. Redis gives a stream no
 * identity: after DEL or a restart another one may stand under its name, with
 * lower IDs, and XREAD behind the old last ID then waits for ever (redis#5625).
 * XINFO STREAM tells: the last generated ID and entries-added never shrink.
 */
import {sameBytes} from '../records/bytes.js';
import type {Entry} from '../records/entry.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {StreamInfo} from '../stream-client.js';

/** `shortened`: it lacks its newest entries, as after a failover. `anew`: it is another stream. */
export type StreamChange = 'none' | 'shortened' | 'anew';

/** What became of the stream `before`, of which entries up to `readUpTo` were seen. */
export function streamChange(before: StreamInfo, readUpTo: string, now: StreamInfo): StreamChange {
  const hasLost =
    compareStreamIds(now.lastGeneratedId, readUpTo) < 0 || (now.entriesAdded ?? 0) < (before.entriesAdded ?? 0);
  if (!hasLost) return 'none';
  const {firstEntry: first} = now;
  const {firstEntry: firstBefore} = before;
  if (first === undefined || firstBefore === undefined) return 'anew';
  const order = compareStreamIds(first.id, firstBefore.id);
  if (order === 0) return isSame(first, firstBefore) ? 'shortened' : 'anew';
  // Trimming moves the first entry up, and only trimming or deleting makes the length smaller than entries-added.
  const wasTrimmed = now.entriesAdded === undefined || now.entriesAdded > now.length;
  return order > 0 && wasTrimmed ? 'shortened' : 'anew';
}

/** Whether `now` cannot be the stream `before`, though it may have grown past it: its counters, or its first or last entry tell. */
export function isAnother(before: StreamInfo, now: StreamInfo | undefined): boolean {
  if (now === undefined || streamChange(before, before.lastGeneratedId, now) === 'anew') return true;
  return (
    beginsElsewhere(before, now) ||
    isChanged(before.firstEntry, now.firstEntry) ||
    isChanged(before.lastEntry, now.lastEntry)
  );
}

/** The first entry of a stream from which nothing was ever removed has always been the same. */
export function beginsElsewhere(before: StreamInfo, now: StreamInfo): boolean {
  const {firstEntry: first} = before;
  if (before.entriesAdded === undefined || now.entriesAdded === undefined || now.entriesAdded !== now.length)
    return false;
  return (first !== undefined && now.firstEntry?.id !== first.id) || before.entriesAdded > before.length;
}

/** An entry never changes. */
const isChanged = (before: Entry | undefined, now: Entry | undefined): boolean =>
  before !== undefined && now !== undefined && before.id === now.id && !isSame(before, now);

/** Whether two entries hold the same fields. */
export const isSame = (one: Entry, other: Entry): boolean =>
  one.fields.length === other.fields.length &&
  one.fields.every(([name, value], at) => {
    const [otherName, otherValue] = other.fields[at]!;
    return sameBytes(name, otherName) && sameBytes(value, otherValue);
  });
