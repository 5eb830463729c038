/**
 * What is remembered of a group between two readings: how long it has been waiting to be given something, and its pending entries and consumers as they
 * were read last. Invariant: a group waits only while there is an entry to give, so one that has read all does not stall.
 */
import {unlessRefused} from '../errors.js';
import {ageMs} from '../records/entry-time.js';
import type {Behind} from '../reports/behind.js';
import type {ConsumerReport} from '../reports/stream-report.js';
import type {GroupInfo, PendingEntry, StreamClient} from '../stream-client.js';
import {drainOf, type GroupRates} from './rates.js';
import type {ReadingTime} from './reading-time.js';
import type {GroupFacts} from './snapshot.js';

/** Pending entries that are read of a group: the lowest IDs. */
export const PENDING_PAGE = 100;

const UNKNOWN_RATES: GroupRates = {deliveredPerSec: null, donePerSec: null};

export class GroupReadings {
  #info: GroupInfo;
  #waitingSinceMs: number;
  /** Null where the user may not ask. */
  #pending: PendingEntry[] | null = [];
  #members: ConsumerReport[] | null | undefined;

  constructor(info: GroupInfo, atMs: number) {
    this.#info = info;
    this.#waitingSinceMs = atMs;
  }

  get info(): GroupInfo {
    return this.#info;
  }

  take(info: GroupInfo, atMs: number): this {
    if (info.lastDeliveredId !== this.#info.lastDeliveredId) this.#waitingSinceMs = atMs;
    this.#info = info;
    return this;
  }

  /** XPENDING - + 100: they come in the order of their IDs, whatever their number. */
  async readPendingEntries(client: StreamClient, stream: string): Promise<void> {
    const {name, pending} = this.#info;
    if (pending === 0) this.#pending = [];
    else this.#pending = (await unlessRefused(client.pendingPage(stream, name, {count: PENDING_PAGE}))) ?? null;
  }

  /** XINFO CONSUMERS, where there are at most so many; it has no pages. */
  async readMembers(client: StreamClient, stream: string, most: number): Promise<void> {
    const {name, consumers} = this.#info;
    if (consumers === 0) this.#members = [];
    else this.#members = consumers > most ? null : ((await unlessRefused(client.consumers(stream, name))) ?? null);
  }

  facts(
    behind: Behind,
    rates: GroupRates | undefined,
    addedPerSec: number | null,
    {nowMs, atMs}: ReadingTime,
  ): GroupFacts {
    const {name, consumers, pending, lastDeliveredId, entriesRead} = this.#info;
    const {lag, lagAtLeast, lagAtMost} = behind;
    if (lagAtMost === 0) this.#waitingSinceMs = atMs;
    const isKnown = lag !== null && lagAtLeast !== null && lagAtMost !== null;
    const {deliveredPerSec, donePerSec} = rates ?? UNKNOWN_RATES;
    return {
      group: name,
      consumers,
      pending,
      ...behind,
      lastDeliveredId,
      entriesRead: entriesRead ?? null,
      deliveredPerSec,
      donePerSec,
      ...drainOf({
        lag: isKnown ? {count: lag, atLeast: lagAtLeast, atMost: lagAtMost} : null,
        addedPerSec,
        deliveredPerSec,
        unmovedMs: atMs - this.#waitingSinceMs,
      }),
      ...this.#pendingFacts(nowMs),
      members: this.#members,
    };
  }

  #pendingFacts(nowMs: number) {
    const [oldest] = this.#pending ?? [];
    let most: number | bigint | null = null;
    for (const {deliveries, exactDeliveries = deliveries} of this.#pending ?? [])
      if (most === null || exactDeliveries > most) most = exactDeliveries;
    return {
      oldestPendingId: oldest?.id ?? null,
      oldestPendingAgeMs: oldest === undefined ? null : ageMs(oldest.id, nowMs),
      oldestPendingIdleMs: oldest === undefined || oldest.givenBack ? null : oldest.idleMs,
      // The server has an empty name where no consumer has the entry.
      oldestPendingConsumer: oldest === undefined || oldest.consumer === '' ? null : oldest.consumer,
      maxDeliveries: most,
      maxDeliveriesExact: this.#pending !== null && this.#info.pending <= this.#pending.length,
    };
  }
}
