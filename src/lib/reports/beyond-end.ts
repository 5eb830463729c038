/** Whether a group stands where the stream has not come to. */
import {isTime} from '../records/entry-time.js';
import {compareStreamIds, FIRST_ID, millisecondsOf} from '../records/stream-id.js';
import type {StreamInfo} from '../stream-client.js';

/**
 * True when entries may come that the group never gets: it stands beyond the last ID that the stream has given, and
 * not at a time that has passed, which IDs made of the clock are above.
 */
export function isBeyondEnd(
  info: Pick<StreamInfo, 'lastGeneratedId'> | undefined,
  lastDeliveredId: string,
  nowMs: number,
): boolean {
  const lastId = info?.lastGeneratedId ?? FIRST_ID;
  if (compareStreamIds(lastDeliveredId, lastId) <= 0) return false;
  const clocked = lastId === FIRST_ID || isTime(lastId, nowMs);
  return !clocked || millisecondsOf(lastDeliveredId) > nowMs;
}
