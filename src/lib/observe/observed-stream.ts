/**
 * One stream that is read again and again, in steps, so that the commands for many streams go out together. Invariants: only
 * commands that read are sent; an entry that is too large to be copied within a few milliseconds is not asked for.
 */
import {deadLetterKey} from '../colocated-key.js';
import {isFailure} from '../errors.js';
import {streamChange} from '../reading/stream-change.js';
import {ageMs} from '../records/entry-time.js';
import {compareStreamIds, earlierId} from '../records/stream-id.js';
import {type Behind, behindOf, ofLargeEntries} from '../reports/behind.js';
import {firstFacts, lastFacts} from '../reports/end-facts.js';
import {bytesOf, type EntryCount, entriesBehind, isExact} from '../reports/entries-behind.js';
import {lagFrom} from '../reports/lag.js';
import {NONE} from '../reports/list-lag.js';
import {consumersOf, MOST_CONSUMERS_MEASURED_OFTEN} from '../reports/measurable.js';
import {firstUnread} from '../reports/oldest-unread.js';
import {unlessRefused} from '../reports/unless-refused.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import type {CountAllowance, StreamSize} from './budget.js';
import {GroupReadings, PENDING_PAGE} from './group-readings.js';
import {CarriedCounts} from './lag-carried.js';
import {NO_RATES, RateMeter, type StreamRates} from './rates.js';
import type {DeadLetterFacts, StreamFacts} from './snapshot.js';

/** Bytes of an entry up to which XINFO STREAM, which copies two of them, takes Redis a millisecond. */
const LARGE_ENTRY_BYTES = 256 * 1024;
const MEASURED_EACH_MS = 60_000;
const DEAD_LETTERS_EACH_MS = 10_000;

/** When something is read: the server's clock for ages, and one that never goes back. */
export interface ReadingTime {
  nowMs: number;
  atMs: number;
}

export class ObservedStream {
  readonly name: string;
  /** Undefined before it was read. */
  facts: StreamFacts | undefined;
  /** When it was read; the clock that never goes back. */
  readAtMs = Number.NEGATIVE_INFINITY;
  /** When it was its turn last, whether or not it could be read. */
  triedAtMs = Number.NEGATIVE_INFINITY;
  /** Why it is not read. */
  omitted: 'denied' | 'unanswered' | undefined;
  #length = 0;
  #info: StreamInfo | undefined;
  /** Of what XINFO STREAM copies. */
  #payloadBytes = 0;
  /** Undefined before they were read, null where the user may not ask. */
  #groups: Map<string, GroupReadings> | null = new Map();
  #bytes: number | null = null;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #meter = new RateMeter();
  #rates: StreamRates = NO_RATES;
  #carried = new CarriedCounts();
  #countedAtMs = Number.NEGATIVE_INFINITY;
  /** Behind each ID at least, in the last reading: an old server says nothing else by which a lag could be guessed. */
  readonly #lastCounts = new Map<string, number>();
  #unread = new Map<string, string>();
  #lags = new Map<string, Behind>();
  #dead: {length: number; newestId: string | null} | null = {length: 0, newestId: null};
  #deadReadAtMs = Number.NEGATIVE_INFINITY;

  constructor(name: string) {
    this.name = name;
  }

