/**
 * One stream that is read again and again, in steps, so that the commands for many streams go out together. Invariants: only
 * commands that read are sent; an entry that is too large to be copied within a few milliseconds is not asked for.
 */
import {NOT_ALLOWED, unlessRefused} from '../errors.js';
import {streamChange} from '../reading/stream-change.js';
import {firstFacts, lastFacts} from '../reports/end-facts.js';
import {bytesOf} from '../reports/entries-behind.js';
import {consumersOf, LARGE_ENTRY_BYTES, MOST_CONSUMERS_MEASURED_OFTEN} from '../reports/measurable.js';
import type {StreamClient, StreamInfo} from '../stream-client.js';
import type {CountAllowance, StreamSize} from './budget.js';
import {DeadLetterReadings} from './dead-letter-readings.js';
import {GroupLags} from './group-lags.js';
import {GroupReadings, PENDING_PAGE} from './group-readings.js';
import {countersOf, NO_RATES, RateMeter, type StreamRates} from './rates.js';
import type {ReadingTime} from './reading-time.js';
import type {StreamFacts} from './snapshot.js';

const MEASURED_EACH_MS = 60_000;

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
  /** Null where the user may not ask. */
  #groups: Map<string, GroupReadings> | null = new Map();
  #bytes: number | null = null;
  #measuredAtMs = Number.NEGATIVE_INFINITY;
  #meter = new RateMeter();
  #rates: StreamRates = NO_RATES;
  readonly #lags = new GroupLags();
  readonly #deadLetters: DeadLetterReadings;

  constructor(name: string) {
    this.name = name;
    this.#deadLetters = new DeadLetterReadings(name);
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
    const groups = await unlessRefused(client.groups(this.name), NOT_ALLOWED);
    const mayMeasure = consumersOf(groups) <= MOST_CONSUMERS_MEASURED_OFTEN;
    const [bytes, length] = await Promise.all([
      mayMeasure ? unlessRefused(client.bytes(this.name), NOT_ALLOWED) : null,
      client.length(this.name),
    ]);
    this.#bytes = bytes ?? null;
    this.#length = length;
    this.#measuredAtMs = atMs;
  }

  /** Throws `notFound` when there is no such stream. */
  async readCounters(client: StreamClient, {atMs}: ReadingTime): Promise<void> {
    const asked = this.#hasLargeEntries ? client.length(this.name) : client.info(this.name);
    const [counted, groups] = await Promise.all([asked, unlessRefused(client.groups(this.name), NOT_ALLOWED)]);
    this.#take(typeof counted === 'number' ? undefined : counted);
    this.#length = typeof counted === 'number' ? counted : counted.length;
    const before = this.#groups;
    this.#groups =
      groups === undefined
        ? null
        : new Map(
            groups.map((info) => [
              info.name,
              (before?.get(info.name) ?? new GroupReadings(info, atMs)).take(info, atMs),
            ]),
          );
    this.#rates = this.#meter.take(countersOf(this.#info, groups ?? [], atMs));
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
    this.#lags.forget();
  }

  /** `others` are the streams that are read anyway. */
  async readDeadLetters(
    client: StreamClient,
    others: ReadonlyMap<string, ObservedStream>,
    {atMs}: ReadingTime,
  ): Promise<void> {
    await this.#deadLetters.read(client, others.get(this.#deadLetters.stream)?.facts, atMs);
  }

  /** How far its groups are behind, as of `readCounters`. */
  async readLags(client: StreamClient, counts: CountAllowance, time: ReadingTime): Promise<void> {
    const groups = this.groups.map(({info}) => info);
    const reading = {stream: this.name, length: this.#length, info: this.#info, groups};
    await this.#lags.read(client, reading, counts, time);
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
      deadLetters: this.#deadLetters.facts(nowMs),
      groups:
        this.#groups === null
          ? null
          : this.groups.map((group) => {
              const {name} = group.info;
              return group.facts(this.#lags.of(name), groups.get(name), addedPerSec, {nowMs, atMs});
            }),
      ageMs: 0,
    };
    if (info !== undefined) this.#info = withoutPayloads(info);
  }

  get #hasLargeEntries(): boolean {
    const each = this.#bytes === null || this.#length === 0 ? 0 : this.#bytes / this.#length;
    return Math.max(each, this.#payloadBytes / 2) > LARGE_ENTRY_BYTES;
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
