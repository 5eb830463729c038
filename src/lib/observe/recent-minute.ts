/**
 * The last 60 seconds of each stream and group, a value for each second, for charts. Invariant: a second without a reading has the
 * value of the next one, which holds for the time before it; what has gone takes no memory.
 */
import type {GroupFacts, Snapshot, StreamFacts} from './snapshot.js';
import {rowKey} from './snapshot-rows.js';

export const SECONDS = 60;

/** The oldest first; null where a figure was not known. */
export interface Minute {
  /** Entries added to a stream, or delivered to a group. */
  perSec: readonly (number | null)[];
  /** Entries in a stream, or the lag of a group. */
  amount: readonly (number | null)[];
}

interface Kept {
  perSec: (number | null)[];
  amount: (number | null)[];
}

const UNKNOWN: Minute = {perSec: Array(SECONDS).fill(null), amount: Array(SECONDS).fill(null)};

export class RecentMinute {
  #kept = new Map<string, Kept>();
  #second: number | undefined;

  /** Takes the next snapshot, as of `atMs`, on a clock that never goes back. */
  take({streams}: Pick<Snapshot, 'streams'>, atMs: number): void {
    const second = Math.floor(atMs / 1_000);
    const passed = this.#second === undefined ? 1 : Math.min(SECONDS, second - this.#second);
    this.#second = second;
    const kept = new Map<string, Kept>();
    const take = (key: string, perSec: number | null, amount: number | null): void => {
      const minute = this.#kept.get(key) ?? {perSec: [], amount: []};
      put(minute.perSec, perSec, passed);
      put(minute.amount, amount, passed);
      kept.set(key, minute);
    };
    for (const stream of streams) {
      take(rowKey(stream.stream), stream.addedPerSec, stream.length);
      for (const group of stream.groups ?? [])
        take(rowKey(stream.stream, group.group), group.deliveredPerSec, group.lag);
    }
    this.#kept = kept;
  }

  /** Of a stream, or of one of its groups. */
  of({stream}: Pick<StreamFacts, 'stream'>, group?: Pick<GroupFacts, 'group'>): Minute {
    const kept = this.#kept.get(rowKey(stream, group?.group));
    return kept === undefined ? UNKNOWN : {perSec: filled(kept.perSec), amount: filled(kept.amount)};
  }
}

/** As the value of `seconds` more seconds; of 0, as another value of the last one. */
function put(values: (number | null)[], value: number | null, seconds: number): void {
  if (seconds === 0) values.pop();
  for (let more = Math.max(1, seconds); more > 0; more--) values.push(value);
  if (values.length > SECONDS) values.splice(0, values.length - SECONDS);
}

const filled = (values: readonly (number | null)[]): (number | null)[] => [
  ...Array<null>(SECONDS - values.length).fill(null),
  ...values,
];
