/**
 * How fast things go, from counters that were read again and again. Invariants: a rate is never negative; the first one takes
 * two readings; where a counter went back (a stream that began anew, a failover, a group that was moved), there is none
 * until the next reading.
 */
import {compareStreamIds} from '../records/stream-id.js';
import type {GroupInfo, StreamInfo} from '../stream-client.js';
import type {Trend} from './snapshot.js';

/** What was read of a group; null where the server does not say. */
export interface GroupCounters {
  name: string;
  entriesRead: number | null;
  pending: number;
  lastDeliveredId: string;
}

/** One reading of a stream. */
export interface StreamCounters {
  /** On a clock that never goes back. */
  atMs: number;
  entriesAdded: number | null;
  groups: readonly GroupCounters[];
}

/** Of what was read at `atMs`; `info` is undefined where XINFO STREAM was not asked. */
export const countersOf = (
  info: StreamInfo | undefined,
  groups: readonly GroupInfo[],
  atMs: number,
): StreamCounters => ({
  atMs,
  entriesAdded: info?.entriesAdded ?? null,
  groups: groups.map(({name, entriesRead = null, pending, lastDeliveredId}) => ({
    name,
    entriesRead,
    pending,
    lastDeliveredId,
  })),
});

export interface GroupRates {
  /** Entries that the group was given. */
  deliveredPerSec: number | null;
  /** Entries that it was given and that are not pending: acknowledged, dead-lettered, or read without acknowledgement. */
  donePerSec: number | null;
}

export interface StreamRates {
  addedPerSec: number | null;
  groups: ReadonlyMap<string, GroupRates>;
}

export const NO_RATES: StreamRates = {addedPerSec: null, groups: new Map()};

/** The weight of what happened so long ago is a half. */
const HALF_LIFE_MS = 10_000;

/** An average in which what is older counts less. */
class MovingAverage {
  #value: number | null = null;

  /** Takes a rate that held for `ms`; null where it is not known, which forgets the past. */
  add(perSec: number | null, ms: number): number | null {
    const before = this.#value;
    if (perSec === null || before === null) this.#value = perSec;
    else this.#value = before + (perSec - before) * (1 - 2 ** (-ms / HALF_LIFE_MS));
    return this.#value;
  }
}

class GroupMeter {
  #last: GroupCounters | undefined;
  readonly #delivered = new MovingAverage();
  readonly #done = new MovingAverage();

  /** Takes the next reading, `ms` after the last one. */
  take(now: GroupCounters, ms: number): GroupRates {
    const {delivered, done} = progress(this.#last, now);
    this.#last = now;
    return {
      deliveredPerSec: this.#delivered.add(perSec(delivered, ms), ms),
      donePerSec: this.#done.add(perSec(done, ms), ms),
    };
  }
}

/** The rates of one stream and its groups. */
export class RateMeter {
  #last: StreamCounters | undefined;
  readonly #added = new MovingAverage();
  /** Of the groups of the last reading. */
  #groups = new Map<string, GroupMeter>();

  /** Takes the next reading; the rates as of it. */
  take(now: StreamCounters): StreamRates {
    const last = this.#last;
    this.#last = now;
    const ms = last === undefined ? 0 : now.atMs - last.atMs;
    const before = this.#groups;
    this.#groups = new Map(now.groups.map(({name}) => [name, before.get(name) ?? new GroupMeter()]));
    const groups = new Map(now.groups.map((group) => [group.name, this.#groups.get(group.name)!.take(group, ms)]));
    if (last === undefined) return NO_RATES;
    const added = difference(last.entriesAdded, now.entriesAdded);
    return {addedPerSec: this.#added.add(perSec(added, ms), ms), groups};
  }
}

/** What a group was given between two readings, and what of it is done. */
function progress(
  before: GroupCounters | undefined,
  now: GroupCounters,
): {delivered: number | null; done: number | null} {
  const moved = before === undefined ? -1 : compareStreamIds(now.lastDeliveredId, before.lastDeliveredId);
  if (before === undefined || moved < 0) return {delivered: null, done: null};
  // Whatever was delivered would have moved it, whether or not the server counts.
  const delivered = moved === 0 ? 0 : difference(before.entriesRead, now.entriesRead);
  return {delivered, done: delivered === null ? null : delivered - (now.pending - before.pending)};
}

/** Where the lag of a group goes, and how long until there is none. */
export interface Drain {
  drainMs: number | null;
  trend: Trend;
}

/** What the trend follows from; null where it is not known. */
export interface DrainFacts {
  lag: {count: number; atLeast: number; atMost: number} | null;
  addedPerSec: number | null;
  deliveredPerSec: number | null;
  /** How long nothing was delivered to the group, as far as was seen. */
  unmovedMs: number;
}

/** Rates that differ by less are the same. */
const STEADY_SHARE = 0.01;
const STALLED_MS = 60_000;

export function drainOf({lag, addedPerSec, deliveredPerSec, unmovedMs}: DrainFacts): Drain {
  if (lag?.atMost === 0) return {drainMs: 0, trend: 'drained'};
  if (lag !== null && lag.atLeast > 0 && unmovedMs >= STALLED_MS) return {drainMs: null, trend: 'stalled'};
  if (lag === null || addedPerSec === null || deliveredPerSec === null) return {drainMs: null, trend: 'unknown'};
  const gained = deliveredPerSec - addedPerSec;
  const drainMs = gained > 0 ? Math.round((lag.count / gained) * 1_000) : null;
  if (Math.abs(gained) <= STEADY_SHARE * Math.max(addedPerSec, deliveredPerSec)) return {drainMs, trend: 'steady'};
  return {drainMs, trend: gained > 0 ? 'draining' : 'growing'};
}

const difference = (before: number | null, now: number | null): number | null =>
  before === null || now === null ? null : now - before;

const perSec = (count: number | null, ms: number): number | null =>
  count === null || count < 0 || ms <= 0 ? null : (count * 1_000) / ms;
