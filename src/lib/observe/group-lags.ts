/**
 * How far the groups of one stream are behind, reading after reading: what an earlier one has found narrows the bounds of the next, so that little
 * is counted again. Invariant: a lag is as of the counters that it is read with.
 */
import {compareStreamIds, earlierId} from '../records/stream-id.js';
import {type Behind, behindOf, ofLargeEntries} from '../reports/behind.js';
import {type EntryCount, entriesBehind, isExact} from '../reports/entries-behind.js';
import {lagFrom} from '../reports/lag.js';
import {NONE} from '../reports/list-lag.js';
import {firstUnread} from '../reports/oldest-unread.js';
import type {GroupInfo, StreamClient, StreamInfo} from '../stream-client.js';
import type {CountAllowance} from './budget.js';
import {CarriedCounts} from './lag-carried.js';
import type {ReadingTime} from './reading-time.js';

/** What was read of a stream. */
export interface ReadCounters {
  stream: string;
  length: number;
  groups: readonly GroupInfo[];
  /** Undefined where entries are too large for XINFO STREAM. */
  info: StreamInfo | undefined;
}

/** The same with an `info`. */
type InformedCounters = ReadCounters & {info: StreamInfo};

export class GroupLags {
  #carried = new CarriedCounts();
  #countedAtMs = Number.NEGATIVE_INFINITY;
  /** Behind each ID at least, in the last reading: an old server says nothing else by which a lag could be guessed. */
  readonly #lastCounts = new Map<string, number>();
  /** The first unread entry behind each ID. */
  #unread = new Map<string, string>();
  #lags = new Map<string, Behind>();

  /** It is another stream than before. */
  forget(): void {
    this.#carried = new CarriedCounts();
    this.#unread.clear();
  }

  /** Of a group that was in the last reading. */
  of(group: string): Behind {
    return this.#lags.get(group)!;
  }

  async read(client: StreamClient, reading: ReadCounters, counts: CountAllowance, time: ReadingTime): Promise<void> {
    const {info, groups, length} = reading;
    if (groups.length === 0) this.#lags = new Map();
    else if (info === undefined)
      this.#lags = new Map(groups.map((group) => [group.name, ofLargeEntries(length, group)]));
    else this.#lags = await this.#lagsOf(client, {...reading, info}, counts, time);
  }

  async #lagsOf(
    client: StreamClient,
    reading: InformedCounters,
    counts: CountAllowance,
    {nowMs, atMs}: ReadingTime,
  ): Promise<Map<string, Behind>> {
    const {stream, info, groups} = reading;
    const ids = groups.map(({lastDeliveredId}) => lastDeliveredId);
    this.#carried.take(info, ids.reduce(earlierId));
    const behind = await this.#narrowed(client, reading, ids);
    await this.#count(client, reading, behind, counts, atMs);
    this.#lastCounts.clear();
    for (const [id, count] of behind) {
      this.#lastCounts.set(id, count.atLeast);
      this.#carried.note(id, count);
      behind.set(id, {...count, firstId: count.firstId ?? this.#rememberedUnread(id, info)});
    }
    const unread = await firstUnread(client, stream, info, behind);
    this.#unread = new Map([...unread].flatMap(([id, first]) => (typeof first === 'string' ? [[id, first]] : [])));
    return new Map(groups.map((group) => [group.name, behindOf(info, group, behind, unread, nowMs)]));
  }

  /** What follows from IDs and from earlier readings. */
  async #narrowed(
    client: StreamClient,
    {stream, info}: InformedCounters,
    ids: readonly string[],
  ): Promise<Map<string, EntryCount>> {
    const behind = await entriesBehind(client, stream, info, ids, NONE);
    for (const [id, count] of behind) behind.set(id, this.#carried.narrow(id, count));
    return behind;
  }

  /** Counts what is still not exact, where that is allowed. */
  async #count(
    client: StreamClient,
    {stream, info, groups}: InformedCounters,
    behind: Map<string, EntryCount>,
    counts: CountAllowance,
    atMs: number,
  ): Promise<void> {
    const open = groups.filter((group) => !isExact(behind.get(group.lastDeliveredId)!));
    if (open.length === 0) return;
    const lags = open.map((group) => {
      const {lastDeliveredId: id} = group;
      const {count} = lagFrom(info, group, behind.get(id)!);
      return Math.min(count, this.#lastCounts.get(id) ?? Number.POSITIVE_INFINITY);
    });
    const limits = counts.take(Math.max(...lags), atMs - this.#countedAtMs);
    if (limits === undefined) return;
    this.#countedAtMs = atMs;
    const ids = open.map(({lastDeliveredId}) => lastDeliveredId);
    const counted = await entriesBehind(client, stream, info, ids, limits);
    for (const [id, count] of counted) behind.set(id, isExact(count) ? count : within(count, behind.get(id)!));
  }

  /** The first unread entry behind `id`, if it is certain to be there still. */
  #rememberedUnread(id: string, {firstEntry, maxDeletedId}: StreamInfo): string | undefined {
    const first = this.#unread.get(id);
    if (first === undefined || firstEntry === undefined || maxDeletedId === undefined) return undefined;
    const isThere = compareStreamIds(firstEntry.id, first) <= 0 && compareStreamIds(maxDeletedId, first) < 0;
    return isThere ? first : undefined;
  }
}

/** Both are certain. */
function within(one: EntryCount, other: EntryCount): EntryCount {
  const atLeast = Math.max(one.atLeast, other.atLeast);
  const atMost = Math.min(one.atMost, other.atMost);
  if (atLeast > atMost) return one;
  return {...one, atLeast, atMost, estimate: Math.min(atMost, Math.max(atLeast, one.estimate))};
}
