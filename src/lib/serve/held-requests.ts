/**
 * What was answered with 201 last, held against each server that we come to
 * after a lost connection: a failover may have taken it back. Requests with an
 * Idempotency-Key are kept, bounded in time and bytes, and sent again, which adds
 * only what is missing (docs/adr/0007, 0008), and only where the stream lacks their
 * entries, since what Redis knows of a key may have been dropped or have expired; of all others the loss can only be
 * told. Invariant: nothing of a new connection is used before it was looked at.
 */

import {isFailure} from '../errors.js';
import {ConfirmedIds, firstLost} from '../records/confirmed-ids.js';
import {compareStreamIds} from '../records/stream-id.js';
import type {IdempotentCall, IdempotentResult, StreamClient} from '../stream-client.js';

export interface HeldRequestsOptions {
  /** How long requests are kept. */
  ms: number;
  /** One line about what was lost, or added again. */
  warn: (line: string) => void;
}

interface Held {
  readonly stream: string;
  readonly call: IdempotentCall;
  readonly bytes: number;
  /** The ID that was told of its first record. */
  readonly firstId: string;
  readonly atMs: number;
}

const MOST_BYTES = 16 * 1024 ** 2;
/** Streams of which the last IDs are known. */
const MOST_STREAMS = 256;
/** IDs of a stream, one for what was confirmed within some milliseconds: five seconds in all. */
const IDS = {most: 256, grainMs: 20};

export class HeldRequests {
  readonly #options: HeldRequestsOptions;
  readonly #held: Held[] = [];
  #bytes = 0;
  readonly #ids = new Map<string, ConfirmedIds>();

  constructor(options: HeldRequestsOptions) {
    this.#options = options;
  }

  /** A call with an Idempotency-Key was confirmed; `firstId` is that of its first record. */
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

  /** `count` records without a key were confirmed, up to the ID `last`. */
  confirmed(stream: string, last: string, count: number): void {
    let ids = this.#ids.get(stream);
    if (ids === undefined) {
      ids = new ConfirmedIds(IDS);
      this.#ids.set(stream, ids);
      if (this.#ids.size > MOST_STREAMS) this.#ids.delete(this.#ids.keys().next().value!);
    }
    ids.push(last, count);
  }

  /** Whether anything is kept that a failover may have taken back. */
  get isEmpty(): boolean {
    return this.#held.length === 0 && this.#ids.size === 0;
  }

  /** Looks at a server before it is used. Throws when the connection is lost meanwhile. */
  async bringTo(client: StreamClient): Promise<StreamClient> {
    try {
      // First: behind what is added again, what is missing would look as if it had been trimmed.
      const lost = await this.#findLost(client);
      try {
        const again = await this.#addAgain(client);
        if (again > 0)
          this.#options.warn(
            `${again} requests with an Idempotency-Key were added again, as a failover had taken them back; their IDs are not those that were told`,
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

  /** In the order in which they came; how many were missing. */
  async #addAgain(client: StreamClient): Promise<number> {
    const held = await this.#lackedBy(client);
    const results: Promise<IdempotentResult>[] = [];
    for (const {stream, call} of held) {
      // It takes several round trips, in which others could overtake it.
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

  /** What is held of entries that `client` has not got, in the order in which it came. */
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
        // Who may only add cannot know.
      }
    }
    return this.#held.filter((one) => lacked.has(one));
  }

  /** A line about each stream that lacks something. */
  async #findLost(client: StreamClient): Promise<string[]> {
    const lines: string[] = [];
    for (const [stream, ids] of this.#ids) {
      try {
        const lost = await ids.findLost(client, stream, ids.take());
        if (lost === undefined) continue;
        lines.push(
          `up to ${lost.count} records that were answered with 201 are lost, as by a failover: stream "${stream}" has none of the ` +
            `IDs after ${lost.after} up to ${lost.upTo}; requests with an Idempotency-Key are added again`,
        );
      } catch (error) {
        if (isFailure(error, 'unreachable')) throw error;
        // Who may only add cannot know.
      }
    }
    return lines;
  }
}
