/**
 * Requests that add to the same stream in one turn of the event loop, as one
 * batch: encoded into the same bytes, written once, and waited for once, since
 * each of these costs more than a small request. Knows nothing of HTTP.
 * Invariant: each request is told of its own records, whatever becomes of those
 * of the others, and records leave in the order in which they came.
 */
import {StreamlogError} from '../errors.js';
import type {LeasedClient} from '../leased-client.js';
import type {EntryFields} from '../records/raw-fields.js';
import {type AddBatch, AddEncoder, type AddOptions, type AddResult} from '../stream-client.js';
import type {HeldRequests} from './held-requests.js';

/** Whoever waits for what became of his records. */
export interface AddCallback {
  /** His are `count` of `outcomes`, from `start` on. */
  settled(results: readonly AddResult[], start: number, count: number): void;
  /** What befell all of them alike. */
  failed(failure: unknown): void;
}

interface Share {
  readonly callback: AddCallback;
  readonly start: number;
  readonly count: number;
}

/** Enough for a turn of small requests. */
const FIRST_CAPACITY = 8 * 1024;
/** So much is sent without waiting for the end of the turn: Redis can begin with it. */
const FULL_BYTES = 64 * 1024;

/** The batches of this turn, by their streams. */
export class RequestBatcher {
  readonly #live: LeasedClient;
  readonly #held: HeldRequests;
  readonly #all = new Map<string, OpenBatch>();
  #isDue = false;

  constructor(live: LeasedClient, held: HeldRequests) {
    this.#live = live;
    this.#held = held;
  }

  /** Where records for `stream` gather. */
  to(stream: string): OpenBatch {
    let batch = this.#all.get(stream);
    if (batch === undefined) {
      batch = new OpenBatch(this.#live, stream, this.#held);
      this.#all.set(stream, batch);
    }
    if (!this.#isDue) {
      this.#isDue = true;
      setImmediate(() => this.#send());
    }
    return batch;
  }

  /** Sends what has gathered for `stream`, before something else goes there. */
  sendTo(stream: string): void {
    this.#all.get(stream)?.send();
  }

  /** Streams that come in each turn keep their memory, and all others leave none behind. */
  #send(): void {
    this.#isDue = false;
    for (const [stream, batch] of this.#all) if (!batch.send()) this.#all.delete(stream);
  }
}

class OpenBatch {
  readonly #live: LeasedClient;
  readonly #stream: string;
  readonly #held: HeldRequests;
  readonly #encoder: AddEncoder;
  #shares: Share[] = [];

  constructor(live: LeasedClient, stream: string, held: HeldRequests) {
    this.#live = live;
    this.#held = held;
    this.#stream = stream;
    this.#encoder = new AddEncoder(stream, FIRST_CAPACITY);
  }

  get records(): number {
    return this.#encoder.records;
  }

  add(fields: EntryFields, options: AddOptions): void {
    this.#encoder.add(fields, options, '*');
  }

  /** Gives the records from `start` on to `taker`. */
  share(start: number, taker: AddCallback): void {
    this.#shares.push({callback: taker, start, count: this.#encoder.records - start});
    if (this.#encoder.byteLength >= FULL_BYTES) this.send();
  }

  /** Takes the records from `start` on back. */
  cut(start: number): void {
    this.#encoder.cut(start);
  }

  /** False when there was nothing. */
  send(): boolean {
    if (this.#shares.length === 0) return false;
    const shares = this.#shares;
    this.#shares = [];
    this.#add(this.#encoder.take()).then(
      (results) => {
        for (const {callback: taker, start, count} of shares) taker.settled(results, start, count);
      },
      (failure) => {
        for (const {callback: taker} of shares) taker.failed(failure);
      },
    );
    return true;
  }

  #add(batch: AddBatch): Promise<AddResult[]> {
    return this.#live.use(async (client, doubt) => {
      const results = await client.addAll(this.#stream, batch);
      for (const outcome of results) if (outcome instanceof StreamlogError) doubt(outcome);
      const last = results.at(-1);
      if (typeof last === 'string') this.#held.confirmed(this.#stream, last, results.length);
      return results;
    });
  }
}

export type {OpenBatch};