  get groups(): GroupReadings[] {
    return [...(this.#groups?.values() ?? [])];
  }

  /** What makes it expensive to read. */
  size(consumersUpTo: number): StreamSize {
    const infos = this.groups.map(({info}) => info);
    const listed = infos.filter(({consumers}) => consumers <= consumersUpTo);
    return {
      pending: infos.map(({pending}) => Math.min(pending, PENDING_PAGE)),
      consumers: listed.reduce((sum, {consumers}) => sum + consumers, 0),
      payloadBytes: this.#payloadBytes,
    };
  }

  /** XINFO GROUPS, and once a minute MEMORY USAGE, which says whether entries are too large for XINFO STREAM. */
  async measure(client: StreamClient, {atMs}: ReadingTime): Promise<void> {
    if (atMs - this.#measuredAtMs < MEASURED_EACH_MS) return;
    const groups = await unlessDenied(client.groups(this.name));
    const mayMeasure = consumersOf(groups) <= MOST_CONSUMERS_MEASURED_OFTEN;
    const [bytes, length] = await Promise.all([
      mayMeasure ? unlessDenied(client.bytes(this.name)) : null,
      client.length(this.name),
    ]);
    this.#bytes = bytes ?? null;
    this.#length = length;
    this.#measuredAtMs = atMs;
  }

  /** Throws `notFound` when there is no such stream. */
  async readCounters(client: StreamClient, {atMs}: ReadingTime): Promise<void> {
    const asked = this.#hasLargeEntries ? client.length(this.name) : client.info(this.name);
    const [counted, groups] = await Promise.all([asked, unlessDenied(client.groups(this.name))]);
    this.#take(typeof counted === 'number' ? undefined : counted);
    this.#length = typeof counted === 'number' ? counted : counted.length;
    const before = this.#groups;
    this.#groups =
      groups === null
        ? null
        : new Map(
            groups.map((info) => [
              info.name,
              (before?.get(info.name) ?? new GroupReadings(info, atMs)).take(info, atMs),
            ]),
          );
    this.#rates = this.#meter.take({
      atMs,
      entriesAdded: this.#info?.entriesAdded ?? null,
      groups: (groups ?? []).map((group) => ({...group, entriesRead: group.entriesRead ?? null})),
    });
    this.omitted = undefined;
  }

  /** A stream that is another one than before shares nothing with it but its name. */
  #take(info: StreamInfo | undefined): void {
    const before = this.#info;
    this.#info = info;
    if (info !== undefined) this.#payloadBytes = payloadBytesOf(info);
    if (before === undefined || info === undefined) return;
    if (streamChange(before, before.lastGeneratedId, info) === 'none') return;
    this.#meter = new RateMeter();
    this.#carried = new CarriedCounts();
    this.#unread.clear();
  }

