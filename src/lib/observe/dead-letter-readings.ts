/**
 * The dead letter stream of a stream that is read again and again: how many entries it has, and the age of the newest. Invariant: the newest one is
 * asked for only where the number has changed, or after a while, and never where entries are large.
 */

import {deadLetterKey} from '../colocated-key.js';
import {unlessRefused} from '../errors.js';
import {ageMs} from '../records/entry-time.js';
import {LARGE_ENTRY_BYTES} from '../reports/measurable.js';
import type {StreamClient} from '../stream-client.js';
import type {DeadLetterFacts, StreamFacts} from './snapshot.js';

const NEWEST_EACH_MS = 10_000;

export class DeadLetterReadings {
  readonly stream: string;
  /** Null where the user may not ask. */
  #last: {length: number; newestId: string | null} | null = {length: 0, newestId: null};
  #newestReadAtMs = Number.NEGATIVE_INFINITY;

  /** `stream` is the one that has the dead letters. */
  constructor(stream: string) {
    this.stream = deadLetterKey(stream);
  }

  /** XLEN; `known` are its facts where it is read as a stream of its own anyway. */
  async read(client: StreamClient, known: Pick<StreamFacts, 'lastId'> | undefined, atMs: number): Promise<void> {
    const length = await unlessRefused(client.length(this.stream));
    const before = this.#last;
    if (length === undefined) this.#last = null;
    else if (length === 0) this.#last = {length, newestId: null};
    else if (known !== undefined) this.#last = {length, newestId: known.lastId};
    else if (before?.length === length && atMs - this.#newestReadAtMs < NEWEST_EACH_MS)
      this.#last = {length, newestId: before.newestId};
    else {
      this.#last = {length, newestId: await this.#newestId(client, length)};
      this.#newestReadAtMs = atMs;
    }
  }

  facts(nowMs: number): DeadLetterFacts | null {
    if (this.#last === null) return null;
    const {length, newestId} = this.#last;
    return {stream: this.stream, length, newestAgeMs: newestId === null ? null : ageMs(newestId, nowMs)};
  }

  async #newestId(client: StreamClient, length: number): Promise<string | null> {
    const bytes = await unlessRefused(client.bytes(this.stream, {samples: 1}));
    if ((bytes ?? 0) / length > LARGE_ENTRY_BYTES) return null;
    const info = await unlessRefused(client.info(this.stream));
    return info?.lastEntry?.id ?? null;
  }
}
