/**
 * Requests that add to the same stream in one turn of the event loop, as one
 * batch: encoded into the same bytes, written once, and waited for once, since
 * each of these costs more than a small request. Knows nothing of HTTP.
 * Invariant: each request is told of its own records, whatever becomes of those
 * of the others, and records leave in the order in which they came.
 */
import {StreamlogError} from '../errors.js';
import type {LiveClient} from '../leased-client.js';
import type {EntryFields} from '../records/raw-fields.js';
import {type AddBatch, AddEncoder, type AddOptions, type AddOutcome} from '../stream-client.js';
import type {HeldRequests} from './held-requests.js';

/** Whoever waits for what became of his records. */
export interface OutcomeTaker {
  /** His are `count` of `outcomes`, from `start` on. */
  settled(outcomes: readonly AddOutcome[], start: number, count: number): void;
  /** What befell all of them alike. */
  failed(failure: unknown): void;
}

interface Share {
  readonly taker: OutcomeTaker;
  readonly start: number;
  readonly count: number;
}

/** Enough for a turn of small requests. */
const FIRST_CAPACITY = 8 * 1024;
/** So much is sent without waiting for the end of the turn: Redis can begin with it. */
const FULL_BYTES = 64 * 1024;

/** The batches of this turn, by their streams. */
export class Gatherings {
  readonly #live: LiveClient;
  readonly #held: HeldRequests;
  readonly #all = new Map<string, Gathering>();
  #isDue = false;

  constructor(live: LiveClient, held: HeldRequests) {
    this.#live = live;
    this.#held = held;
  }

  /** Where records for `stream` gather. */
  to(stream: string): Gathering {
    let gathering = this.#all.get(stream);
    if (gathering === undefined) {
      gathering = new Gathering(this.#live, stream, this.#held);
      this.#all.set(stream, gathering);
    }
    if (!this.#isDue) {
      this.#isDue = true;
      setImmediate(() => this.#send());
    }
    return gathering;
  }

  /** Sends what has gathered for `stream`, before something else goes there. */
  sendTo(stream: string): void {
    this.#all.get(stream)?.send();
  }

  /** Streams that come in each turn keep their memory, and all others leave none behind. */
  #send(): void {
    this.#isDue = false;
    for (const [stream, gathering] of this.#all) if (!gathering.send()) this.#all.delete(stream);
  }
}

class Gathering {
  readonly #live: LiveClient;
  readonly #stream: string;
  readonly #held: HeldRequests;
  readonly #encoder: AddEncoder;
  #shares: Share[] = [];

  constructor(live: LiveClient, stream: string, held: HeldRequests) {
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
  share(start: number, taker: OutcomeTaker): void {
    this.#shares.push({taker, start, count: this.#encoder.records - start});
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
      (outcomes) => {
        for (const {taker, start, count} of shares) taker.settled(outcomes, start, count);
      },
      (failure) => {
        for (const {taker} of shares) taker.failed(failure);
      },
    );
    return true;
  }

  #add(batch: AddBatch): Promise<AddOutcome[]> {
    return this.#live.use(async (client, doubt) => {
      const outcomes = await client.addAll(this.#stream, batch);
      for (const outcome of outcomes) if (outcome instanceof StreamlogError) doubt(outcome);
      const last = outcomes.at(-1);
      if (typeof last === 'string') this.#held.confirmed(this.#stream, last, outcomes.length);
      return outcomes;
    });
  }
}

export type {Gathering};
