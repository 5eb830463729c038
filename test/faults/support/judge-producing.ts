/**
 * The verdict on producers: does the stream hold what they were told it holds,
 * once, and in their order? Knows nothing of groups. Invariant: an attempt that
 * was not confirmed may be in the stream or not; both are right.
 */
import {type Ending, eventsOf, type HistoryEvent} from './history.js';
import type {ProducingVerdict} from './verdict.js';

interface Held {
  id: string;
  value: string;
}

export function judgeProducing(events: readonly HistoryEvent[], {stream, dead}: Ending): ProducingVerdict {
  const attempted = new Set(eventsOf(events, 'attempted').map(({value}) => value));
  const confirmed = eventsOf(events, 'confirmed');
  const reported = [...confirmed, ...eventsOf(events, 'delivered')];
  const kept = new Set([...stream, ...dead].map(({value}) => value));
  const byId = new Map(stream.map(({id, value}) => [id, value]));
  const isStrange = ({value}: Held): boolean => !attempted.has(value);
  const isMistaken = ({id, value}: Held): boolean => (byId.get(id) ?? value) !== value;
  return {
    attempted: attempted.size,
    confirmed: distinct(confirmed).length,
    inStream: stream.length,
    lost: distinct(confirmed.filter(({value}) => !kept.has(value))),
    unexpected: distinct([...[...stream, ...dead, ...reported].filter(isStrange), ...reported.filter(isMistaken)]),
    duplicatedInStream: repeated(stream.map(({value}) => value)),
    outOfOrder: overtaken(events, stream),
  };
}

/** One value for each copy beyond the first. */
function repeated(values: readonly string[]): string[] {
  const seen = new Set<string>();
  return values.filter((value) => seen.size === seen.add(value).size);
}

/** What first came into the stream after something that the same producer attempted later. */
function overtaken(events: readonly HistoryEvent[], stream: Ending['stream']): string[] {
  // Of one that is attempted again the first time counts, and a later entry of a map wins.
  const attempted = eventsOf(events, 'attempted').map(({value, by}, turn) => [value, {by, turn}] as const);
  const attempts = new Map(attempted.reverse());
  const latest = new Map<string, number>();
  return distinct(stream).filter((value) => {
    const attempt = attempts.get(value);
    if (attempt === undefined) return false;
    const before = latest.get(attempt.by) ?? -1;
    latest.set(attempt.by, Math.max(before, attempt.turn));
    return attempt.turn < before;
  });
}

const distinct = (items: readonly {value: string}[]): string[] => [...new Set(items.map(({value}) => value))];
