/**
 * How much of the server's time readings may take. Invariants: a round takes at most its share of the time between two, or one stream; streams are
 * taken in turn, the one that was read the longest ago first. Times are in microseconds.
 */
import {COUNT_LIMITS, type CountLimits} from '../reports/entries-behind.js';
import {MOST_ENTRIES} from '../reports/list-lag.js';

/** Of the server's time. */
const SHARE = 0.02;

/** What commands take on Redis 7 on a small machine. A faster or slower one is measured by INFO commandstats. */
const COSTS = {
  stream: 32,
  groups: 18,
  length: 2,
  pending: 22,
  pendingEntry: 1.1,
  unread: 10,
  consumer: 1,
  kilobyte: 1,
} as const;

/** As INFO commandstats names them, where it tells subcommands apart. */
const MEASURED = [
  ['xinfo|stream', COSTS.stream],
  ['xinfo|groups', COSTS.groups],
] as const;

/** Below, it is for us that more would be too much work; above, commands of the same name from other clients must be what is slow. */
const [LEAST_SLOWNESS, MOST_SLOWNESS] = [0.4, 20];

/** How long to wait after looking at so many pending entries, and up so many entries, for what goes on for as long as it takes. */
export const pauseMsAfter = ({pending, lookups}: {pending: number; lookups: number}): number =>
  (COSTS.pending + pending * COSTS.pendingEntry + lookups * COSTS.unread) / 1_000 / SHARE;

/** What makes the reading of a stream expensive. */
export interface StreamSize {
  /** The pending entries of each group that are read. */
  pending: readonly number[];
  /** Consumers that are listed. */
  consumers: number;
  /** Of the entries that XINFO STREAM copies. */
  payloadBytes: number;
}

export class ServerTimeBudget {
  readonly #perRound: number;
  #slowness = 1;

  constructor(everyMs: number) {
    this.#perRound = everyMs * 1_000 * SHARE;
  }

  /** Takes what the server says of how long its commands take. */
  calibrate(times: ReadonlyMap<string, number>): void {
    const ratios = MEASURED.flatMap(([command, cost]) => {
      const each = times.get(command);
      return each === undefined ? [] : [each / cost];
    });
    if (ratios.length > 0) this.#slowness = Math.min(MOST_SLOWNESS, Math.max(LEAST_SLOWNESS, ...ratios));
  }

  /** What it takes to read a stream once. */
  costOf({pending, consumers, payloadBytes}: StreamSize): number {
    const groups = pending.reduce(
      (sum, entries) => sum + COSTS.unread + (entries > 0 ? COSTS.pending + entries * COSTS.pendingEntry : 0),
      0,
    );
    const others = consumers * COSTS.consumer + (payloadBytes / 1_024) * COSTS.kilobyte;
    return (COSTS.stream + COSTS.groups + COSTS.length + groups + others) * this.#slowness;
  }

  /** Those of `streams`, which come in the order of their turn, that may be read in this round: one at least. */
  take<T>(streams: readonly T[], costOf: (stream: T) => number): T[] {
    let left = this.#perRound;
    const end = streams.findIndex((stream, at) => {
      left -= costOf(stream);
      return left < 0 && at > 0;
    });
    return end === -1 ? [...streams] : streams.slice(0, end);
  }

  /** In how many rounds all that takes `total` is read once. */
  roundsOf(total: number): number {
    return Math.max(1, Math.ceil(total / this.#perRound));
  }
}

/** How much may be counted in one round, where no earlier reading tells how far a group is behind. */
export interface CountAllowance {
  /** For a stream of which the groups are behind by some `estimate` entries, and that was counted so long ago; undefined for not at all. */
  take(estimate: number, countedAgoMs: number): CountLimits | undefined;
}

const SMALL: CountLimits = {entries: 250, bytes: 128 * 1024};
const MOST_SMALL = 200;
const RECOUNT_MS = 30_000;
const LARGE_COUNTS = 2;
/** Of the budget, and what it takes Redis to read an entry. */
const SMALL_SHARE = 0.2;
const ENTRY_COST = 2.6;

/** While one watches: little, and now and then much for some. */
export class RoundCounts implements CountAllowance {
  #entries: number;
  #large = LARGE_COUNTS;

  constructor(everyMs: number) {
    this.#entries = (everyMs * 1_000 * SHARE * SMALL_SHARE) / ENTRY_COST;
  }

  take(estimate: number, countedAgoMs: number): CountLimits | undefined {
    if (estimate <= MOST_SMALL && estimate <= this.#entries) {
      this.#entries -= estimate;
      return SMALL;
    }
    return countedAgoMs >= RECOUNT_MS && this.#large-- > 0 ? COUNT_LIMITS : undefined;
  }
}

/** For one reading of everything: as much as `info` counts of a stream, and as a list counts in all. */
export class WholeCounts implements CountAllowance {
  #entries = MOST_ENTRIES;

  take(estimate: number): CountLimits | undefined {
    if (this.#entries <= 0) return undefined;
    this.#entries -= Math.min(estimate, 2 * COUNT_LIMITS.entries);
    return COUNT_LIMITS;
  }
}
