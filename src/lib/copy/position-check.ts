/**
 * Whether a stream that ends with an ID is a copy of another as far as that, which decides whether copying may go on behind it.
 * Invariant: an entry that the source has, or is sure to have had, is told from one that somebody else has written; what cannot
 * be told is refused.
 */
import {isSame} from '../reading/stream-change.js';
import type {RunOn} from '../reconnecting-client.js';
import type {StreamRecord} from '../records/entry.js';
import {compareStreamIds, FIRST_ID} from '../records/stream-id.js';
import type {StreamInfo} from '../stream-client.js';
import {type CopyNames, foreignEntry} from './copy-failures.js';

export interface PositionCheck {
  names: CopyNames;
  source: RunOn;
  target: RunOn;
  /** What the source is now. */
  info: StreamInfo;
  /** Everything up to this ID is known to be a copy: it was copied in this run, or before a group was moved there. */
  copiedUpTo: string;
  /** Whether the entries of the target have the IDs of the source. */
  keepsIds: boolean;
}

/** Entries before a deleted one that are looked at. */
const NEIGHBOURS = 100;

/** Throws `data` where the target, which says that it is a copy up to `id`, is none. */
export async function checkPosition(id: string, check: PositionCheck): Promise<void> {
  const {names, source, target, info, copiedUpTo} = check;
  if (id === FIRST_ID) return;
  const [ours, theirs] = await Promise.all([
    source((client) => client.recordPage(names.source, id, id, 1)),
    check.keepsIds ? target((client) => client.recordPage(names.target, id, id, 1)) : [],
  ]);
  const [original, copy] = [ours[0], theirs[0]];
  if (original !== undefined) {
    if (copy !== undefined && !isSame(original, copy)) throw foreignEntry(names, id, 'is another one than that of');
    return;
  }
  if (compareStreamIds(id, copiedUpTo) <= 0 || id === info.lastGeneratedId) return;
  if (compareStreamIds(id, info.lastGeneratedId) > 0) throw foreignEntry(names, id, 'was never in');
  const {firstEntry, maxDeletedId} = info;
  // Whether what lies behind it was trimmed too is for the source to say.
  if (firstEntry === undefined || compareStreamIds(firstEntry.id, id) > 0) return;
  if (maxDeletedId !== undefined && compareStreamIds(maxDeletedId, id) < 0)
    throw foreignEntry(names, id, 'was never in');
  if (!(await hasCopiesBefore(id, check))) throw foreignEntry(names, id, 'is not in');
}

/** Whether some of the entries before `id` are copies, and all that the source has. */
async function hasCopiesBefore(id: string, {names, source, target}: PositionCheck): Promise<boolean> {
  const page = await target((client) =>
    firstPage(client.records(names.target, FIRST_ID, id, {reverse: true, page: NEIGHBOURS})),
  );
  let copies = 0;
  for (const copy of page) {
    const [original] = await source((client) => client.recordPage(names.source, copy.id, copy.id, 1));
    if (original === undefined) continue;
    if (!isSame(original, copy)) return false;
    copies++;
  }
  return copies > 0;
}

async function firstPage(pages: AsyncIterable<StreamRecord[]>): Promise<StreamRecord[]> {
  for await (const page of pages) return page;
  return [];
}