  /** XLEN of its dead letter stream; `others` are the streams that are read anyway. */
  async readDeadLetters(
    client: StreamClient,
    others: ReadonlyMap<string, ObservedStream>,
    {atMs}: ReadingTime,
  ): Promise<void> {
    const key = deadLetterKey(this.name);
    const length = await unlessRefused(client.length(key));
    if (length === null) {
      this.#dead = null;
      return;
    }
    const before = this.#dead;
    if (length === 0) this.#dead = {length, newestId: null};
    else if (others.get(key)?.facts !== undefined) this.#dead = {length, newestId: others.get(key)!.facts!.lastId};
    else if (before?.length === length && atMs - this.#deadReadAtMs < DEAD_LETTERS_EACH_MS)
      this.#dead = {length, newestId: before.newestId};
    else {
      const bytes = await unlessRefused(client.bytes(key, {samples: 1}));
      const isLarge = (bytes ?? 0) / length > LARGE_ENTRY_BYTES;
      const info = isLarge ? null : await unlessRefused(client.info(key));
      this.#dead = {length, newestId: info?.lastEntry?.id ?? null};
      this.#deadReadAtMs = atMs;
    }
  }

  /** How far its groups are behind, as of `readCounters`. */
  async readLags(client: StreamClient, counts: CountAllowance, {nowMs, atMs}: ReadingTime): Promise<void> {
    const [info, groups] = [this.#info, this.groups];
    this.#lags = new Map();
    if (groups.length === 0) return;
    if (info === undefined) {
      for (const {info: group} of groups) this.#lags.set(group.name, ofLargeEntries(this.#length, group));
      return;
    }
    const ids = groups.map((group) => group.info.lastDeliveredId);
    this.#carried.take(info, ids.reduce(earlierId));
    const behind = await this.#narrowed(client, info, ids);
    await this.#count(client, info, behind, counts, atMs);
    this.#lastCounts.clear();
    for (const [id, count] of behind) {
      this.#lastCounts.set(id, count.atLeast);
      this.#carried.note(id, count);
      behind.set(id, {...count, firstId: count.firstId ?? this.#rememberedUnread(id, info)});
    }
    const unread = await firstUnread(client, this.name, info, behind);
    this.#unread = new Map([...unread].flatMap(([id, first]) => (typeof first === 'string' ? [[id, first]] : [])));
    for (const {info: group} of groups) {
      this.#lags.set(group.name, behindOf(info, group, behind, unread, nowMs));
    }
  }

  /** Makes the facts of what was read. */
  conclude({nowMs, atMs}: ReadingTime): void {
    const info = this.#info;
    const length = this.#length;
    const ends = {firstEntry: info?.firstEntry, lastEntry: info?.lastEntry};
    const {addedPerSec, groups} = this.#rates;
    this.readAtMs = atMs;
    this.triedAtMs = atMs;
    this.facts = {
      stream: this.name,
      length,
      ...firstFacts(ends, nowMs),
      ...lastFacts(ends, nowMs),
      lastGeneratedId: info?.lastGeneratedId ?? null,
      entriesAdded: info?.entriesAdded ?? null,
      maxDeletedId: info?.maxDeletedId ?? null,
      radixTreeKeys: info?.nodes ?? null,
      radixTreeNodes: info?.treeNodes ?? null,
      addedPerSec,
      bytes: this.#bytes,
      bytesPerEntry: this.#bytes === null || length === 0 ? null : Math.round(this.#bytes / length),
      deadLetters: this.#deadLetterFacts(nowMs),
      groups:
        this.#groups === null
          ? null
          : this.groups.map((group) => {
              const lag = this.#lags.get(group.info.name)!;
              return group.facts(lag, groups.get(group.info.name), addedPerSec, {nowMs, atMs});
            }),
      ageMs: 0,
    };
    if (info !== undefined) this.#info = withoutPayloads(info);
  }

  get #hasLargeEntries(): boolean {
    const each = this.#bytes === null || this.#length === 0 ? 0 : this.#bytes / this.#length;
    return Math.max(each, this.#payloadBytes / 2) > LARGE_ENTRY_BYTES;
  }

  /** What follows from IDs and from earlier readings. */
  async #narrowed(client: StreamClient, info: StreamInfo, ids: readonly string[]): Promise<Map<string, EntryCount>> {
    const behind = await entriesBehind(client, this.name, info, ids, NONE);
    for (const [id, count] of behind) behind.set(id, this.#carried.narrow(id, count));
    return behind;
  }

  /** Counts what is still not exact, where that is allowed. */
  async #count(
    client: StreamClient,
    info: StreamInfo,
    behind: Map<string, EntryCount>,
    counts: CountAllowance,
    atMs: number,
  ): Promise<void> {
    const open = this.groups.filter(({info: group}) => !isExact(behind.get(group.lastDeliveredId)!));
    if (open.length === 0) return;
    const lags = open.map(({info: group}) => {
      const {lastDeliveredId: id} = group;
      return Math.min(
        lagFrom(info, group, behind.get(id)!).count,
        this.#lastCounts.get(id) ?? Number.POSITIVE_INFINITY,
      );
    });
    const limits = counts.take(Math.max(...lags), atMs - this.#countedAtMs);
    if (limits === undefined) return;
    this.#countedAtMs = atMs;
    const ids = open.map(({info: group}) => group.lastDeliveredId);
    const counted = await entriesBehind(client, this.name, info, ids, limits);
    for (const [id, count] of counted) behind.set(id, isExact(count) ? count : within(count, behind.get(id)!));
  }

  /** The first unread entry behind `id`, if it is certain to be there still. */
  #rememberedUnread(id: string, {firstEntry, maxDeletedId}: StreamInfo): string | undefined {
    const first = this.#unread.get(id);
    if (first === undefined || firstEntry === undefined || maxDeletedId === undefined) return undefined;
    const isThere = compareStreamIds(firstEntry.id, first) <= 0 && compareStreamIds(maxDeletedId, first) < 0;
    return isThere ? first : undefined;
  }

  #deadLetterFacts(nowMs: number): DeadLetterFacts | null {
    if (this.#dead === null) return null;
    const {length, newestId} = this.#dead;
    return {stream: deadLetterKey(this.name), length, newestAgeMs: newestId === null ? null : ageMs(newestId, nowMs)};
  }
}

const payloadBytesOf = ({firstEntry, lastEntry}: StreamInfo): number =>
  [firstEntry, lastEntry].reduce((sum, entry) => sum + (entry === undefined ? 0 : bytesOf(entry)), 0);

/** What is kept until the next reading: of thousands of streams, payloads would take too much memory. */
const withoutPayloads = (info: StreamInfo): StreamInfo => ({
  ...info,
  firstEntry: info.firstEntry && {id: info.firstEntry.id, fields: []},
  lastEntry: info.lastEntry && {id: info.lastEntry.id, fields: []},
});

/** Both are certain. */
function within(one: EntryCount, other: EntryCount): EntryCount {
  const atLeast = Math.max(one.atLeast, other.atLeast);
  const atMost = Math.min(one.atMost, other.atMost);
  if (atLeast > atMost) return one;
  return {...one, atLeast, atMost, estimate: Math.min(atMost, Math.max(atLeast, one.estimate))};
}

/** Null where the user may not ask, or the server does not know the command. */
async function unlessDenied<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isFailure(error, 'denied') || isFailure(error, 'configuration')) return null;
    throw error;
  }
}
