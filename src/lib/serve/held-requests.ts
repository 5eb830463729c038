/**
 * Checks after each reconnection whether Redis still has what was answered with
 * 201 last: a failover may have lost it (docs/adr/0008). Requests with an
 * Idempotency-Key are kept and added again where the stream lacks their entries;
 * of others the loss is reported. Invariant: a new connection is checked before use.
 */
import {isFailure} from '../errors.js';
import {ConfirmedIds, firstLost} from '../records/confirmed-ids.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {IdempotentCall, IdempotentResult, StreamClient} from '../stream-client.js';

export interface HeldRequestsOptions {
  /** How long requests are kept. */
  ms: number;
  /** Reports what was lost, or added again, in one line. */
  warn: (line: string) => void;
}

interface Held {
  readonly stream: string;
  readonly call: IdempotentCall;
  readonly bytes: number;
  /** The ID of its first record, as it was answered. */
  readonly firstId: string;
  readonly atMs: number;
}

const MOST_BYTES = 16 * 1024 ** 2;
/** Streams whose last IDs are kept. */
const MOST_STREAMS = 256;
/** IDs per stream: one for each 20 ms, so that they cover five seconds. */
const IDS = {most: 256, grainMs: 20};

export class HeldRequests {
  readonly #options: HeldRequestsOptions;
  readonly #held: Held[] = [];
  #bytes = 0;
  readonly #ids = new Map<string, ConfirmedIds>();

  constructor(options: HeldRequestsOptions) {
    this.#options = options;
  }

  /** Keeps a confirmed call with an Idempotency-Key; `firstId` is the ID of its first record. */
  keep(stream: string, call: IdempotentCall, firstId: string): void {
    const nowMs = performance.now();
    const bytes = call.byteLength;
    this.#held.push({stream, call, bytes, firstId, atMs: nowMs});
    this.#bytes += bytes;
    let over = 0;
    while (over < this.#held.length) {
      const {atMs, bytes: size} = this.#held[over]!;
      if (nowMs - atMs < this.#options.ms && this.#bytes <= MOST_BYTES) break;
      this.#bytes -= size;
      over++;
    }
    if (over > 0) this.#held.splice(0, over);
  }

  /** Counts `count` confirmed records without a key, up to the ID `last`. */
  confirmed(stream: string, last: string, count: number): void {
    let ids = this.#ids.get(stream);
    if (ids === undefined) {
      ids = new ConfirmedIds(IDS);
      this.#ids.set(stream, ids);
      if (this.#ids.size > MOST_STREAMS) this.#ids.delete(this.#ids.keys().next().value!);
    }
    ids.push(last, count);
  }

  /** Whether nothing is kept that a failover may have lost. */
  get isEmpty(): boolean {
    return this.#held.length === 0 && this.#ids.size === 0;
  }

  /** Checks a server before it is used. Throws when the connection is lost meanwhile. */
  async bringTo(client: StreamClient): Promise<StreamClient> {
    try {
      // Before adding again: entries missing before newer ones would look trimmed.
      const lost = await this.#findLost(client);
      try {
        const again = await this.#addAgain(client);
        if (again > 0)
          this.#options.warn(
            `${again} requests with an Idempotency-Key were added again, since a failover had lost them; their entries have other IDs now`,
          );
      } finally {
        for (const line of lost) this.#options.warn(line);
      }
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Adds again in the original order, and returns how many requests were missing. */
  async #addAgain(client: StreamClient): Promise<number> {
    const held = await this.#lackedBy(client);
    const results: Promise<IdempotentResult>[] = [];
    for (const {stream, call} of held) {
      // It takes several round trips, in which later calls could overtake it.
      const isTransaction = call.transaction !== undefined;
      if (isTransaction) await Promise.all(results);
      results.push(client.addOnce(stream, call));
      if (isTransaction) await results.at(-1);
    }
    let again = 0;
    (await Promise.all(results)).forEach(({ids, stopped}, index) => {
      if (isFailure(stopped, 'unreachable')) throw stopped;
      if (ids[0] !== undefined && ids[0] !== held[index]!.firstId) again++;
    });
    return again;
  }

  /** The requests whose entries the server lacks, in their original order. */
  async #lackedBy(client: StreamClient): Promise<Held[]> {
    const lacked = new Set<Held>();
    for (const stream of new Set(this.#held.map((held) => held.stream))) {
      const held = this.#held.filter((one) => one.stream === stream);
      held.sort((a, b) => compareStreamIds(a.firstId, b.firstId));
      try {
        const ids = held.map(({firstId}) => firstId);
        const first = await firstLost(client, stream, ids);
        for (const one of first === undefined ? [] : held.slice(first)) lacked.add(one);
      } catch (error) {
        if (isFailure(error, 'unreachable')) throw error;
        // A Redis user who may only add cannot check.
      }
    }
    return this.#held.filter((one) => lacked.has(one));
  }

  /** A line for each stream that lacks entries. */
  async #findLost(client: StreamClient): Promise<string[]> {
    const lines: string[] = [];
    for (const [stream, ids] of this.#ids) {
      try {
        const lost = await ids.findLost(client, stream, ids.take());
        if (lost === undefined) continue;
        lines.push(
          `up to ${lost.count} records that were answered with 201 are lost, as by a failover: stream "${stream}" has no ` +
            `entries after ${lost.after} up to ${lost.upTo}; requests with an Idempotency-Key are added again`,
        );
      } catch (error) {
        if (isFailure(error, 'unreachable')) throw error;
        // A Redis user who may only add cannot check.
      }
    }
    return lines;
  }
}
