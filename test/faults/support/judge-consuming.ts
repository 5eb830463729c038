/**
 * The verdict on consumers: was each entry that the group was given finished
 * before it was acknowledged, and is each one somewhere? Knows no producer.
 * A server does not list what was acknowledged: that is what the group has read
 * and neither waits for nor has given up. So an entry that only vanished from
 * the pending list counts as acknowledged, and shows as one without success.
 */
import {compareStreamIds} from '../../../src/lib/records/stream-id.js';
import {type Ending, eventsOf, type HistoryEvent} from './history.js';
import type {ConsumingVerdict} from './verdict.js';

type Place = 'acknowledged' | 'pending' | 'dead';

export function judgeConsuming(events: readonly HistoryEvent[], ending: Ending): ConsumingVerdict {
  const delivered = eventsOf(events, 'delivered');
  const succeeded = new Set(eventsOf(events, 'succeeded').map(({id}) => id));
  const redriven = new Set(eventsOf(events, 'redriven').map(({id}) => id));
  const seenAcknowledged = new Set(eventsOf(events, 'acknowledged').map(({id}) => id));
  const places = placesOf(ending, [...delivered.map(({id}) => id), ...seenAcknowledged]);
  const idsWhere = (holds: (places: readonly Place[], id: string) => boolean): string[] =>
    [...places].filter(([id, its]) => holds(its, id)).map(([id]) => id);
  const isAcknowledged = (its: readonly Place[], id: string): boolean =>
    its.includes('acknowledged') || (seenAcknowledged.has(id) && !its.includes('dead'));
  const hasMoved = (its: readonly Place[], id: string): boolean =>
    seenAcknowledged.has(id) && its.some((place) => place !== 'acknowledged');

  const values = new Map<string, string>();
  for (const {id, value} of [...delivered, ...eventsOf(events, 'confirmed'), ...ending.dead, ...ending.stream]) {
    values.set(id, value);
  }
  const valuesOf = (ids: readonly string[]): string[] => ids.map((id) => values.get(id) ?? `entry ${id}`);
  return {
    handedOver: delivered.length,
    succeeded: succeeded.size,
    given: places.size,
    acknowledged: idsWhere((its) => its.includes('acknowledged')).length,
    pending: idsWhere((its) => its.includes('pending')).length,
    dead: idsWhere((its) => its.includes('dead')).length,
    duplicateDeliveries: valuesOf(duplicates(events)),
    acknowledgedWithoutSuccess: valuesOf(
      idsWhere((its, id) => isAcknowledged(its, id) && !succeeded.has(id) && !redriven.has(id)),
    ),
    resurrected: valuesOf(resurrected(events)),
    unaccounted: valuesOf(idsWhere((its) => its.length === 0)),
    accountedTwice: valuesOf(idsWhere((its, id) => its.length > 1 || hasMoved(its, id))),
    undelivered: valuesOf(unread(ending)),
  };
}

/** Where the server has each entry that the group was ever given, those `seen` with the group included. */
function placesOf({stream, group, dead}: Ending, seen: readonly string[]): Map<string, Place[]> {
  const {lastDeliveredId = '0-0', beganAfter = '0-0', pending = []} = group ?? {};
  const isRead = (id: string): boolean => compareStreamIds(id, lastDeliveredId) <= 0;
  const isOfGroup = (id: string): boolean => isRead(id) && compareStreamIds(id, beganAfter) > 0;
  const places = new Map<string, Place[]>();
  for (const id of [...stream.map((entry) => entry.id).filter(isOfGroup), ...seen]) places.set(id, []);
  for (const {id} of pending) places.set(id, [...(places.get(id) ?? []), 'pending']);
  for (const {id} of dead) places.set(id, [...(places.get(id) ?? []), 'dead']);
  for (const [id, its] of places) if (its.length === 0 && isRead(id)) its.push('acknowledged');
  return places;
}

/** One ID for each delivery beyond the first that no failure asked for. */
function duplicates(events: readonly HistoryEvent[]): string[] {
  const due = new Map<string, number>();
  return events.flatMap((event) => {
    if (event.what !== 'delivered' && event.what !== 'failed') return [];
    const left = due.get(event.id) ?? 1;
    due.set(event.id, event.what === 'failed' ? left + 1 : Math.max(left - 1, 0));
    return event.what === 'delivered' && left === 0 ? [event.id] : [];
  });
}

/**
 * What was handed over after the server was seen to have it acknowledged, and
 * by its delivery count had not been claimed before that.
 */
function resurrected(events: readonly HistoryEvent[]): string[] {
  const acknowledged = new Set<string>();
  const counts = new Map<string, number>();
  const found = new Set<string>();
  for (const event of events) {
    if (event.what === 'acknowledged') acknowledged.add(event.id);
    if (event.what !== 'delivered') continue;
    const {id, deliveries = 1} = event;
    const before = counts.get(id) ?? 1;
    if (acknowledged.has(id) && deliveries <= before) found.add(id);
    counts.set(id, Math.max(before, deliveries));
  }
  return [...found];
}

/** What the group has still to read. */
const unread = ({stream, group}: Ending): string[] =>
  group === undefined ? [] : stream.map(({id}) => id).filter((id) => compareStreamIds(id, group.lastDeliveredId) > 0);
